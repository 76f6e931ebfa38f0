// The scatter plot of two photos' channel weights: a dot a channel, on the diagonal where they agree.
import { contextOf, FONT, HIGHLIGHT, ink } from './canvas.js';
import { h } from './dom.js';
import { digits } from './format.js';
import { scale, ticks } from './scale.js';

const LEFT = 52; // px, for the scale's title and numbers
const RIGHT = 20; // px
const TOP = 6; // px
const BELOW = 36; // px, for the scale's numbers and title
const NEAR = 12; // px from the pointer

/** A canvas with the plot of a pair (see pair.js). The dot under the pointer is kept in ``pointed.channel``, and said in
 * ``readout``. */
export function scatterPlot(viewer, pair, pointed, readout, width) {
  const { say } = viewer;
  const side = width - LEFT - RIGHT;
  const x = scale(pair.range, [LEFT, LEFT + side]);
  const y = scale(pair.range, [TOP + side, TOP]);
  const canvas = h('canvas', { role: 'img', 'aria-label': plotLabel(say, pair) });
  const paint = () => {
    const context = contextOf(canvas, width, TOP + side + BELOW);
    drawAxes(context, viewer, pair.range, x, y, side);
    drawDots(context, viewer, pair, pointed.channel, x, y);
  };
  canvas.addEventListener('pointermove', (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const channel = nearestChannel(pair, x, y, event.clientX - left, event.clientY - top);
    if (channel === pointed.channel) return;
    pointed.channel = channel;
    readout.textContent = channelText(say, pair, channel);
    paint();
  });
  paint();
  return canvas;
}

function plotLabel(say, { a, b, named, differences }) {
  const [channel] = named;
  const away = digits(differences[channel] ?? NaN);
  return say('scatter_alt', { a: a.photo.name, b: b.photo.name, channel, away });
}

/** The channel whose dot is nearest to a point, null if none is near. */
function nearestChannel({ first, second }, x, y, pointX, pointY) {
  let nearest = null;
  let least = NEAR ** 2;
  for (const [channel, value] of first.entries()) {
    const distance = (x(value) - pointX) ** 2 + (y(second[channel]) - pointY) ** 2;
    if (distance >= least || Number.isNaN(distance)) continue;
    least = distance;
    nearest = channel;
  }
  return nearest;
}

function channelText(say, { first, second }, channel) {
  if (channel === null) return say('scatter_hint');
  return say('scatter_point', { channel, a: digits(first[channel]), b: digits(second[channel]) });
}

function drawAxes(context, { element, say }, range, x, y, side) {
  const [low, high] = range;
  context.strokeStyle = ink(element, 'line');
  context.strokeRect(LEFT, TOP, side, side);
  context.beginPath();
  context.moveTo(x(low), y(low));
  context.lineTo(x(high), y(high));
  context.stroke();
  context.fillStyle = ink(element, 'subdued');
  context.font = FONT;
  context.textAlign = 'center';
  context.fillText(say('photo_a'), LEFT + side / 2, side + BELOW);
  for (const value of ticks(range, 3)) {
    context.textAlign = 'center';
    context.fillText(value.toFixed(2), x(value), side + 20);
    context.textAlign = 'right';
    context.fillText(value.toFixed(2), LEFT - 4, y(value) + 4);
  }
  context.save();
  context.translate(10, TOP + side / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = 'center';
  context.fillText(say('photo_b'), 0, 0);
  context.restore();
}

function drawDots(context, { element }, { first, second, named }, pointed, x, y) {
  for (const [channel, value] of first.entries()) {
    const isNamed = named.includes(channel);
    const isPointed = channel === pointed;
    const colour = isNamed ? HIGHLIGHT : ink(element, 'accent');
    context.globalAlpha = isNamed ? 1 : 0.55;
    context.fillStyle = isPointed ? ink(element, 'text') : colour;
    context.beginPath();
    context.arc(x(value), y(second[channel]), isNamed || isPointed ? 4 : 2.5, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}
