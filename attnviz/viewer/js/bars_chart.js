// The chart of the bars: a bar a channel, or several channels a pixel, on a scale with ticks.
import { ranked, weightsOf, weightsRange } from './analysis.js';
import { contextOf, FONT, HIGHLIGHT, ink, onWidth } from './canvas.js';
import { h } from './dom.js';
import { digits } from './format.js';
import { clamp, scale, ticks } from './scale.js';

const HEIGHT = 230; // px
const LEFT = 34; // px, for the scale's numbers
const TOP = 6; // px
const BOTTOM = HEIGHT - 20; // px, where the bars end
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

/** The chart, a slider over the channels, which says the pointed or chosen one in ``readout``. */
export class BarsChart {
  #viewer;
  #readout;
  #layer = null;
  #order = []; // the channels from left to right
  #pointed = null; // a channel
  #width = 0; // px

  constructor(viewer, readout) {
    this.#viewer = viewer;
    this.#readout = readout;
    const on = {
      pointermove: (event) => this.#point(this.#channelUnder(event)),
      pointerleave: () => this.#point(null),
      click: (event) => this.#choose(this.#channelUnder(event)),
      keydown: (event) => this.#onKey(event),
    };
    const slider = { tabindex: 0, role: 'slider', 'aria-valuemin': 0 };
    this.element = h('canvas', { class: 'av-bars', ...slider, on });
  }

  /** Draw as wide as an element, now and whenever that changes. */
  followWidth(element) {
    onWidth(element, (width) => {
      this.#width = width;
      this.#paint();
    });
  }

  /** Draw a layer; ``isOther``: another one than before, or in another order or language. */
  draw(layer, isOther) {
    this.#layer = layer;
    this.#order = ranked(weightsOf(layer), this.#viewer.state.order);
    if (isOther) {
      this.#pointed = null;
      this.element.setAttribute('aria-label', chartLabel(this.#viewer, layer));
    }
    this.#paint();
  }

  #paint() {
    const [layer, order, width] = [this.#layer, this.#order, this.#width];
    if (!width || !layer) return;
    const context = contextOf(this.element, width, HEIGHT);
    drawChart(context, this.#viewer, layer, order, this.#pointed, width);
    const channel = this.#pointed ?? this.#viewer.state.channel;
    const text = channelText(this.#viewer, layer, channel);
    this.#readout.textContent = text;
    this.element.setAttribute('aria-valuemax', order.length - 1);
    this.element.setAttribute('aria-valuenow', Math.max(0, order.indexOf(channel)));
    this.element.setAttribute('aria-valuetext', text);
  }

  #channelUnder(event) {
    const { left, width } = this.element.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT);
    return this.#order[Math.floor(share * this.#order.length)] ?? null;
  }

  #point(channel) {
    this.#pointed = channel;
    this.#paint();
  }

  #choose(channel) {
    if (channel !== null) this.#viewer.set({ channel });
  }

  #onKey(event) {
    const step = KEY_STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.#move(step);
    } else if ((event.key === 'Enter' || event.key === ' ') && this.#pointed !== null) {
      event.preventDefault();
      this.#choose(this.#pointed);
    }
  }

  #move(step) {
    const order = this.#order;
    const here = order.indexOf(this.#pointed ?? this.#viewer.state.channel ?? order[0]);
    this.#point(order[clamp(here + step, 0, order.length - 1)]);
  }
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

function channelText({ say }, layer, channel) {
  if (channel === null) return say('bars_hint');
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
  const colour = (name) => ink(viewer.element, name);
  drawTicks(context, chart, range, colour);
  context.fillStyle = colour('accent');
  if (chart.barWidth >= 1) drawBars(context, chart);
  else drawDenseBars(context, chart);
  drawMean(context, y(mean), width, colour('text'));
  drawMarked(context, chart, order.indexOf(state.channel), HIGHLIGHT);
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
