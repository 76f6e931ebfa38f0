// One step of a mechanism: its picture, what it spans, its number at the chosen channel or the pinned cell.
import { ink } from '../drawing/canvas.js';
import { drawMap } from '../drawing/heatmap.js';
import { Surface } from '../drawing/surface.js';
import { cellBox } from '../drawing/overlay.js';
import { summary } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp, scale } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';

const WIDTH = 168; // px, of a picture
const BARS = 64; // px, the height of bars
const TALLEST = 130; // px, of a map

export const isMap = (step) => step.height > 1;
export const isHidden = (step) => step.key.endsWith('hidden');

/** A step (see steps.js) of a layer as a list item. */
export function StepCard({ viewer, step, layer }) {
  const { say, state } = viewer;
  const numbers = summary(step.values);
  const span = spanText(say, step, numbers);
  const chosen = chosenText(viewer, step);
  const { width, height, key } = step;
  return h(
    'li',
    { class: `av-step${step.isGate ? ' av-gate' : ''}` },
    h('div', { class: 'av-step-title' }, say(`step_${key}`, { channel: state.channel ?? 0 })),
    h(Picture, {
      viewer,
      step,
      layer,
      numbers,
      label: `${say(`step_${key}`, { channel: state.channel ?? 0 })}: ${span}`,
    }),
    h('div', { class: 'av-step-span' }, span),
    chosen && h('div', { class: 'av-step-mine' }, chosen),
    h('div', { class: 'av-step-how' }, say(`how_${key}`, { count: width, height, width })),
  );
}

function Picture({ viewer, step, layer, numbers, label }) {
  const { trace, state } = viewer;
  const theme = viewer.theme.name();
  const { channel, pin, colours, smooth } = state;
  const properties = { role: 'img', 'aria-label': label };
  const inputs = [trace.id, layer.name, step.key, channel, String(pin), colours, smooth, theme];
  if (isMap(step)) {
    const [width, height] = mapSize(step);
    const draw = (context) => drawStepMap(context, viewer, step, numbers, [width, height]);
    return h(Surface, { width, height, draw, inputs, ...properties });
  }
  const draw = (context) => drawStepBars(context, viewer, step, numbers);
  const onClick = isHidden(step) ? undefined : (event) => chooseUnder(event, viewer, step);
  return h(Surface, { width: WIDTH, height: BARS, draw, inputs, onClick, ...properties });
}

function spanText(say, step, { least, greatest }) {
  const { height, width, grain } = step;
  const [low, high] = [least, greatest].map((value) => digits(value, grain));
  return say(isMap(step) ? 'step_cells' : 'step_values', {
    low,
    high,
    count: width,
    height,
    width,
  });
}

/** The step's number at the pinned cell or of the chosen channel; null if there is none. */
function chosenText({ say, state }, step) {
  if (isMap(step)) {
    if (!state.pin) return null;
    const [row, column] = state.pin;
    const value = step.values[row * step.width + column];
    if (value === undefined) return null;
    return say('at_pin', { row: row + 1, column: column + 1, value: digits(value, step.grain) });
  }
  const { channel } = state;
  if (isHidden(step) || channel === null) return null;
  return say('at_channel', { channel, value: digits(step.values[channel], step.grain) });
}

/** Whether a step's numbers lie on both sides of zero. */
const hasSigns = (step, { least }) => Boolean(step.isSigned || (!step.isGate && least < 0));

/** [low, high] of a step's picture: what a gate can be; else from zero, or as far below it as above. */
function rangeOf(step, numbers) {
  if (step.range) return step.range;
  const reach = Math.max(Math.abs(numbers.least), Math.abs(numbers.greatest)) || 1;
  return [hasSigns(step, numbers) ? -reach : Math.min(0, numbers.least), reach];
}

/** [width, height] in pixels. */
function mapSize(step) {
  const height = Math.min(TALLEST, (WIDTH * step.height) / step.width);
  return [(height * step.width) / step.height, height];
}

/** A map, the chosen cell in a frame. */
function drawStepMap(context, viewer, step, numbers, [width, height]) {
  const { state } = viewer;
  const colours = hasSigns(step, numbers) ? 'coolwarm' : state.colours;
  const look = { colours, smooth: state.smooth };
  drawMap(context, step, rangeOf(step, numbers), look, [0, 0, width, height]);
  if (!state.pin) return;
  const box = cellBox({ ...step, box: [0, 0, width, height] }, ...state.pin);
  for (const [colour, lineWidth] of [
    ['#fff', 3],
    [ink(viewer.theme.name(), 'mine'), 2],
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

/** Bars of a step. A gate's stand on the least that it can be, all others on zero. */
function drawStepBars(context, viewer, step, numbers) {
  const [low, high] = rangeOf(step, numbers);
  const y = scale([low, high], [BARS, 0]);
  const base = y(step.range ? low : clamp(0, low, high));
  const barWidth = WIDTH / step.width;
  const gap = barWidth > 3 ? 1 : 0;
  const drawBar = (index, colour, narrowest) => {
    const top = y(step.values[index]);
    if (Number.isNaN(top)) return;
    context.fillStyle = colour;
    const width = Math.max(narrowest, barWidth - gap);
    context.fillRect(
      index * barWidth,
      Math.min(base, top),
      width,
      Math.max(1, Math.abs(base - top)),
    );
  };
  const colour = (name) => ink(viewer.theme.name(), name);
  for (const [index, value] of step.values.entries())
    drawBar(index, colour(!step.range && value < 0 ? 'below' : 'accent'), 0.6);
  if (!step.range && hasSigns(step, numbers)) {
    context.fillStyle = colour('subdued');
    context.fillRect(0, base, WIDTH, 1);
  }
  const { channel } = viewer.state;
  if (!isHidden(step) && channel !== null && channel < step.width)
    drawBar(channel, colour('mine'), 3);
}

function chooseUnder({ clientX, currentTarget }, viewer, step) {
  const { left, width } = currentTarget.getBoundingClientRect();
  const place = Math.floor(((clientX - left) / width) * step.width);
  viewer.set({ channel: clamp(place, 0, step.width - 1) });
}
