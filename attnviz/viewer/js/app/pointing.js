// What is pointed at, for all drawings: a cell of the shown layer's map, a channel of it. ``viewer.pointing`` is the one store.
//
// Who draws something that can be pointed at tells it, and takes it back when the pointer leaves:
//
//   onPointerMove: () => viewer.pointing.point({ channel: 6 }),
//   onPointerLeave: () => viewer.pointing.point({ channel: null }),
//
// or, where a whole element stands for one: h('button', { ...pointingAt(viewer, { channel: 6 }) }).
//
// Who shows what is pointed at, whoever told it, is a component that asks for it; it is drawn anew by itself when that
// changes, and nothing else on the page is:
//
//   const channel = usePointed(viewer, 'channel'); // a number, or null
//   const cell = usePointed(viewer, 'cell'); // [row, column] on the layer's own grid, or null
//
// What was chosen by a click stands in ``viewer.state`` (``channel``, ``pin``) and stays; what is pointed at goes before it:
// ``useShown(viewer, 'channel')`` is the one, or else the other. Another layer or photo forgets what was pointed at.
import { useLayoutEffect, useState } from '../vendor/preact-hooks.js';

const CHOSEN = { cell: 'pin', channel: 'channel' }; // what is pointed at -> what is chosen of it, in the state

/** What is pointed at, and who wants to know of it. */
export class Pointing {
  cell = null; // [row, column]
  channel = null; // its number
  #listeners = new Set();

  /** Point at a ``cell``, a ``channel`` or both; null lets go of one, what is not named stays. */
  point(changed) {
    const isSame = Object.keys(changed).every(
      (kind) => String(changed[kind]) === String(this[kind]),
    );
    if (isSame) return;
    Object.assign(this, changed);
    for (const listener of this.#listeners) listener();
  }

  /** Point at nothing. */
  forget() {
    this.point({ cell: null, channel: null });
  }

  /** Call ``listener`` whenever something else is pointed at; what this gives ends that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The listeners of an element that stands for a ``cell`` or a ``channel``, by pointer and by focus. */
export function pointingAt({ pointing }, what) {
  const nothing = Object.fromEntries(Object.keys(what).map((kind) => [kind, null]));
  const point = () => pointing.point(what);
  const leave = () => pointing.point(nothing);
  return { onPointerEnter: point, onPointerLeave: leave, onFocus: point, onBlur: leave };
}

/** What is pointed at of a ``kind``, 'cell' or 'channel'; null for nothing. */
export function usePointed({ pointing }, kind) {
  const [, setPointed] = useState(pointing[kind]);
  useLayoutEffect(() => pointing.subscribe(() => setPointed(pointing[kind])), [pointing, kind]);
  return pointing[kind];
}

/** What is pointed at of a ``kind``, else what was chosen of it; null for nothing. */
export function useShown(viewer, kind) {
  return usePointed(viewer, kind) ?? viewer.state[CHOSEN[kind]];
}
