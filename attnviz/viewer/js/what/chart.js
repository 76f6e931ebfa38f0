// The chart of the bars: a bar a channel, or several channels a pixel, on a scale with ticks.
import { usePointed } from '../app/pointing.js';
import { FONT, ink } from '../drawing/canvas.js';
import { Surface } from '../drawing/surface.js';
import { ranked, weightsOf, weightsRange } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp, scale, ticks } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';

const HEIGHT = 132; // px
const LEFT = 40; // px, for the scale's numbers
const TOP = 10; // px, half of a number
const BOTTOM = HEIGHT - 28; // px, where the bars end
export const PLOT = { height: HEIGHT, left: LEFT, top: TOP, bottom: BOTTOM };
const KEY_STEPS = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageUp: 10,
  PageDown: -10,
  Home: -Infinity,
  End: Infinity,
};

/** The chart of a layer, ``width`` pixels wide, a slider over the channels. */
export function BarsChart({ viewer, layer, width }) {
  const { state, set } = viewer;
  const pointed = usePointed(viewer, 'channel'); // by the pointer, or by keys
  const onPoint = (channel) => viewer.pointing.point({ channel });
  const order = ranked(weightsOf(layer), state.order);
  const draw = (context) => drawChart(context, viewer, layer, order, pointed, width);
  const channel = pointed ?? state.channel;
  const choose = (chosen) => chosen !== null && set({ channel: chosen });
  const onKeyDown = (event) => {
    const step = KEY_STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const here = order.indexOf(channel ?? order[0]);
      onPoint(order[clamp(here + step, 0, order.length - 1)]);
    } else if (event.key === 'Enter' && pointed !== null) {
      event.preventDefault();
      choose(pointed);
    }
  };
  return h(Surface, {
    width,
    height: HEIGHT,
    draw,
    class: 'av-bars',
    role: 'slider',
    tabIndex: 0,
    'aria-label': chartLabel(viewer, layer),
    'aria-valuemin': 0,
    'aria-valuemax': order.length - 1,
    'aria-valuenow': Math.max(0, order.indexOf(channel)),
    'aria-valuetext': channelText(viewer, layer, channel),
    onPointerMove: (event) => onPoint(channelUnder(event, order)),
    onPointerLeave: () => onPoint(null),
    onClick: (event) => choose(channelUnder(event, order)),
    onKeyDown,
  });
}

/** The channel under a pointer on the chart, or on what is as wide; null for none. */
export function channelUnder({ clientX, currentTarget }, order) {
  const { left, width } = currentTarget.getBoundingClientRect();
  const share = (clientX - left - LEFT) / (width - LEFT);
  return order[Math.floor(share * order.length)] ?? null;
}

function chartLabel({ say }, layer) {
  const { least, greatest } = layer.weightNumbers;
  const count = weightsOf(layer).length;
  return say('bars_alt', {
    layer: layer.name,
    count,
    least: digits(least),
    greatest: digits(greatest),
  });
}

/** What a channel's weight is; what there is to do without a channel. */
export function channelText({ say }, layer, channel) {
  if (channel === null || channel >= weightsOf(layer).length) return say('bars_hint');
  const weights = weightsOf(layer);
  const rank = ranked(weights, 'size').indexOf(channel) + 1;
  return say('bar', { channel, value: digits(weights[channel]), rank, count: weights.length });
}

function drawChart(context, viewer, layer, order, pointed, width) {
  const { state, say } = viewer;
  const { least, greatest, mean } = layer.weightNumbers;
  const weights = weightsOf(layer);
  const range = weightsRange([layer], state.scale);
  const isFixed = state.scale === 'fixed' || !(greatest > least);
  const y = scale(range, [BOTTOM, TOP]);
  const chart = {
    y,
    tops: order.map((channel) => y(weights[channel])),
    base: y(isFixed ? range[0] : mean), // on any other scale bars stand on their mean
    barWidth: (width - LEFT) / order.length,
    width,
  };
  const colour = (name) => ink(viewer.theme.name(), name);
  drawTicks(context, chart, range, colour);
  context.fillStyle = colour('accent');
  if (chart.barWidth >= 1) drawBars(context, chart);
  else drawDenseBars(context, chart);
  drawMean(context, y(mean), width, colour('text'));
  drawMarked(context, chart, order.indexOf(state.channel), colour('mine'));
  drawMarked(context, chart, order.indexOf(pointed), colour('text'));
  context.fillStyle = colour('subdued');
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  const text = say(`axis_${state.order}`, { count: order.length });
  context.fillText(text, LEFT + (width - LEFT) / 2, HEIGHT - 1);
}

function drawTicks(context, { y, width }, range, colour) {
  const decimals = range[1] - range[0] < 0.1 ? 3 : 2;
  context.font = FONT;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of ticks(range)) {
    context.fillStyle = colour('subdued');
    context.fillText(value.toFixed(decimals), LEFT - 5, y(value));
    context.fillStyle = colour('line');
    context.fillRect(LEFT, y(value), width - LEFT, 1);
  }
}

/** A bar a channel, one pixel apart where there is room. */
function drawBars(context, { tops, base, barWidth }) {
  const gap = barWidth > 3 ? 1 : 0;
  for (const [place, top] of tops.entries())
    drawBar(context, LEFT + place * barWidth, barWidth - gap, base, top);
}

/** Several channels a pixel: up to the least of them solid, up to the greatest paler. */
function drawDenseBars(context, { tops, base, barWidth, width }) {
  for (let x = 0; x < width - LEFT; x++) {
    const first = Math.floor(x / barWidth);
    const end = Math.max(first + 1, Math.floor((x + 1) / barWidth));
    const known = tops.slice(first, end).filter((top) => !Number.isNaN(top));
    if (!known.length) continue;
    const highest = Math.min(...known);
    const lowest = Math.max(...known);
    context.globalAlpha = 0.45;
    drawBar(context, LEFT + x, 1, base, highest);
    drawBar(context, LEFT + x, 1, base, lowest);
    context.globalAlpha = 1;
    if (lowest < base) drawBar(context, LEFT + x, 1, base, lowest);
  }
}

function drawBar(context, x, width, base, top) {
  if (Number.isNaN(top)) return;
  context.fillRect(x, Math.min(base, top), width, Math.max(0.5, Math.abs(base - top)));
}

/** A dashed line at the mean. */
function drawMean(context, y, width, colour) {
  context.setLineDash([5, 4]);
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(LEFT, y);
  context.lineTo(width, y);
  context.stroke();
  context.setLineDash([]);
}

/** A bar in another colour, with an arrow below it; none at place -1. */
function drawMarked(context, { tops, base, barWidth }, place, colour) {
  if (place < 0) return;
  const x = LEFT + place * barWidth - (barWidth < 2 ? 1 : 0);
  context.fillStyle = colour;
  drawBar(context, x, Math.max(2, barWidth - 1), base, tops[place]);
  const middle = LEFT + (place + 0.5) * barWidth;
  context.beginPath();
  context.moveTo(middle, BOTTOM + 3);
  context.lineTo(middle - 4, BOTTOM + 9);
  context.lineTo(middle + 4, BOTTOM + 9);
  context.fill();
}
