// A layer's map on the photo: where it lies, and which cell is where. Boxes are [left, top, right, bottom] in the
// photo's pixels.
import { brightnessRange } from '../numbers/analysis.js';
import { DIM, drawColours, drawMap } from './heatmap.js';

const UNSEEN = 'rgba(20, 20, 30, 0.6)'; // over what the network did not see
const PALE = 'rgba(255, 255, 255, 0.72)'; // the same beside a dimmed photo, where a dark one would look held back
const GREY = '#808080'; // what colours of a bar are blended with: a photo's middle grey
const THUMBNAIL = 120; // px; a narrower photo is drawn from the small copy

/** Draw the photo at a size [width, height] with a layer's map on just the part that it covers, in one of WAYS: in colours
 * on grey, so that each is one of the bar's, or the photo dimmed by the factor. ``look`` is the state of the app;
 * ``wipe`` is where the map begins (0 to 1). */
export function drawOverlay(context, trace, layer, range, look, [width, height], wipe = 0) {
  const across = width / trace.photo.width;
  const down = height / trace.photo.height;
  const image = width > THUMBNAIL ? trace.image : trace.thumbnail;
  context.drawImage(image, 0, 0, width, height);
  const box = trace.seen.box;
  if (layer?.map) {
    context.save();
    clipTo(context, scaled(box, across, down), wipe * width, width);
    const place = scaled(layer.box, across, down);
    if (look.way === 'dim') drawDimming(context, layer.map, range, look, place);
    else {
      context.globalAlpha = greyShare(look.opacity);
      context.drawImage(trace.grey, 0, 0, width, height);
      context.globalAlpha = look.opacity;
      drawMap(context, layer.map, range, look, place);
    }
    context.restore();
  }
  const [left, top, right, bottom] = box;
  if (left > 0 || top > 0 || right < trace.photo.width || bottom < trace.photo.height)
    coverOutside(context, scaled(box, across, down), width, height, layer?.map && look.way);
}

/** Darken what is drawn by a map's brightness. */
function drawDimming(context, map, range, look, place) {
  const dimming = { ...look, colours: DIM };
  drawMap(context, map, brightnessRange(range, look.scale), dimming, place);
}

/** How much of the photo's colour gives way to grey: all of it from half of the map's opacity on, none without a map. */
const greyShare = (opacity) => Math.min(1, 2 * opacity);

/** Draw a scale from left to right at a size [width, height], as its colours look on the photo: on the middle of a grey
 * one, or what dimming makes of white. */
export function drawScale(context, range, look, [width, height]) {
  const isDim = look.way === 'dim';
  context.fillStyle = isDim ? '#fff' : GREY;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = isDim ? 1 : look.opacity;
  const whole = isDim ? brightnessRange(range, look.scale) : range;
  drawColours(context, isDim ? DIM : look.colours, width, height, whole, range);
  context.globalAlpha = 1;
}

/** A box of the photo's pixels as [x, y, width, height] on a canvas. */
function scaled([left, top, right, bottom], across, down) {
  return [left * across, top * down, (right - left) * across, (bottom - top) * down];
}

/** Draw only inside of a box [x, y, width, height], and right of ``from`` on a canvas of that width. */
function clipTo(context, [x, y, width, height], from, canvasWidth) {
  context.beginPath();
  context.rect(Math.max(x, from), y, canvasWidth, height);
  context.clip();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
}

function coverOutside(context, box, width, height, way) {
  context.save();
  context.fillStyle = way === 'dim' ? PALE : UNSEEN;
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(...box);
  context.fill('evenodd');
  context.restore();
}

/** The cell of a layer's map under a point of the photo: [row, column]; null outside of what the network saw. */
export function cellAt(trace, layer, x, y) {
  const [seenLeft, seenTop, seenRight, seenBottom] = trace.seen.box;
  if (x < seenLeft || y < seenTop || x >= seenRight || y >= seenBottom) return null;
  const [left, top, right, bottom] = layer.box;
  const row = Math.floor(((y - top) / (bottom - top)) * layer.height);
  const column = Math.floor(((x - left) / (right - left)) * layer.width);
  return [Math.min(layer.height - 1, row), Math.min(layer.width - 1, column)];
}

/** Where a cell lies on the photo: [left, top, width, height] in the photo's pixels. */
export function cellBox(layer, row, column) {
  const [left, top, right, bottom] = layer.box;
  const width = (right - left) / layer.width;
  const height = (bottom - top) / layer.height;
  return [left + column * width, top + row * height, width, height];
}
