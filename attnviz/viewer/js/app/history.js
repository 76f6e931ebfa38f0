// The browser's history: Back undoes the choice of a photo, a network, a layer or a page of the lesson, and a change of gates; all else replaces the address. A view in
// it names also the visitor's own photos, which the address does not.
import { keyOfEdits } from '../changes/edits.js';
import { addressOf } from './address.js';

const DELAY = 300; // ms, until the address follows what is dragged

/** Keep the history of ``viewer``: {follow, stop}; ``follow`` is to be called after each change. */
export function keepHistory(viewer) {
  let timer = 0;
  let place = placeOf(viewer);

  function write(method) {
    clearTimeout(timer);
    const { asked } = viewer.trace;
    const view = { asked, state: viewer.state };
    history[method]({ ...history.state, attnviz: view }, '', addressOf(viewer));
  }

  function follow() {
    const now = placeOf(viewer);
    clearTimeout(timer);
    if (now === place) timer = setTimeout(() => write('replaceState'), DELAY);
    else write('pushState');
    place = now;
  }

  async function restore({ state }) {
    if (!state?.attnviz) return;
    clearTimeout(timer);
    await viewer.restore(state.attnviz);
    place = placeOf(viewer);
  }

  write('replaceState');
  window.addEventListener('popstate', restore);
  return { follow, write: () => write('replaceState') };
}

/** The view that this entry of the history holds, {asked, state}; null for none. */
export const keptView = () => history.state?.attnviz ?? null;

function placeOf({ trace, state }) {
  const { photo, network, view, edits } = trace.asked;
  const changed = keyOfEdits(edits);
  return JSON.stringify([photo, network, view, changed, state.layer, state.tab, state.learn]);
}
