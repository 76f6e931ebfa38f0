// The scatter plot of two photos' channel weights: a dot a channel, on the diagonal where they agree.
import { FONT, ink } from '../drawing/canvas.js';
import { Surface } from '../drawing/surface.js';
import { digits } from '../numbers/format.js';
import { scale, ticks } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';

const LEFT = 52; // px, for the scale's title and numbers
const RIGHT = 20; // px
const TOP = 6; // px
const BELOW = 36; // px, for the scale's numbers and title
const DOTS = [2.5, 4]; // px, radius of a dot, and of a named one
const POINTED = 6; // px, radius of the dot under the pointer
const NEAR = 12; // px from the pointer

/** The plot of a pair (see pair.js), and what it says of the dot under the pointer. */
export function ScatterPlot({ viewer, pair, width }) {
  const { say } = viewer;
  const [pointed, setPointed] = useState(null); // a channel
  const side = width - LEFT - RIGHT;
  const x = scale(pair.range, [LEFT, LEFT + side]);
  const y = scale(pair.range, [TOP + side, TOP]);
  const draw = (context) => {
    drawAxes(context, viewer, pair.range, x, y, side);
    drawDots(context, viewer, pair, pointed, x, y);
  };
  const onPointerMove = ({ clientX, clientY, currentTarget }) => {
    const { left, top } = currentTarget.getBoundingClientRect();
    setPointed(nearestChannel(pair, x, y, clientX - left, clientY - top));
  };
  const height = TOP + side + BELOW;
  const properties = { role: 'img', 'aria-label': plotLabel(say, pair), onPointerMove };
  return h(
    'div',
    {},
    h(Surface, { width, height, draw, ...properties }),
    h('p', { class: 'av-readout' }, channelText(say, pair, pointed)),
  );
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

function drawAxes(context, { theme, say }, range, x, y, side) {
  const [low, high] = range;
  context.strokeStyle = ink(theme.name(), 'line');
  context.strokeRect(LEFT, TOP, side, side);
  context.beginPath();
  context.moveTo(x(low), y(low));
  context.lineTo(x(high), y(high));
  context.stroke();
  context.fillStyle = ink(theme.name(), 'subdued');
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

function drawDots(context, { theme }, { first, second, named }, pointed, x, y) {
  for (const [channel, value] of first.entries()) {
    const isNamed = named.includes(channel);
    const isPointed = channel === pointed;
    const isDark = isNamed || isPointed; // the colour of what was chosen is none of theirs
    context.globalAlpha = isNamed ? 1 : 0.55;
    context.fillStyle = ink(theme.name(), isDark ? 'text' : 'accent');
    context.beginPath();
    context.arc(x(value), y(second[channel]), isPointed ? POINTED : DOTS[Number(isNamed)], 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}
