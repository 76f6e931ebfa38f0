// What saved files are called: by what is inside, photo · network · layer · figure.

const YOURS = 'yours:'; // begins the name of a visitor's own network, which is the key to it
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}]+/gu; // in a file's name, on one system or another
const LONGEST = 110;
const WHATS = { paper: 'figure', page: 'explore' }; // what a file is called by, where that says more

/** The name, without its ending, of a file of ``what``: 'screen', 'all', 'page', or a figure's name. */
export function nameOf({ trace, state }, what) {
  const photo = photoName(trace);
  const network = networkName(trace);
  const { tab, layer, channel, networks, photos } = state;
  const looked = {
    explore: [
      photo,
      network,
      what === 'all' ? 'all layers' : layer,
      what === 'channel' && `channel ${channel}`,
    ],
    networks: [photo, `${networks.length} networks`],
    photos: [network, layer, `${photos.length} photos`],
  }[tab];
  const isNamed = ['screen', 'all', 'channel', tab].includes(what);
  const parts = isNamed ? looked : [...looked, WHATS[what] ?? what];
  return joined(parts);
}

/** The same for what is of all layers of the network as it is. */
export function wholeName({ trace: { photo, asked, network } }, what) {
  return joined([photoName({ photo }), networkName({ asked, network }), what]);
}

const joined = (parts) =>
  parts.filter(Boolean).join(' · ').replace(FORBIDDEN, '-').slice(0, LONGEST);

const photoName = ({ photo }) => photo.name.replace(/\.[^.]+$/, '');

/** A network's name in a file's: that of its weights' file, of the visitor's own. */
function networkName({ asked, network, change }) {
  const name = asked.network.startsWith(YOURS)
    ? network.title.split(/\.\w+\b|:/)[0]
    : asked.network;
  return change ? `${name} changed` : name;
}
