// The networks of a page without a server: each is fetched when it is first chosen, and a few at a time are open in the worker.
import { Fault } from '../engine/fault.js';
import { EDITS } from './changing.js';
import { bytesOf } from './files.js';
import { Open } from './open.js';
import { unpacked } from './packing.js';

const MOST_OPEN = 4;

/** The networks that a site has, as viewer/site writes them. */
export class SiteNetworks {
  #rows;
  #ask;
  #open;
  #withUsual = new Set(); // names of those open whose usual gates the worker has

  constructor(rows, ask) {
    this.#rows = rows;
    this.#ask = ask;
    this.#open = new Open(MOST_OPEN, {
      open: async (name, options) => {
        const bytes = await this.#weights(this.find(name), options);
        await ask('openNetwork', { name, about: this.find(name), bytes }, [bytes.buffer]);
      },
      close: (name) => {
        this.#withUsual.delete(name);
        return ask('closeNetwork', { name });
      },
    });
  }

  find(name) {
    return this.#rows.find((row) => row.name === name);
  }

  /** As the app takes them. */
  offered() {
    return this.#rows.map(({ name, title, attention, usual }) => ({
      name,
      title,
      attention,
      group: 'embedded',
      isReady: true,
      edits: usual ? EDITS : EDITS.filter((edit) => edit !== 'usual'),
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

  /** Have the worker know what is usual for the gates of a network that is open. Throws a Fault. */
  async openUsual(name, { signal } = {}) {
    const { usual } = this.find(name);
    if (!usual) throw new Fault('fault_usual_unknown');
    if (this.#withUsual.has(name)) return;
    const bytes = await unpacked(await bytesOf(usual.path, { signal }));
    await this.#ask('putUsual', { name, bytes }, [bytes.buffer]);
    this.#withUsual.add(name);
  }

  async #weights({ weights, bytes: total }, options) {
    const damaged = 'fault_weights_damaged';
    return unpacked(await bytesOf(weights, { ...options, total, damaged }));
  }
}
