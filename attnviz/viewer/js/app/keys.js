// Keys for what is done often, wherever the focus is but in a field.
import { h } from '../vendor/preact.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { toggle } from '../learn/button.js';
import { ranked, weightsOf } from '../numbers/analysis.js';
import { clamp } from '../numbers/scale.js';

const FIELDS = 'input, select, textarea, [role=slider], [role=option], [role=tab], dialog';
const PRESSED = 'input, select, textarea, button, summary, a, dialog'; // what Space itself is for

/** Listens for keys: [ and ] choose layers, - and + channels by size, 1 to 9 networks, n searches
 * for one, / finds a channel, p presents, l teaches, ? helps; while Space is held, the photo is shown without its map. */
export function Keys({ viewer, help }) {
  useEffect(() => {
    const onKey = (event) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
      if (viewer.state.present) return;
      if (event.key === ' ' && !event.target.closest?.(PRESSED)) {
        event.preventDefault();
        viewer.bare(true);
      }
      if (event.target.closest?.(FIELDS)) return;
      if (act(viewer, help, event.key)) event.preventDefault();
    };
    const onRelease = ({ key }) => key === ' ' && viewer.bare(false);
    const onBlur = () => viewer.bare(false); // then no key is told to be let go of
    document.addEventListener('keydown', onKey);
    document.addEventListener('keyup', onRelease);
    window.addEventListener('blur', onBlur);
    return () => {
      document.removeEventListener('keydown', onKey);
      document.removeEventListener('keyup', onRelease);
      window.removeEventListener('blur', onBlur);
    };
  }, []);
  return h('span', { hidden: true });
}

function act(viewer, help, key) {
  if (key === '?') help.current.showModal();
  else if (key === 'p') viewer.set({ tab: 'explore', present: true });
  else if (key === 'l') toggle(viewer);
  else if (key === '[' || key === ']') moveLayer(viewer, key === ']' ? 1 : -1);
  else if (key === '-' || key === '+') moveChannel(viewer, key === '+' ? -1 : 1);
  else if (key === '/') viewer.element.querySelector('[data-control=find]')?.focus();
  else if (key === 'n') searchNetworks(viewer);
  else if (/^[1-9]$/.test(key))
    viewer.element.querySelectorAll('.av-segments button')[key - 1]?.click();
  else return false;
  return true;
}

function searchNetworks({ element }) {
  if (!element.querySelector('.av-search')) element.querySelector('[data-menu=networks]')?.click();
  setTimeout(() => element.querySelector('[data-control=search-networks]')?.focus());
}

/** Choose the layer that many further. */
export function moveLayer(viewer, step) {
  const { layers } = viewer.trace;
  const here = layers.indexOf(viewer.layer());
  const there = layers[clamp(here + step, 0, layers.length - 1)];
  if (there) viewer.set({ layer: there.name });
}

/** Another channel, counted by size. */
export function moveChannel(viewer, step) {
  const layer = viewer.layer();
  const weights = layer && weightsOf(layer);
  if (!weights) return;
  const order = ranked(weights, 'size');
  const here = order.indexOf(viewer.state.channel);
  viewer.set({ channel: order[clamp(here + step, 0, order.length - 1)] });
}
