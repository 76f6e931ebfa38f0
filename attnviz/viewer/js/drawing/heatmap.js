// Maps (h, w) in colours. A colour means a number; LUTS, which come with the page, are matplotlib's own. DIM is not one of
// them: black that lets through what is below it, the more the greater the number.
import { clamp, scale } from '../numbers/scale.js';

const UNDEFINED = 128; // the grey of NaN, as in saved drawings
const MOST_PIXELS = 1200; // of a blended map's longer side
const palettes = {};
let scratch = null; // what maps are coloured on

export const DIM = 'dim';

export const colourMaps = () => Object.keys(LUTS);

/** The 256 colours of a colour map, and the grey of NaN last, each one number as image data holds it. */
function paletteOf(name) {
  palettes[name] ??= makePalette(name);
  return palettes[name];
}

function makePalette(name) {
  if (name === DIM) return dimPalette();
  const bytes = Uint8Array.from(atob(LUTS[name]), (letter) => letter.charCodeAt(0));
  return Uint32Array.from({ length: 257 }, (_, index) => {
    const colour = bytes.subarray(3 * index, 3 * index + 3);
    const [red, green, blue] = index < 256 ? colour : [UNDEFINED, UNDEFINED, UNDEFINED];
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian, as all machines with browsers are
  });
}

/** Black from opaque to clear, and the grey of NaN. */
function dimPalette() {
  const grey = (255 << 24) | (UNDEFINED << 16) | (UNDEFINED << 8) | UNDEFINED;
  return Uint32Array.from({ length: 257 }, (_, index) => {
    return (index < 256 ? (255 - index) << 24 : grey) >>> 0;
  });
}

/** A canvas of ``width`` by ``height`` pixels in the colours of the values that ``valueAt`` gives for each index. It is
 * the same one each time, to be drawn at once: to make one takes longer than to colour it. */
function coloured(width, height, [low, high], name, valueAt) {
  scratch ??= document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const context = scratch;
  context.canvas.width = width;
  context.canvas.height = height;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const palette = paletteOf(name);
  const perNumber = 256 / (high - low);
  for (let index = 0; index < pixels.length; index++) {
    const value = valueAt(index);
    const place = Number.isNaN(value) ? 256 : clamp(Math.floor((value - low) * perNumber), 0, 255);
    pixels[index] = palette[place];
  }
  context.putImageData(image, 0, 0);
  return context.canvas;
}

/** A map blended between its cells' centres, as a canvas. */
function blendedMap(map, range, name, width, height) {
  return coloured(width, height, range, name, (index) => {
    const row = ((Math.floor(index / width) + 0.5) / height) * map.height;
    const column = (((index % width) + 0.5) / width) * map.width;
    return blended(map, row, column);
  });
}

/** The value at a place of a map, blended bilinearly between the cells' centres; row and column count cells, with
 * fractions. */
function blended(map, row, column) {
  const y = clamp(row - 0.5, 0, map.height - 1);
  const x = clamp(column - 0.5, 0, map.width - 1);
  const top = Math.floor(y);
  const left = Math.floor(x);
  const bottom = Math.min(top + 1, map.height - 1);
  const right = Math.min(left + 1, map.width - 1);
  const valueOf = (r, c) => map.values[r * map.width + c];
  const upper = mixed(valueOf(top, left), valueOf(top, right), x - left);
  const lower = mixed(valueOf(bottom, left), valueOf(bottom, right), x - left);
  return mixed(upper, lower, y - top);
}

/** Two values blended; of a share of 0 the second may be NaN. */
function mixed(first, second, share) {
  return share === 0 ? first : first * (1 - share) + second * share;
}

/** A picture of a map with a pixel for each cell, as a canvas, to be drawn at once. */
export function cellsPicture({ values, height, width }, range, colours) {
  return coloured(width, height, range, colours, (index) => values[index]);
}

/** Draw a map into a box [x, y, width, height]. ``look`` says in which ``colours`` and whether ``smooth``, blended
 * between its cells. */
export function drawMap(context, map, range, look, [x, y, width, height]) {
  context.save();
  context.imageSmoothingEnabled = Boolean(look.smooth);
  context.drawImage(picture(map, range, look, width, height), x, y, width, height);
  context.restore();
}

function picture(map, range, look, width, height) {
  if (!look.smooth) return cellsPicture(map, range, look.colours);
  const ratio = Math.min(1, MOST_PIXELS / Math.max(width, height));
  const across = Math.max(1, Math.round(width * ratio));
  const down = Math.max(1, Math.round(height * ratio));
  return blendedMap(map, range, look.colours, across, down);
}

/** The colours of a colour map from left to right: from its first to its last, which stand for ``range`` [low, high], or
 * those of a ``part`` [low, high] of it. */
export function drawColours(context, name, width, height, range = [0, 1], part = range) {
  const valueOf = scale([0, 255], part);
  context.imageSmoothingEnabled = false;
  context.drawImage(coloured(256, 1, range, name, valueOf), 0, 0, width, height);
}
