// Frames of a camera, traced by workers of their own, so that one frame is computed beside another, and while a third is drawn.
import { SiteNetworks } from './networks.js';
import { startWorker } from './worker.js';

/** The workers, of which as many are started as there are frames at once. */
export class FrameWorkers {
  #site;
  #all = []; // promises of {ask, end, networks}
  #idle = [];

  constructor(site) {
    this.#site = site;
  }

  /** The capture of a frame, whose ``bitmap`` is taken away. Throws a Fault, or an AbortError if it was ended. */
  async trace({ bitmap, ...request }, options) {
    const idle = this.#idle; // after ``end`` there is another
    const worker = idle.pop() ?? this.#begun();
    try {
      const { ask, networks } = await worker;
      await networks.open(request.network, options);
      return await ask('frame', { ...request, bitmap }, [bitmap]);
    } finally {
      idle.push(worker);
    }
  }

  /** End all, and give their memory back. */
  async end() {
    const all = this.#all;
    this.#all = [];
    this.#idle = [];
    for (const worker of await Promise.allSettled(all)) worker.value?.end();
  }

  #begun() {
    const worker = startWorker(this.#site).then(({ ask, end }) => {
      return { ask, end, networks: new SiteNetworks(this.#site.networks, ask) };
    });
    this.#all.push(worker);
    return worker;
  }
}
