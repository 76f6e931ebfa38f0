// The weights of one network by name.
import { Fault } from './fault.js';

export class Weights {
  #tensors;
  #windows;

  /** ``tensors``: Map of {shape, values}, a Float32Array; ``windows``, those of convolutions: Map of {name, shape, bytes, isHalf}, the
   * bytes as their file has them. */
  constructor(tensors, windows) {
    this.#tensors = tensors;
    this.#windows = windows;
  }

  /** The tensor by a name; null if there is none. */
  find(name) {
    return this.#tensors.get(name) ?? null;
  }

  /** The tensor by a name. Throws a Fault if there is none: the network is another one than was said. */
  get(name) {
    return present(this.find(name));
  }

  /** A convolution's windows by a name, which are then no longer kept here. Throws a Fault if there are none. */
  take(name) {
    const windows = present(this.#windows.get(name));
    this.#windows.delete(name);
    return windows;
  }
}

function present(tensor) {
  if (!tensor) throw new Fault('fault_weights_of_another');
  return tensor;
}

/** Throw a Fault unless a tensor has as many numbers, or channels, as belong there. */
export function checkCount(count, expected) {
  if (count !== expected) throw new Fault('fault_weights_of_another');
}

/** Throw a Fault unless features have the shape of others, to which they are added. */
export function checkSame(features, others) {
  for (const side of ['channels', 'height', 'width']) checkCount(features[side], others[side]);
}
