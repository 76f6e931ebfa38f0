// What the comparisons share: a layer's map and its gates small, the first classes, and the numbers of a layer.
import { Button } from '../controls/controls.js';
import { drawProfile, FONT, ink } from '../drawing/canvas.js';
import { ColourBar } from '../drawing/colour_bar.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { weightLimits, weightsOf } from '../numbers/analysis.js';
import { digits, percent } from '../numbers/format.js';
import { scale, ticks } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { asGates, offsetOf, ownMapRange } from './axis.js';

const TALLEST = 1.2; // of a picture's width
const LEFT = 30; // px, for a curve's numbers

/** The size [width, height] of a photo drawn that wide. */
export function sizeOf({ photo }, width) {
  return [width, Math.round(Math.min(width * TALLEST, (width * photo.height) / photo.width))];
}

/** A photo with a layer's map on it; just the photo without a map. */
export function SmallMap({ viewer, trace, layer, width }) {
  const { state } = viewer;
  const [, height] = sizeOf(trace, width);
  const range = layer?.map ? ownMapRange(layer, state.scale) : null;
  const look = { ...state, way: 'colours' };
  const draw = (context) => drawOverlay(context, trace, layer, range, look, [width, height]);
  const inputs = [trace.id, layer?.name, String(range), state.colours, state.opacity, state.smooth];
  const label = viewer.describePicture(trace, layer);
  return h(Surface, { width, height, draw, inputs, role: 'img', 'aria-label': label });
}

/** The colours of a layer's map, as gates. */
export function GateBar({ viewer, layer, width }) {
  const { scale: scaleName, colours, opacity } = viewer.state;
  const range = asGates(layer, ownMapRange(layer, scaleName));
  return h(ColourBar, { range, colours, opacity, width });
}

/** A layer's gates, the greatest first, as a curve on the axis from 0 to 1; nothing if it has none. ``isBare``: without
 * the axis' numbers. */
export function GateCurve({ viewer, trace, layer, width, height, isBare = false }) {
  const weights = layer && weightsOf(layer);
  if (!weights) return null;
  const theme = viewer.theme.name();
  const left = isBare ? 0 : LEFT;
  const draw = (context) => {
    if (!isBare) drawAxis(context, theme, asGates(layer, weightLimits(layer)), width, height);
    context.save();
    context.translate(left, isBare ? 0 : 8);
    const room = isBare ? height : height - 16;
    drawProfile(context, weights, weightLimits(layer), width - left, room, ink(theme, 'accent'));
    context.restore();
  };
  const inputs = [trace.id, layer.name, theme, isBare];
  const { least, greatest } = layer.weightNumbers;
  const label = viewer.say('bars_alt', {
    layer: layer.name,
    count: weights.length,
    least: digits(least - offsetOf(layer)),
    greatest: digits(greatest - offsetOf(layer)),
  });
  return h(Surface, { width, height, draw, inputs, role: 'img', 'aria-label': label });
}

function drawAxis(context, theme, range, width, height) {
  const y = scale(range, [height - 8, 8]);
  context.font = FONT;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of ticks(range, 3)) {
    context.fillStyle = ink(theme, 'subdued');
    context.fillText(value.toFixed(1), LEFT - 6, y(value));
    context.fillStyle = ink(theme, 'line');
    context.fillRect(LEFT, y(value), width - LEFT, 1);
  }
}

/** The mean of a layer's gates, and how far they vary. */
export function gateText({ say }, layer) {
  if (!layer.weightNumbers) return '';
  const { mean, std } = layer.weightNumbers;
  return say(layer.kind === 'bam' ? 'gate_mean_bam' : 'gate_mean', {
    mean: digits(mean - offsetOf(layer), 0, 2),
    std: digits(std, 0, 2),
  });
}

/** The classes that a photo is most like, and that they are doubtful where they are. */
export function FirstClasses({ viewer, trace, count }) {
  const items = trace.top.slice(0, count).map(([label, share]) => {
    return h('li', {}, h('span', {}, viewer.classText(label)), h('span', {}, percent(share)));
  });
  if (!trace.doubt?.doubtful) return h('ul', { class: 'av-says' }, items);
  return h('ul', { class: 'av-says av-timid' }, items, h('li', {}, viewer.say('perhaps_none')));
}

/** How many of what is compared have arrived while others have not, with a button that gives them up, or goes on. */
export function Arrivals({ viewer, compared }) {
  const { say } = viewer;
  const { done, total, isUnderWay } = compared.progress();
  if (done === total) return null;
  const [act, key] = isUnderWay ? [compared.stop, 'cancel'] : [compared.goOn, 'compare_go_on'];
  return h(
    'p',
    { class: 'av-arrivals', role: 'status' },
    h('progress', { max: total, value: done, 'aria-label': say('waiting') }),
    say('compare_arrived', { done, total }),
    h(Button, { onClick: act, 'data-arrivals': '' }, say(key)),
  );
}

/** That nothing of what is changed on the screen is in a comparison; nothing where nothing is changed. */
export function AsTheyAre({ viewer: { say, trace } }) {
  return trace.change && h('p', { class: 'av-note av-remark' }, say('compared_as_they_are'));
}

/** Why a trace is not there: an error, that it is on its way, or that it was given up. */
export function Absence({ viewer, error, isAwaited }) {
  if (error) return h('p', { class: 'av-trouble', role: 'status' }, viewer.errorText(error));
  return h('p', { class: isAwaited ? 'av-awaited' : '' }, isAwaited ? viewer.say('waiting') : '–');
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
