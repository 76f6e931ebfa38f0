// A layer's map on the photo: where it lies, and which cell is where. Boxes are [left, top, right, bottom] in the
// photo's pixels.
import { drawMap } from './heatmap.js';

const DIMMED = 'rgba(20, 20, 30, 0.6)'; // what the network did not see
const GREY = '#808080'; // what colours of a bar are blended with: a photo's middle grey
const THUMBNAIL = 120; // px; a narrower photo is drawn from the small copy

/** Draw the photo at a size [width, height] with a layer's map on just the part that it covers, where it is grey, so that
 * each colour is one of the bar's. ``look`` has the map's colours and opacity; ``wipe`` is where the map begins (0 to 1). */
export function drawOverlay(context, trace, layer, range, look, [width, height], wipe = 0) {
  const across = width / trace.photo.width;
  const down = height / trace.photo.height;
  const image = width > THUMBNAIL ? trace.image : trace.thumbnail;
  context.drawImage(image, 0, 0, width, height);
  const box = trace.seen.box;
  if (layer?.map) {
    context.save();
    clipTo(context, scaled(box, across, down), wipe * width, width);
    context.globalAlpha = greyShare(look.opacity);
    context.drawImage(trace.grey, 0, 0, width, height);
    context.globalAlpha = look.opacity;
    drawMap(context, layer.map, range, look, scaled(layer.box, across, down));
    context.restore();
  }
  const [left, top, right, bottom] = box;
  if (left > 0 || top > 0 || right < trace.photo.width || bottom < trace.photo.height)
    dimOutside(context, scaled(box, across, down), width, height);
}

/** How much of the photo's colour gives way to grey: all of it from half of the map's opacity on, none without a map. */
const greyShare = (opacity) => Math.min(1, 2 * opacity);

/** Draw colours as they look on the middle of a grey photo, at a size [width, height]. */
export function drawBlended(context, opacity, [width, height], drawColours) {
  context.fillStyle = GREY;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = opacity;
  drawColours();
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

function dimOutside(context, box, width, height) {
  context.save();
  context.fillStyle = DIMMED;
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
