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
