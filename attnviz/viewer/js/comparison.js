// What the comparisons share: a trace's map and weights small, its first classes, and the numbers of a layer.
import { mapRange, weightLimits, weightsOf } from './analysis.js';
import { contextOf, drawProfile, ink } from './canvas.js';
import { h } from './dom.js';
import { digits, percent } from './format.js';
import { colourBar } from './heatmap.js';
import { drawOverlay } from './overlay.js';

const PROFILE = 30; // px, the height of the weights
const TALLEST = 1.4; // of a picture's width
const SCALE_BAR = 220; // px

/** A photo with a layer's map on it, its colours on the range of all ``traces``; just the photo without a map. */
export function smallMap(viewer, trace, layer, width, traces) {
  const height = Math.min(width * TALLEST, (width * trace.photo.height) / trace.photo.width);
  const canvas = h('canvas', { role: 'img', 'aria-label': viewer.describePicture(trace, layer) });
  const range = layer?.map && mapRange(trace, layer, 'shown', traces);
  drawOverlay(contextOf(canvas, width, height), trace, layer, range, viewer.state, [width, height]);
  return canvas;
}

/** A layer's channel weights, the greatest first; null if it has none. */
export function smallWeights(viewer, layer, width) {
  const weights = layer && weightsOf(layer);
  if (!weights) return null;
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const context = contextOf(canvas, width, PROFILE);
  const colour = ink(viewer.element, 'accent');
  drawProfile(context, weights, weightLimits(layer), width, PROFILE, colour);
  return canvas;
}

/** The classes that a photo is most like, and that they are doubtful where they are. */
export function firstClasses({ say }, trace, count) {
  const items = trace.top.slice(0, count).map(([label, share]) => {
    return h('li', {}, h('span', {}, label), h('span', {}, percent(share)));
  });
  if (!trace.doubt?.doubtful) return h('ul', { class: 'av-says' }, items);
  return h('ul', { class: 'av-says av-timid' }, items, h('li', {}, say('perhaps_none')));
}

/** The colour bar of all maps that are compared: one, or two where factors stand beside shares of a context. */
export function comparedScales(viewer, traces) {
  const ranges = new Map();
  for (const trace of traces)
    for (const layer of trace.layers)
      if (layer.map && !ranges.has(layer.shares))
        ranges.set(layer.shares, mapRange(trace, layer, 'shown', traces));
  return Array.from(ranges.values(), (range) => {
    const note = h('span', { class: 'av-note' }, viewer.say('one_scale'));
    const bar = colourBar(range, viewer.state.colours, SCALE_BAR);
    return h('div', { class: 'av-one-scale' }, note, bar);
  });
}

/** Why a trace is not there: an error, or that it is on its way. */
export function absenceText(viewer, error) {
  return error ? viewer.errorText(error) : viewer.say('waiting');
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
