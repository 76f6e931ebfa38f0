// What was done, what went wrong, and what is under way.
import { percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { Button } from '../controls/controls.js';
import { useFocusReturn } from '../controls/focus.js';

/** The last thing that there was to say; it lies over the page, which does not move, until it is closed or something else
 * is done. */
export function Notice({ viewer }) {
  const { notice, say } = viewer;
  const { onFocusIn, giveBack } = useFocusReturn();
  const text =
    notice && (notice.key ? say(notice.key, notice.values) : viewer.messageText(notice.said));
  const close = () => {
    viewer.notice = null;
    viewer.draw();
    giveBack();
  };
  const button = h(
    'button',
    { type: 'button', class: 'av-close', 'aria-label': say('close'), onClick: close },
    '✕',
  );
  return h(
    'div',
    {
      class: `av-notice${notice?.isTrouble ? ' av-trouble' : ''}`,
      role: notice?.isTrouble ? 'alert' : 'status',
      onFocusIn,
    },
    notice && [h('p', {}, text), button],
  );
}

/** What is under way, how far it is, and a button that gives it up. */
export function Waiting({ viewer }) {
  const { waiting, say } = viewer;
  const { onFocusIn, giveBack } = useFocusReturn();
  const cancel = () => {
    viewer.cancel();
    giveBack();
  };
  const share = waiting?.total ? Math.min(1, waiting.done / waiting.total) : null;
  const words = waiting && [
    say(waiting.key, waiting.values),
    share !== null && share > 0 && ` ${percent(share)}`,
    waiting.ahead > 0 && ` ${say('ahead', { count: waiting.ahead })}`,
  ];
  return h(
    'div',
    { class: 'av-waiting', role: 'status', onFocusIn },
    waiting && [
      h('span', { class: 'av-progress', style: share === null ? {} : { width: percent(share) } }),
      h(
        'span',
        { class: 'av-waiting-words' },
        words,
        h(Button, { onClick: cancel }, say('cancel')),
      ),
    ],
  );
}
