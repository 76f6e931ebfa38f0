// The address that brings a view back.

const NAMES = [
  'network',
  'photo',
  'view',
  'layer',
  'channel',
  'tab',
  'networks',
  'block',
  'photos',
  'a',
  'b',
  'lang',
];
const YOURS = 'yours:'; // begins the name of a visitor's checkpoint, which is the key to it
export const EXAMPLE = 'example:'; // begins the name of an example photo

/** The address of what ``viewer`` shows. It has only names of ours, never a photo or a checkpoint of the visitor's. */
export function linkTo({ state, trace, language }) {
  const url = new URL(location.href);
  for (const name of NAMES) url.searchParams.delete(name);
  const parameters = {
    ...shownParameters(trace, state),
    ...comparedParameters(state),
    lang: language,
  };
  for (const name of NAMES) {
    const value = parameters[name] ?? '';
    if (value !== '') url.searchParams.set(name, value);
  }
  return url.href;
}

function shownParameters({ asked }, { layer, channel, tab }) {
  return {
    network: asked.network.startsWith(YOURS) ? null : asked.network,
    photo: asked.example ? asked.photo.slice(EXAMPLE.length) : null,
    view: asked.view === 'whole' ? null : asked.view,
    layer,
    channel,
    tab: tab === 'explore' ? null : tab,
  };
}

function comparedParameters({ tab, networks, block, photos, a, b }) {
  if (tab === 'networks')
    return {
      networks: networks.filter((name) => !name.startsWith(YOURS)).join(','),
      block: block === 'first' ? 'first' : null,
    };
  if (tab === 'photos')
    return { photos: examples(photos).join(','), a: examples([a])[0], b: examples([b])[0] };
  return {};
}

/** The names of those photos that are examples. */
function examples(photos) {
  const names = photos.filter((photo) => photo?.startsWith(EXAMPLE));
  return names.map((photo) => photo.slice(EXAMPLE.length));
}
