// Pillow's Image.resize of 8-bit pictures, bit for bit. What a browser's canvas does instead moves gates by up to 0.8.
import { BITS, weightsOfLine } from './filters.js';

/**
 * A picture: ``pixels`` (height, width, bands) bytes, of which the first three bands are red, green and blue.
 * @typedef {{pixels: Uint8Array | Uint8ClampedArray, width: number, height: number, bands: number}} Picture
 */

const HALF = 2 ** (BITS - 1);

/** A Picture of another size, of the part in a ``box`` (left, top, right, bottom). ``filter``: see filters.js. */
export function resized(picture, width, height, filter = 'bilinear', box = wholeOf(picture)) {
  const [left, top, right, bottom] = box.map(Math.fround); // as Pillow takes it
  const isAsWide = width === picture.width && left === 0 && right === width;
  const isAsHigh = height === picture.height && top === 0 && bottom === height;
  const across = weightsOfLine(picture.width, left, right, width, filter);
  const down = weightsOfLine(picture.height, top, bottom, height, filter);
  const first = down.starts[0];
  const rows = down.starts[height - 1] + down.counts[height - 1] - first; // that are needed
  const narrow = isAsWide
    ? withoutFourth(picture, first, rows)
    : alongRows(picture, first, rows, across);
  return isAsHigh ? narrow : alongColumns(narrow, first, down);
}

export const wholeOf = ({ width, height }) => [0, 0, width, height];

/** Some rows of a picture, red, green and blue. */
function withoutFourth({ pixels, width, bands }, first, rows) {
  const from = pixels.subarray(first * width * bands, (first + rows) * width * bands);
  const taken = new Uint8ClampedArray(rows * width * 3);
  for (let place = 0, at = 0; place < taken.length; place += 3, at += bands) {
    taken[place] = from[at];
    taken[place + 1] = from[at + 1];
    taken[place + 2] = from[at + 2];
  }
  return { pixels: taken, width, height: rows, bands: 3 };
}

/** Some rows of a picture, resampled to another width. */
function alongRows({ pixels, width, bands }, first, rows, line) {
  const columns = line.starts.length;
  const made = new Uint8ClampedArray(rows * columns * 3);
  for (let row = 0, place = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, place += 3) {
      const begin = ((first + row) * width + line.starts[column]) * bands;
      weigh(pixels, begin, bands, line, column, made, place);
    }
  return { pixels: made, width: columns, height: rows, bands: 3 };
}

/** A picture, of whose rows the first ones are left out, resampled to another height. */
function alongColumns({ pixels, width }, first, line) {
  const height = line.starts.length;
  const made = new Uint8ClampedArray(height * width * 3);
  for (let row = 0, place = 0; row < height; row++)
    for (let column = 0; column < width; column++, place += 3) {
      const begin = ((line.starts[row] - first) * width + column) * 3;
      weigh(pixels, begin, width * 3, line, row, made, place);
    }
  return { pixels: made, width, height, bands: 3 };
}

/** Write the weighted sum of pixels, which begin somewhere and go on by a step, for one place of a line. */
function weigh(pixels, begin, step, { counts, weights, most }, index, to, place) {
  let [red, green, blue] = [HALF, HALF, HALF];
  const last = index * most + counts[index];
  for (let at = begin, entry = index * most; entry < last; entry++, at += step) {
    const weight = weights[entry];
    red += pixels[at] * weight;
    green += pixels[at + 1] * weight;
    blue += pixels[at + 2] * weight;
  }
  to[place] = red >> BITS; // clamped to a byte by the array
  to[place + 1] = green >> BITS;
  to[place + 2] = blue >> BITS;
}
