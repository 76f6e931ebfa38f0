// A photo as a network takes it.
import { resized } from './resampling.js';

/** The part of a Picture in a region, resampled and normalised by a network's ``recipe``: {values: Float32Array
 * (3, height, width), height, width}. */
export function networkInput(picture, { box, size: [height, width] }, recipe) {
  const { pixels } = resized(picture, width, height, recipe.interpolation, box);
  const mean = recipe.mean.map(Math.fround);
  const std = recipe.std.map(Math.fround);
  const count = height * width;
  const values = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++)
    for (let position = 0; position < count; position++) {
      const share = Math.fround(pixels[3 * position + channel] / 255);
      const centred = Math.fround(share - mean[channel]);
      values[channel * count + position] = centred / std[channel];
    }
  return { values, height, width };
}
