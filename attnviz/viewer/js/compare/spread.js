// One layer's gates over several photos: the mean of each channel, and how far it varies from photo to photo.
import { FONT, ink } from '../drawing/canvas.js';
import { Surface } from '../drawing/surface.js';
import { ranked, weightLimits, weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp, scale, ticks } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { asGates, offsetOf } from './axis.js';

const HEIGHT = 174; // px
const LEFT = 40; // px, for the axis' numbers
const TOP = 8; // px
const BOTTOM = HEIGHT - 10; // px, where the axis begins
const WIDEST = 900; // px

/** Of each channel the mean of its gate over ``layers``, one of each photo, and the standard deviation: {means, deviations},
 * (C,) each. NaN counts for nothing. */
export function spreadOf(layers) {
  const weights = layers.map((layer) => weightsOf(layer));
  const offset = offsetOf(layers[0]);
  const means = [];
  const deviations = [];
  for (let channel = 0; channel < weights[0].length; channel++) {
    const known = weights
      .map((values) => values[channel] - offset)
      .filter((value) => !Number.isNaN(value));
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    means.push(mean);
    deviations.push(Math.sqrt(squares / known.length));
  }
  return { means, deviations };
}

/** The chart of the chosen layer over the photos of ``ofLayer``, [{trace, layer}]; or a word that one photo is not enough. */
export function SpreadPart({ viewer, layer, ofLayer, room }) {
  const { say } = viewer;
  const weighted = ofLayer.filter((one) => weightsOf(one.layer));
  const title = say('spread_title', { layer: layer.name, count: weighted.length });
  if (!weightsOf(layer)) return null;
  return h(
    'div',
    { class: 'av-panel av-comparison', 'data-figure': 'spread' },
    h('h3', {}, title),
    weighted.length < 2
      ? h('p', { class: 'av-note' }, say('spread_hint'))
      : h(Chart, { viewer, layers: weighted.map((one) => one.layer), room, title }),
  );
}

function Chart({ viewer, layers, room, title }) {
  const { say, state, set } = viewer;
  const [pointed, setPointed] = useState(null); // a channel
  const spread = spreadOf(layers);
  const order = ranked(spread.means, 'size');
  const range = asGates(layers[0], weightLimits(layers[0]));
  const width = Math.min(WIDEST, room);
  const step = (width - LEFT) / order.length;
  const channelUnder = ({ clientX, currentTarget }) => {
    const { left } = currentTarget.getBoundingClientRect();
    return order[clamp(Math.floor((clientX - left - LEFT) / step), 0, order.length - 1)];
  };
  const draw = (context) =>
    drawSpread(context, viewer, { spread, range, order, step, width, pointed });
  const channel = pointed ?? state.channel;
  return [
    h(TakeMenu, { viewer, figure: 'spread' }),
    h(Surface, {
      width,
      height: HEIGHT,
      draw,
      role: 'img',
      'aria-label': title,
      onPointerMove: (event) => setPointed(channelUnder(event)),
      onPointerLeave: () => setPointed(null),
      onClick: (event) => set({ channel: channelUnder(event) }),
    }),
    h('p', { class: 'av-note' }, say('spread_axis', { count: order.length })),
    h('p', { class: 'av-readout' }, channelText(say, spread, channel)),
    h(SpreadTable, { say, spread, order }),
  ];
}

function channelText(say, { means, deviations }, channel) {
  if (channel === null || channel >= means.length) return say('spread_pointed_none');
  return say('spread_pointed', {
    channel,
    mean: digits(means[channel]),
    deviation: digits(deviations[channel]),
  });
}

function drawSpread(context, viewer, { spread, range, order, step, width, pointed }) {
  const colour = (name) => ink(viewer.theme.name(), name);
  const y = scale(range, [BOTTOM, TOP]);
  context.font = FONT;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of ticks(range)) {
    context.fillStyle = colour('subdued');
    context.fillText(value.toFixed(2), LEFT - 5, y(value));
    context.fillStyle = colour('line');
    context.fillRect(LEFT, y(value), width - LEFT, 1);
  }
  const across = Math.max(1, step);
  for (const [place, channel] of order.entries()) {
    const { means, deviations } = spread;
    const [mean, deviation] = [means[channel], deviations[channel]];
    if (Number.isNaN(mean)) continue;
    const x = LEFT + place * step;
    const [high, low] = [mean + deviation, mean - deviation].map((end) => clamp(end, ...range));
    context.globalAlpha = 0.35;
    context.fillStyle = colour('accent');
    context.fillRect(x, y(high), across, Math.max(1, y(low) - y(high)));
    context.globalAlpha = 1;
    const isMine = channel === viewer.state.channel || channel === pointed;
    context.fillStyle = colour(isMine ? 'mine' : 'accent');
    context.fillRect(x, y(mean) - 1, Math.max(isMine ? 4 : 1, across), 2.5);
  }
}

function SpreadTable({ say, spread, order }) {
  const content = () => [
    [say('channel'), say('mean'), say('deviation')],
    order.map((channel) => [
      String(channel),
      digits(spread.means[channel], 0, 4),
      digits(spread.deviations[channel], 0, 4),
    ]),
  ];
  const title = say('spread_table', { count: order.length });
  return h(FoldedTable, { name: 'spread', title, content });
}
