// What pages of the lesson read of a layer.
import { digits } from '../numbers/format.js';

/** A step or a part of a layer by its name, an array; null if it was not kept. */
export function arrayOf(layer, name) {
  return layer.steps.find((step) => step.name === name) ?? layer[name] ?? null;
}

/** Whether all of these were kept. */
export const hasAll = (layer, names) => names.every((name) => arrayOf(layer, name));

/** A number of an array as it is printed. */
export function printed(array, index) {
  return digits(array.values[index], array.grain);
}

export const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** The kind of a layer's diagram, which is only what its paper says. */
export const kindOf = (layer, trace) => trace.diagrams[layer.diagram].kind;

/** The width and the height of a layer's cell, in pixels of what the network sees. */
export function cellSize({ box, width, height }, { seen }) {
  const [left, top, right, bottom] = box;
  const [seenLeft, seenTop, seenRight, seenBottom] = seen.box;
  const across = seen.size[1] / (seenRight - seenLeft);
  const down = seen.size[0] / (seenBottom - seenTop);
  return [((right - left) / width) * across, ((bottom - top) / height) * down];
}

/** The side in cells of the convolution that makes CBAM's map, as its diagram says. */
export function kernelOf(layer, trace) {
  const { sign } = trace.diagrams[layer.diagram].nodes.find(({ key }) => key === 'convolved');
  return Number(sign.flat(Infinity).join(' ').match(/\d+/)[0]);
}
