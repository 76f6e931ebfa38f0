// What a changed network answers, held against what it answered as it is.
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';

/** Whether the answer is another, and by how much the score of the class before changed. */
export function AnswerChange({ viewer }) {
  const { say, trace, classText } = viewer;
  const { change, top } = trace;
  if (!change?.before?.length || !top.length) return null;
  const [before, now] = [change.before[0][0], top[0][0]].map(classText);
  const isKnown = change.scoreChange !== null;
  return h(
    'div',
    { class: 'av-answer-change', 'data-answer-change': change.isOther ? 'other' : 'same' },
    h('p', {}, h('strong', {}, say('changed_network'))),
    h('p', {}, say(change.isOther ? 'answer_other' : 'answer_same', { before, now })),
    isKnown && h('p', {}, say('score_changed', { before, change: signed(change.scoreChange) })),
  );
}

const signed = (value) => `${value > 0 ? '+' : ''}${digits(value, 0, 2)}`;
