// A node's numbers as a picture: those of channels and units as bars, those of cells as a map.
import { ink } from '../drawing/canvas.js';
import { drawMap } from '../drawing/heatmap.js';
import { cellBox } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { summary } from '../numbers/analysis.js';
import { clamp, scale } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';

export const isMap = ({ shows }) => shows === 'cells' || shows === 'features';

/** The picture of ``numbers`` (see node_numbers.js) in at most [width, height] pixels, the channel and the cell marked;
 * ``inputs`` are what else it depends on. */
export function NodePicture({ viewer, numbers, channel, cell, size, inputs, ...properties }) {
  const theme = viewer.theme.name();
  const { colours, smooth } = viewer.state;
  const [width, height] = pictureSize(numbers, size);
  const draw = (context) =>
    isMap(numbers)
      ? drawNodeMap(context, viewer, numbers, cell, [width, height])
      : drawBars(context, theme, numbers, channel, [width, height]);
  const depends = [...inputs, channel, String(cell), colours, smooth, theme];
  return h(Surface, { width, height, draw, inputs: depends, ...properties });
}

/** [width, height] of a picture in a box: all of it, or of a map as much as leaves its cells square. */
export function pictureSize(map, [width, height]) {
  if (!isMap(map)) return [width, height];
  const side = Math.min(width / map.width, height / map.height);
  return [side * map.width, side * map.height];
}

/** [low, high] of a picture: what a gate can be; else from zero, or as far below it as above. */
function pictureRange({ values, range }) {
  if (range) return range;
  const { least, greatest } = summary(values);
  const reach = Math.max(Math.abs(least), Math.abs(greatest)) || 1;
  return [least < 0 ? -reach : 0, reach];
}

/** What a map's colours are and stand for: {range, colours}. */
export function mapColours(map, { colours }) {
  const range = pictureRange(map);
  return { range, colours: range[0] < 0 ? 'coolwarm' : colours };
}

function drawNodeMap(context, viewer, map, cell, [width, height]) {
  const { range, colours } = mapColours(map, viewer.state);
  const look = { colours, smooth: viewer.state.smooth };
  drawMap(context, map, range, look, [0, 0, width, height]);
  if (!cell || cell[0] >= map.height || cell[1] >= map.width) return;
  const box = cellBox({ ...map, box: [0, 0, width, height] }, ...cell);
  for (const [colour, lineWidth] of [
    ['#fff', 4],
    [ink(viewer.theme.name(), 'mine'), 2],
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

/** Bars. A gate's stand on the least that it can be, all others on zero. */
function drawBars(context, theme, { values, range, shows }, channel, [width, height]) {
  const [low, high] = pictureRange({ values, range });
  const y = scale([low, high], [height, 0]);
  const base = y(range ? low : clamp(0, low, high));
  const barWidth = width / values.length;
  const gap = barWidth > 3 ? 1 : 0;
  const drawBar = (index, colour, narrowest) => {
    const top = y(values[index]);
    if (Number.isNaN(top)) return;
    context.fillStyle = ink(theme, colour);
    const across = Math.max(narrowest, barWidth - gap);
    const left = index * barWidth - Math.max(0, across - barWidth) / 2;
    context.fillRect(left, Math.min(base, top), across, Math.max(1, Math.abs(base - top)));
  };
  for (const [index, value] of values.entries())
    drawBar(index, !range && value < 0 ? 'below' : 'accent', 0.6);
  if (low < 0 && !range) {
    context.fillStyle = ink(theme, 'subdued');
    context.fillRect(0, base, width, 1);
  }
  if (shows !== 'channels' || channel === null || channel >= values.length) return;
  drawBar(channel, 'mine', 4);
  drawMarker(context, ink(theme, 'mine'), (channel + 0.5) * barWidth, Math.min(7, height / 10));
}

/** A triangle at the top that points at a bar, however small it is. */
function drawMarker(context, colour, x, size) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x - size, 0);
  context.lineTo(x + size, 0);
  context.lineTo(x, 1.5 * size);
  context.fill();
}
