// "How to read this": a dialog with the questions that people ask, and the keys.
import { canChange } from '../changes/edits.js';
import { hasMoreNetworks } from '../networks/choice.js';
import { THRESHOLDS } from '../numbers/badges.js';
import { percent } from '../numbers/format.js';
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { withStrong } from './words.js';

export const QUESTIONS = ['gradcam', 'half', 'small', 'edges', 'badges', 'which', 'class'];
const THRESHOLDS_IN_WORDS = {
  ...THRESHOLDS,
  saturated: percent(THRESHOLDS.saturated),
  edgeShare: percent(THRESHOLDS.edgeShare),
};

/** [keys, what they do] of all that can be done here. */
const keysOf = (viewer) => [
  ['[ ]', 'key_layer'],
  ['− +', 'key_channel'],
  ['1 2 3 …', 'key_network'],
  ...(hasMoreNetworks(viewer) ? [['n', 'key_search']] : []),
  ['/', 'key_find'],
  [' ', 'key_photo'],
  ...(canChange(viewer) ? [['0 1 2 Delete', 'key_set']] : []),
  ['p', 'key_present'],
  ['l', 'key_learn'],
  ['?', 'key_help'],
];

/** The dialog of ``viewer``; ``dialog`` is a ref to it, by which it is opened. */
export function Help({ viewer, dialog }) {
  const { say } = viewer;
  const close = () => dialog.current.close();
  const answers = QUESTIONS.map((name) => [
    h('h3', {}, say(`ask_${name}`)),
    h('p', {}, withStrong(say(`answer_${name}`, THRESHOLDS_IN_WORDS))),
  ]);
  const keys = keysOf(viewer).map(([key, word]) => [
    h('dt', {}, h('kbd', {}, key === ' ' ? say('key_space') : key)),
    h('dd', {}, say(word)),
  ]);
  const onClick = ({ target }) => target === dialog.current && close();
  return h(
    'dialog',
    { class: 'av-help', ref: dialog, 'aria-label': say('help'), onClick },
    h(
      'div',
      { class: 'av-help-content' },
      h('h2', { tabIndex: -1 }, say('help')),
      h('div', { class: 'av-prose' }, answers),
      h('h3', {}, say('keys')),
      h('dl', { class: 'av-keys' }, keys),
      h(Button, { class: 'av-button av-primary', onClick: close }, say('close')),
    ),
  );
}
