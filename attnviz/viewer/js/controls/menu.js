// A button with a panel that it opens, on phones a sheet from the lower edge. Escape and a click elsewhere close it; the
// focus goes back to the button.
import { h } from '../vendor/preact.js';
import { useEffect, useRef, useState } from '../vendor/preact-hooks.js';

/** ``name`` tells it from others (``data-menu``); ``label`` is what the button says, ``hint`` what it is called where that
 * is a sign; ``children`` is a function of ``close`` that gives what is in the panel. */
export function Menu({ name, label, hint, side = 'start', children }) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef(null);
  const button = useRef(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return null;
    const onDown = ({ target }) => !place.current?.contains(target) && setOpen(false);
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [isOpen]);
  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    close();
  };
  const opener = {
    type: 'button',
    class: 'av-button',
    ref: button,
    'data-menu': name,
    'aria-expanded': String(isOpen),
    'aria-haspopup': 'dialog',
    'aria-label': hint,
    title: hint,
    onClick: () => setOpen(!isOpen),
  };
  const panel = isOpen && [
    h('div', { class: 'av-behind-sheet', onClick: close }),
    h(
      'div',
      { class: `av-menu-panel av-${side}`, role: 'dialog', 'aria-label': hint ?? label },
      children(close),
    ),
  ];
  return h('div', { class: 'av-menu', ref: place, onKeyDown }, h('button', opener, label), panel);
}
