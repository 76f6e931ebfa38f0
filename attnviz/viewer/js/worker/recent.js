// What was made of late, by a key: the least recently used goes first.

export class Recent {
  #most;
  #made = new Map();

  constructor(most) {
    this.#most = most;
  }

  /** What was made for a key, or is made now. */
  get(key, make) {
    const made = this.#made.has(key) ? this.#made.get(key) : make();
    this.#made.delete(key);
    this.#made.set(key, made);
    if (this.#made.size > this.#most) this.#made.delete(this.#made.keys().next().value);
    return made;
  }

  /** Let go of all. */
  clear() {
    this.#made.clear();
  }
}
