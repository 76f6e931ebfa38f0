// Photos of more than two megapixels are made smaller before anything else, as photos/decoding.py does it.
import { resized } from './resampling.js';
import { roundHalfEven } from './rounding.js';

const KEPT_PIXELS = 2_000_000;

/** A Picture of at most two megapixels. */
export function shrunk(picture) {
  const scale = Math.sqrt(KEPT_PIXELS / (picture.width * picture.height));
  if (scale >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(1, roundHalfEven(side * scale)),
  );
  const factor = Math.trunc(1 / scale);
  const from = factor < 2 ? picture : reduced(picture, Math.min(factor, picture.width), factor);
  return resized(from, width, height, Math.min(width, height) === 1 ? 'box' : 'bicubic');
}

/** Pillow's Image.reduce: the means of blocks of so many pixels across and down, of fewer at the edges. */
export function reduced(picture, across, down) {
  const width = Math.ceil(picture.width / across);
  const height = Math.ceil(picture.height / down);
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let row = 0, place = 0; row < height; row++)
    for (let column = 0; column < width; column++, place += 3) {
      const block = {
        left: column * across,
        top: row * down,
        right: Math.min(picture.width, (column + 1) * across),
        bottom: Math.min(picture.height, (row + 1) * down),
      };
      putMean(picture, block, pixels, place);
    }
  return { pixels, width, height, bands: 3 };
}

function putMean({ pixels, width, bands }, { left, top, right, bottom }, to, place) {
  let [red, green, blue] = [0, 0, 0];
  for (let row = top; row < bottom; row++)
    for (let at = (row * width + left) * bands; at < (row * width + right) * bands; at += bands) {
      red += pixels[at];
      green += pixels[at + 1];
      blue += pixels[at + 2];
    }
  const count = (right - left) * (bottom - top);
  to[place] = quotient(red, count);
  to[place + 1] = quotient(green, count);
  to[place + 2] = quotient(blue, count);
}

/** A sum by a count, rounded as Reduce.c does it: multiplied with 2^24 / count, which it keeps in single precision. */
function quotient(sum, count) {
  const multiplier = Math.trunc(Math.fround(2 ** 24 / count));
  return Math.trunc(((sum + (count >> 1)) * multiplier) / 2 ** 24);
}
