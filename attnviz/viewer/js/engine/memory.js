// The memory that the code in WebAssembly reads and writes: a network's weights, and behind them the features of a pass. Each
// network has one of its own, which the browser takes back once nobody holds the network any more.

const PAGE = 65536; // bytes by which memory grows
const FIRST_PAGES = 16;
const ALIGNMENT = 16; // bytes
const SPARE = 64; // bytes, so that what is read in fours may end behind the last number

export class Memory {
  #memory;
  #end; // the first byte that is free
  code; // the functions of convolution.c, layers.c and weights.c

  /** A memory of ``module``, a compiled WebAssembly.Module of engine.wasm. */
  static async open(module) {
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES });
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return new Memory(memory, exports);
  }

  constructor(memory, { __heap_base: base, ...code }) {
    this.#memory = memory;
    this.#end = base.value;
    this.code = code;
  }

  /** Where room for so many numbers begins. Views of before are of no use after this: the memory may have moved. Throws a
   * RangeError where the browser has no more. */
  room(count) {
    const at = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    const end = at + 4 * count;
    const missing = end + SPARE - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#end = end;
    return at;
  }

  /** The numbers that begin somewhere, to be read and written until there is more room. */
  view(at, count) {
    return new Float32Array(this.#memory.buffer, at, count);
  }

  /** Where these numbers were put, or bytes, of whatever kind. */
  put(values) {
    const at = this.room(Math.ceil(values.byteLength / 4));
    new values.constructor(this.#memory.buffer, at, values.length).set(values);
    return at;
  }

  /** Do something, and take back all room that it took. */
  within(action) {
    const end = this.#end;
    try {
      return action();
    } finally {
      this.#end = end;
    }
  }

  /** Features (channels, height, width), whose numbers are still to be written. */
  features(channels, height, width) {
    return { channels, height, width, at: this.room(channels * height * width) };
  }

  /** The numbers of features, as ``view`` gives them. */
  read({ channels, height, width, at }) {
    return this.view(at, channels * height * width);
  }

  /** Move features to where others began that are of no use any more, and take back all room behind them. */
  moved(features, at) {
    const values = this.read(features);
    this.view(at, values.length).set(values);
    this.#end = at + values.byteLength;
    return { ...features, at };
  }

  /** How large it is now. */
  get bytes() {
    return this.#memory.buffer.byteLength;
  }
}
