// The weights of one network by name: tensors {shape, values}, a Float32Array.
import { Fault } from './fault.js';

export class Weights {
  #tensors; // Map

  constructor(tensors) {
    this.#tensors = tensors;
  }

  /** The tensor by a name; null if there is none. */
  find(name) {
    return this.#tensors.get(name) ?? null;
  }

  /** The tensor by a name. Throws a Fault if there is none: the network is another one than was said. */
  get(name) {
    const tensor = this.find(name);
    if (!tensor) throw new Fault('fault_weights_of_another');
    return tensor;
  }

  /** The same, which is then no longer kept here. */
  take(name) {
    const tensor = this.get(name);
    this.#tensors.delete(name);
    return tensor;
  }
}

/** Throw a Fault unless a tensor has as many numbers, or channels, as belong there. */
export function checkCount(count, expected) {
  if (count !== expected) throw new Fault('fault_weights_of_another');
}
