// The networks of a page without a server: each is fetched when it is first chosen, and a few at a time are open in the worker.
import { Fault } from '../engine/fault.js';
import { bytesOf, checkSum } from './files.js';
import { Open } from './open.js';
import { unpacked } from './packing.js';

const MOST_OPEN = 4;

/** The networks that a site has, as viewer/site writes them. */
export class SiteNetworks {
  #rows;
  #open;

  constructor(rows, ask) {
    this.#rows = rows;
    this.#open = new Open(MOST_OPEN, {
      open: async (name, options) => {
        const bytes = await this.#weights(this.find(name), options);
        await ask('openNetwork', { name, about: this.find(name), bytes }, [bytes.buffer]);
      },
      close: (name) => ask('closeNetwork', { name }),
    });
  }

  find(name) {
    return this.#rows.find((row) => row.name === name);
  }

  /** As the app takes them. */
  offered() {
    return this.#rows.map(({ name, title, attention }) => ({
      name,
      title,
      attention,
      group: 'embedded',
      isReady: true,
    }));
  }

  /** The examples that a network is shown with: [{photo, outside}]. */
  examplesOf(name) {
    return this.find(name).examples;
  }

  /** Have a network open in the worker. Throws a Fault. */
  async open(name, options) {
    if (!this.find(name)) throw new Fault('fault_network_unknown', { name });
    await this.#open.have(name, options);
  }

  async #weights({ weights, bytes: total, sha256 }, options) {
    const bytes = await unpacked(await bytesOf(weights, { ...options, total }));
    await checkSum(bytes, sha256);
    return bytes;
  }
}
