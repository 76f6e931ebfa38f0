// What is compared with the trace that is shown: its photo in other networks, its network with other photos.
import { collection } from './collection.js';

/** What ``viewer`` compares. */
export class Compared {
  #viewer;
  beside = []; // requests whose traces belong to the one shown: those of a file that holds several

  constructor(viewer) {
    this.#viewer = viewer;
    this.networks = collection(viewer, () =>
      viewer.state.networks.map((network) => ({ ...this.#asked(), network })),
    );
    this.photos = collection(viewer, () =>
      viewer.state.photos.map((photo) => ({ ...this.#asked(), photo })),
    );
  }

  #asked() {
    const { photo, network, view } = this.#viewer.trace.asked;
    return { photo, network, view };
  }

  /** Ask for what is compared in the tab that is shown. */
  open() {
    const { tab } = this.#viewer.state;
    if (tab === 'networks') this.networks.open();
    if (tab === 'photos') this.photos.open();
  }

  forget() {
    this.networks.forget();
    this.photos.forget();
  }

  /** The traces that the one shown is compared with: its photo in other networks, its network with other photos; in a
   * file that holds several, those. */
  traces() {
    const { captures, trace } = this.#viewer;
    const { network, photo, view } = trace.asked;
    const isOther = ({ asked }) => asked.network !== network || asked.photo !== photo;
    const beside = this.beside.map((request) => captures.peek(request)).filter(Boolean);
    if (beside.length) return captures.all().filter(isOther);
    const others = [
      ...this.networks
        .traces()
        .filter(({ asked }) => asked.network !== network && asked.photo === photo),
      ...this.photos
        .traces()
        .filter(({ asked }) => asked.network === network && asked.photo !== photo),
    ];
    return others.filter(({ asked }) => asked.view === view);
  }
}
