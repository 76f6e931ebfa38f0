// What can be done with all of the page: in a row, and on phones behind one button.
import { h } from '../vendor/preact.js';
import { useEffect, useRef, useState } from '../vendor/preact-hooks.js';

/** The buttons, ``children``, of ``viewer``. On phones the panel of them closes once one is pressed that opens no menu
 * of its own, with Escape, and with a press elsewhere. */
export function Tools({ viewer, children }) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef(null);
  const opener = useRef(null);
  useEffect(() => {
    if (!isOpen) return null;
    const onDown = ({ target }) => !place.current?.contains(target) && setOpen(false);
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [isOpen]);
  const onKeyDown = ({ key, defaultPrevented }) => {
    if (key !== 'Escape' || !isOpen || defaultPrevented) return;
    setOpen(false);
    opener.current?.focus();
  };
  const onClick = ({ target }) =>
    target.closest('button') && !target.closest('[data-menu]') && setOpen(false);
  const button = h(
    'button',
    {
      type: 'button',
      class: 'av-button av-sign av-tools-opener',
      ref: opener,
      'aria-expanded': String(isOpen),
      'aria-label': viewer.say('tools'),
      title: viewer.say('tools'),
      onClick: () => setOpen(!isOpen),
    },
    '⋯',
  );
  return h(
    'div',
    { class: `av-tools${isOpen ? ' av-open' : ''}`, ref: place, onKeyDown },
    button,
    h('div', { class: 'av-tools-list', onClick }, children),
  );
}
