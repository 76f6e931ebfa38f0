// What of a trace is shown, and how: the state of the app.
import { withFirst } from '../compare/choosing.js';
import { MOST_NETWORKS } from '../compare/networks.js';
import { MOST_PHOTOS } from '../compare/photos.js';
import { weightsOf } from '../numbers/analysis.js';
import { mostChangedChannel, unevenness } from '../what/change.js';

const FIRST_PHOTOS = 3; // that are compared

export const GALLERY_ORDERS = ['change', 'size', 'index'];

export const FIRST_STATE = {
  tab: 'explore', // or 'networks', 'photos'
  layer: null, // its name
  channel: null, // its number
  pin: null, // the chosen cell, [row, column]
  around: null, // how many cells a side are framed around the chosen one
  way: 'dim', // one of WAYS: how the map is drawn on the photo
  present: false, // whether the mechanism is shown to a hall
  step: 1, // which node of it is lit then
  learn: null, // the page of the lesson that is open, by its name
  before: null, // what was shown before the lesson, see learn/lesson.js
  lessonPhoto: null, // the photo of all pages of the lesson but those that ask for another
  opacity: 0.6,
  wipe: 0, // where the map begins, 0 to 1
  bare: false, // whether the photo is shown without its map
  colours: 'viridis',
  scale: 'fixed', // one of SCALES
  smooth: false,
  grid: false,
  order: 'size', // one of ORDERS
  top: 4, // channels that are named
  gallery: false, // whether all channels are shown
  tiles: 'change', // in which order, one of GALLERY_ORDERS
  switches: false, // whether the strip has a switch for each layer's gates
  stairs: null, // how every layer is changed in turn, 'usual' or 'off', where that is shown
  brush: { isOn: false, value: 0, size: 1 }, // what sets cells of the map, and how many cells a side it has
  networks: [], // that are compared, by name
  photos: [], // that are compared
  compared: {}, // the layer that is compared of a network, where it was chosen: by the network's name
  a: null, // the photo whose weights are compared
  b: null, // the photo that they are compared with
};

/** What is forgotten together with a visitor's photos. */
export const FORGOTTEN = {
  networks: [],
  compared: {},
  photos: [],
  channel: null,
  pin: null,
  a: null,
  b: null,
  tab: 'explore',
};

/** The layer that a trace opens with: the wanted one; else one of the same stage as the layer shown ``before``; else
 * the one that lets pass most unevenly, among those with a map if there are any, whatever the padding does at its edges;
 * null if there is none. */
export function openingLayer(trace, wanted, before) {
  const { layers } = trace;
  return (
    layers.find(({ name }) => name === wanted) ??
    layers.find(({ stage }) => stage && stage === before?.stage) ??
    mostUneven(layers)
  );
}

function mostUneven(layers) {
  const mapped = layers.filter(({ map, shares }) => map && !shares);
  const candidates = mapped.length ? mapped : layers;
  let best = null;
  for (const layer of candidates) if (!best || unevenness(layer) > unevenness(best)) best = layer;
  return best;
}

/** The channel that a layer opens with: the one that its gate changes most; null if it has none. */
export function openingChannel(layer) {
  return layer && weightsOf(layer) ? mostChangedChannel(layer) : null;
}

/** The channel, if the layer has it; else null. */
export function channelOn(layer, channel) {
  const count = layer ? (weightsOf(layer)?.length ?? 0) : 0;
  return channel !== null && channel < count ? channel : null;
}

/** The chosen cell, if the layer's map has it; else null. */
export function pinOn(layer, pin) {
  return pin && layer?.map && pin[0] < layer.height && pin[1] < layer.width ? pin : null;
}

/** Choose what is compared with a trace, where nothing is chosen yet; its own photo and network are always the first. */
export function chooseCompared(state, trace, networks, photos) {
  const { photo, network } = trace.asked;
  const names = networks.filter(({ isReady }) => isReady).map(({ name }) => name);
  const firstPhotos = photos.slice(0, FIRST_PHOTOS).map((other) => other.photo);
  const chosenNetworks = state.networks.length ? state.networks : names;
  const chosenPhotos = state.photos.length ? state.photos : firstPhotos;
  state.networks = withFirst(network, chosenNetworks, MOST_NETWORKS);
  state.photos = withFirst(photo, chosenPhotos, MOST_PHOTOS);
}
