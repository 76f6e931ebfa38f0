// What the photo is most like, of the classes that the network knows.
import { ENGLISH } from '../app/languages.js';
import { titleOf } from '../changes/edits.js';
import { shareText, WhatIfButton } from '../changes/what_if.js';
import { percent } from '../numbers/format.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';

const IMAGENET = 1000; // classes

/** The card of ``viewer``. */
export function AnswerCard({ viewer }) {
  const { say, trace, language, examples } = viewer;
  const { remarks, network } = trace;
  const { mark, credit } = examples.find(({ photo }) => photo === trace.asked.photo) ?? {};
  const creditText = credit && say('examples_by', { credits: credit });
  const lines = remarks.map((sentences) => sentences[language] ?? sentences[ENGLISH]);
  return h(
    'section',
    {
      class: 'av-card av-answer av-answers',
      'data-part': 'answer',
      'aria-labelledby': 'av-answer-title',
    },
    trace.top.length > 0 && h('h2', { id: 'av-answer-title' }, titleText(viewer)),
    trace.top.length > 0 && h(TakeMenu, { viewer, figure: 'answer' }),
    viewer.tools && h(viewer.tools.AnswerChange, { viewer }),
    trace.top.length > 0 && h(Answers, { viewer }),
    h(WhatIfButton, { viewer }),
    network.labels.length > 0 && h(Classes, { viewer }),
    h('p', { class: 'av-note' }, classesText(viewer)),
    h(
      'div',
      { class: 'av-heading' },
      h('h3', { class: 'av-photo-name' }, photoName(viewer)),
      mark && h('p', { class: 'av-note' }, `(${mark})`),
      h('p', { class: 'av-note' }, [seenText(viewer), creditText].filter(Boolean).join(' ')),
      lines.map((text) => h('p', { class: 'av-note av-remark' }, text)),
    ),
  );
}

/** That the answer is the most like among so many classes. */
export function titleText({ say, trace }) {
  const { classes } = trace.network;
  if (classes === IMAGENET) return say('most_like_imagenet');
  if (!classes) return say('most_like_unknown');
  const word = say('counts').split(' ')[classes - 2]; // the first is for two
  return say('most_like', { count: word ?? classes.toLocaleString('en') });
}

/** The classes that the photo is most like, with bars; drawn timidly, with a sentence on it, where they are doubtful. */
export function Answers({ viewer }) {
  const { top, doubt } = viewer.trace;
  const items = top.map(([label, share], place) => {
    const text = percent(share, 1);
    return h(
      'li',
      {},
      h('span', { class: 'av-label' }, viewer.classText(label)),
      h('span', { class: 'av-percent' }, shareText(viewer, share, place)),
      h('span', { class: 'av-share' }, h('span', { style: { width: text } })),
    );
  });
  const isTimid = Boolean(doubt?.doubtful);
  return [
    h('ol', { class: `av-top5${isTimid ? ' av-timid' : ''}` }, items),
    isTimid && h('p', { class: 'av-note av-doubt' }, viewer.messageText(doubt.said)),
  ];
}

/** All classes that it knows, the one that the photo is most like marked if that is not doubtful. */
function Classes({ viewer }) {
  const { say, trace, classText } = viewer;
  const best = trace.doubt?.doubtful ? null : trace.top[0]?.[0];
  const items = trace.network.labels.map((label) =>
    h(
      'li',
      { class: 'av-class', 'aria-current': label === best ? 'true' : undefined },
      classText(label),
    ),
  );
  return h('ul', { class: 'av-classes', 'aria-label': say('all_classes') }, items);
}

/** How many classes a network knows, and how often it is right, or was before it was changed. */
function classesText({ say, trace }) {
  const { classes, labels, accuracy } = trace.network;
  if (!classes) return '';
  const known = classes === IMAGENET ? 'knows_imagenet' : 'knows';
  const text = say(labels.length ? 'knows_these' : known, { count: classes });
  const right = say(trace.change ? 'knew_right' : 'knows_right', { share: percent(accuracy, 1) });
  return accuracy ? `${text} ${right}` : text;
}

function photoName({ say, trace, host }) {
  const { asked, photo } = trace;
  return asked.example && host.addPhoto ? say('example', { photo: photo.name }) : photo.name;
}

function seenText({ say, trace }) {
  const { seen } = trace;
  const [height, width] = seen.size;
  const size = say(seen.whole ? 'sees_whole' : 'sees_crop', {
    network: titleOf(say, trace),
    width,
    height,
  });
  return seen.forced ? `${size} ${say('sees_forced')}` : size;
}
