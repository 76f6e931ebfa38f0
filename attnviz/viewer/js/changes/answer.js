// What a changed network answers, held against what it answered as it is; and where one begins to change it.
import { Button } from '../controls/controls.js';
import { digits, percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { canChange } from './switches.js';

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

/** A class's share before and now; ``place`` is that among the most probable now. */
export function shareText({ trace: { change } }, share, place) {
  const before = change?.sharesBefore?.[place] ?? null;
  const now = percent(share, 1);
  return before === null ? now : `${percent(before, 1)} → ${now}`;
}

const signed = (value) => `${value > 0 ? '+' : ''}${digits(value, 0, 2)}`;

/** The button that shows the strip's switches, where gates can be changed. */
export function WhatIfButton({ viewer }) {
  const { say, state, trace } = viewer;
  if (!canChange(viewer) || !trace.layers.some(({ formula }) => formula !== 'none')) return null;
  return h(
    Button,
    {
      class: `av-button${state.switches ? ' av-primary' : ''}`,
      'data-what-if': '',
      'aria-pressed': String(state.switches),
      title: say('what_if_hint'),
      onClick: () => viewer.set({ switches: !state.switches }),
    },
    say('what_if'),
  );
}
