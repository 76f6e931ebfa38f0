// What is changed of the network, said where it can't be overlooked, and the button that undoes it.
import { Button } from '../controls/controls.js';
import { catchFocus } from '../controls/focus.js';
import { percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { isChanging } from './edits.js';
import { StairsButton } from './stairs.js';
import { canReset } from './switches.js';
import { changesInWords } from './words.js';

const MOST = 4; // layers that are named

/** The line above the strip of ``viewer``, where gates are changed or are about to be. */
export function ChangesBar({ viewer }) {
  const { say, trace } = viewer;
  const isOpen = isChanging(viewer);
  if (!trace.change && !isOpen) return null;
  const reset = async () => {
    await viewer.change({});
    catchFocus(viewer, '[data-switch]', '[data-what-if]');
  };
  const close = () => {
    viewer.set({ switches: false });
    catchFocus(viewer, '[data-what-if]');
  };
  const text = trace.change ? changesInWords(viewer, MOST) : say('what_if_begin');
  return h(
    'div',
    {
      class: `av-changes${trace.change ? ' av-changed' : ''}`,
      'data-part': 'changes',
    },
    h(
      'p',
      { role: 'status' },
      trace.change && h('strong', {}, say('changed_network')),
      ' ',
      text,
      trace.change && h('span', { class: 'av-answer-now' }, answerText(viewer)),
    ),
    h(StairsButton, { viewer }),
    canReset(viewer) && h(Button, { 'data-reset-gates': '', onClick: reset }, say('reset_gates')),
    isOpen &&
      h(
        Button,
        {
          class: 'av-button av-sign',
          'data-close-switches': '',
          'aria-label': say('close_switches'),
          title: say('close_switches'),
          onClick: close,
        },
        '✕',
      ),
  );
}

/** The answer before and now, each with its share; '' where there is none. */
function answerText({ trace: { change, top }, classText }) {
  if (!change.before?.length || !top.length) return '';
  const [[before, shareBefore], [now, share]] = [change.before[0], top[0]];
  const name = change.isOther ? `${classText(now)} ` : '';
  return `${classText(before)} ${percent(shareBefore, 1)} → ${name}${percent(share, 1)}`;
}
