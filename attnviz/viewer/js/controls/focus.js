// Where the focus goes when what has it is taken away.
import { useRef } from '../vendor/preact-hooks.js';

/** For a part of the page that goes away: ``onFocusIn`` is put on it and notes where the focus came from, ``giveBack``
 * gives it back. */
export function useFocusReturn() {
  const from = useRef(null);
  const onFocusIn = ({ relatedTarget, currentTarget }) => {
    if (relatedTarget && !currentTarget.contains(relatedTarget)) from.current = relatedTarget;
  };
  return { onFocusIn, giveBack: () => from.current?.focus() };
}

/** Where what had the focus went away, put it on the first of ``places`` that is in sight, selectors within ``viewer``. */
export function catchFocus({ element }, ...places) {
  if (document.activeElement !== document.body) return;
  const found = places.map((place) => element.querySelector(place));
  found.find((each) => each?.checkVisibility())?.focus({ preventScroll: true });
}
