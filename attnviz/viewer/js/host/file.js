// The host of a saved file: the captures in it are all there is.
import { preferredLanguage } from '../app/languages.js';
import { mount } from '../app/viewer.js';
import { withNumbers } from '../files/inline.js';
import { HostError } from './host.js';

/** Show the captures of a file, from the state that it was saved with. */
export function savedFile(element, captures, state) {
  const viewer = mount(element, fileHost(captures, state), {
    language: preferredLanguage(navigator.language),
  });
  viewer.start();
  return viewer;
}

/** The host of captures, see host.js. Photos of one name that differ are told apart. */
export function fileHost(captures, state = {}) {
  const entries = withOwnNames(captures.map(withNumbers));
  const photos = uniqueBy(
    entries.map(({ asked, photo }) => ({
      photo: asked.photo,
      name: photo.name,
      thumbnail: photo.picture,
      credit: photo.credit,
    })),
    ({ photo }) => photo,
  );
  const networks = uniqueBy(
    entries.map(({ asked, network }) => ({
      name: asked.network,
      title: network.title,
      group: 'embedded',
      attention: null,
      isReady: true,
    })),
    ({ name }) => name,
  );
  return {
    async start() {
      const beside = entries.slice(1).map(({ asked }) => asked);
      return { capture: entries[0], networks, examples: photos, beside, state };
    },
    networks: async () => networks,
    examples: async () => photos,
    async capture({ photo, network, view }) {
      const both = entries.filter(
        ({ asked }) => asked.photo === photo && asked.network === network,
      );
      const found = both.find(({ asked }) => asked.view === view) ?? both[0];
      if (!found) throw new HostError();
      return found;
    },
  };
}

/** The captures, those of another picture by the same name under a name of their own. */
function withOwnNames(captures) {
  const pictures = new Map();
  return captures.map((capture) => {
    const known = pictures.get(capture.asked.photo) ?? [];
    pictures.set(capture.asked.photo, known);
    if (!known.includes(capture.photo.picture)) known.push(capture.photo.picture);
    const place = known.indexOf(capture.photo.picture);
    const photo = place ? `${capture.asked.photo} (${place + 1})` : capture.asked.photo;
    return { ...capture, asked: { ...capture.asked, photo } };
  });
}

function uniqueBy(list, keyOf) {
  return [...new Map(list.map((item) => [keyOf(item), item])).values()];
}
