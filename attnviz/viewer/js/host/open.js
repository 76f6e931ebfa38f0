// What is open in the worker: so many at once, the least recently used is closed for another.

export class Open {
  #most;
  #calls; // {open(name, options), close(name)}
  #names = []; // the least recently used first

  constructor(most, calls) {
    this.#most = most;
    this.#calls = calls;
  }

  /** Open what is not open yet. */
  async have(name, options) {
    const isOpen = this.#names.includes(name);
    if (!isOpen) await this.#calls.open(name, options);
    this.#names = [...this.#names.filter((other) => other !== name), name];
    while (this.#names.length > this.#most) await this.drop(this.#names[0]);
  }

  /** Close one, if it is open. */
  async drop(name) {
    if (!this.#names.includes(name)) return;
    this.#names = this.#names.filter((other) => other !== name);
    await this.#calls.close(name);
  }
}
