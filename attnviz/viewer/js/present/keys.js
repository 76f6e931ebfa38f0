// Keys while a mechanism is presented.
import { moveChannel, moveLayer } from '../app/keys.js';
import { clamp } from '../numbers/scale.js';

const STEPS = {
  ArrowLeft: -1,
  ArrowUp: -1,
  PageUp: -1, // as the remote controls of lecturers send it
  ArrowRight: 1,
  ArrowDown: 1,
  PageDown: 1,
  Home: -Infinity,
  End: Infinity,
};

/** Do what a key asks for; whether it asks for anything. */
export function presentKey(viewer, key, close) {
  if (key in STEPS) moveStep(viewer, STEPS[key]);
  else if (key === 'b' || key === 'p') close();
  else if (/^[1-9]$/.test(key)) openNetwork(viewer, Number(key) - 1);
  else if (key === '[' || key === ']') moveLayer(viewer, key === ']' ? 1 : -1);
  else if (key === '-' || key === '+') moveChannel(viewer, key === '+' ? -1 : 1);
  else return false;
  return true;
}

function moveStep(viewer, step) {
  const layer = viewer.layer();
  if (!layer) return;
  const { nodes } = viewer.trace.diagrams[layer.diagram];
  const here = clamp(viewer.state.step, 1, nodes.length);
  viewer.set({ step: clamp(here + step, 1, nodes.length) });
}

function openNetwork(viewer, place) {
  const network = viewer.networks.filter(({ group }) => group === 'embedded')[place];
  if (!network || network.name === viewer.trace.asked.network) return;
  viewer.set({ step: 1 });
  viewer.open({ network: network.name });
}
