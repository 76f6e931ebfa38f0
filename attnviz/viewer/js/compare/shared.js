// What the comparisons share: a trace's map and weights small, its first classes, and the numbers of a layer.
import { ColourBar } from '../drawing/colour_bar.js';
import { drawProfile, ink } from '../drawing/canvas.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { mapRange, weightLimits, weightsOf } from '../numbers/analysis.js';
import { digits, percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';

const PROFILE = 30; // px, the height of the weights
const TALLEST = 1.4; // of a picture's width
const SCALE_BAR = 220; // px

/** A photo with a layer's map on it, its colours on the range of all ``traces``; just the photo without a map. */
export function SmallMap({ viewer, trace, layer, width, traces }) {
  const { state } = viewer;
  const height = Math.min(width * TALLEST, (width * trace.photo.height) / trace.photo.width);
  const range = layer?.map ? mapRange(trace, layer, 'shown', traces) : null;
  const look = { ...state, way: 'colours' }; // which the bar above has
  const draw = (context) => drawOverlay(context, trace, layer, range, look, [width, height]);
  const inputs = [trace.id, layer?.name, String(range), state.colours, state.opacity, state.smooth];
  const label = viewer.describePicture(trace, layer);
  return h(Surface, { width, height, draw, inputs, role: 'img', 'aria-label': label });
}

/** A layer's channel weights, the greatest first; nothing if it has none. */
export function SmallWeights({ viewer, trace, layer, width }) {
  const weights = layer && weightsOf(layer);
  if (!weights) return null;
  const theme = viewer.theme.name();
  const draw = (context) => {
    drawProfile(context, weights, weightLimits(layer), width, PROFILE, ink(theme, 'accent'));
  };
  const inputs = [trace.id, layer.name, theme];
  return h(Surface, { width, height: PROFILE, draw, inputs, 'aria-hidden': 'true' });
}

/** The classes that a photo is most like, and that they are doubtful where they are. */
export function FirstClasses({ viewer, trace, count }) {
  const items = trace.top.slice(0, count).map(([label, share]) => {
    return h('li', {}, h('span', {}, viewer.classText(label)), h('span', {}, percent(share)));
  });
  if (!trace.doubt?.doubtful) return h('ul', { class: 'av-says' }, items);
  return h('ul', { class: 'av-says av-timid' }, items, h('li', {}, viewer.say('perhaps_none')));
}

/** The colour bar of all maps that are compared: one, or two where factors stand beside shares of a context. */
export function ComparedScales({ viewer, traces }) {
  const ranges = new Map();
  for (const trace of traces)
    for (const layer of trace.layers)
      if (layer.map && !ranges.has(layer.shares))
        ranges.set(layer.shares, mapRange(trace, layer, 'shown', traces));
  return Array.from(ranges.values(), (range) => {
    const note = h('span', { class: 'av-note' }, viewer.say('one_scale'));
    const bar = h(ColourBar, { range, colours: viewer.state.colours, width: SCALE_BAR });
    return h('div', { class: 'av-one-scale' }, note, bar);
  });
}

/** Why a trace is not there: an error, or that it is on its way. */
export function Absence({ viewer, error }) {
  const properties = error ? { class: 'av-trouble' } : { class: 'av-awaited' };
  return h(
    'p',
    { ...properties, role: 'status' },
    error ? viewer.errorText(error) : viewer.say('waiting'),
  );
}

/** The head of a table of layers. */
export function numbersHead(say) {
  return [say('layer'), say('weights_mean'), say('weights_std'), say('map_span')];
}

/** A layer's row in it. */
export function numbersRow({ name, map, numbers, weightNumbers }) {
  return [
    name,
    weightNumbers ? digits(weightNumbers.mean) : '–',
    weightNumbers ? digits(weightNumbers.std) : '–',
    map ? `${digits(numbers.least)} – ${digits(numbers.greatest)}` : '–',
  ];
}
