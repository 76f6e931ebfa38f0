// What of a trace is shown, and how: the state of a viewer.
import { weightsOf } from './analysis.js';
import { MOST_NETWORKS } from './networks.js';
import { MOST_PHOTOS } from './photos.js';

const OPENING = ['layer4.0', 'bam3']; // of the embedded networks' maps the ones that tell most at a glance
const FIRST_PHOTOS = 3; // that are compared

export const FIRST_STATE = {
  tab: 'explore', // or 'networks', 'photos'
  layer: null, // its name
  channel: null, // its number
  pin: null, // the pinned cell, [row, column]
  opacity: 0.6,
  wipe: 0, // where the map begins, 0 to 1
  colours: 'viridis',
  scale: 'fixed', // one of SCALES
  smooth: false,
  grid: false,
  order: 'index', // one of ORDERS
  top: 5, // channels that are named
  networks: [], // that are compared, by name
  photos: [], // that are compared
  block: 'last', // or 'first': which layer of a stage is compared
  a: null, // the photo whose weights are compared
  b: null, // the photo that they are compared with
};

/** What is forgotten together with a visitor's photos. */
export const FORGOTTEN = {
  networks: [],
  photos: [],
  channel: null,
  pin: null,
  a: null,
  b: null,
  tab: 'explore',
};

/** The layer that a trace opens with: the wanted one; else one of the same stage as the layer shown ``before``; else
 * the one that tells most; null if there is none. */
export function openingLayer(trace, wanted, before) {
  const { layers } = trace;
  return (
    layers.find(({ name }) => name === wanted) ??
    layers.find(({ stage }) => stage && stage === before?.stage) ??
    layers.find(({ name }) => OPENING.includes(name)) ??
    layers.findLast(({ map }) => map) ??
    layers.at(-1) ??
    null
  );
}

/** The channel, if the layer has it; else null. */
export function channelOn(layer, channel) {
  const count = layer ? (weightsOf(layer)?.length ?? 0) : 0;
  return channel !== null && channel < count ? channel : null;
}

/** The pinned cell, if the layer's map has it; else null. */
export function pinOn(layer, pin) {
  return pin && layer?.map && pin[0] < layer.height && pin[1] < layer.width ? pin : null;
}

/** Choose what is compared with a trace, where nothing is chosen yet; its own photo is always among it. */
export function chooseCompared(state, trace, networks, photos) {
  const names = networks.slice(0, MOST_NETWORKS).map(([name]) => name);
  if (!state.networks.length) state.networks = names;
  if (!state.photos.length) state.photos = photos.slice(0, FIRST_PHOTOS).map(({ photo }) => photo);
  const { photo } = trace.asked;
  if (!state.photos.includes(photo)) state.photos = [photo, ...state.photos].slice(0, MOST_PHOTOS);
}
