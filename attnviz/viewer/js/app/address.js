// The address that brings a view back. It holds all that was set but a visitor's own photos and weights.
import { readEdits, writeEdits } from '../changes/edits.js';
import { FIRST_STATE, GALLERY_ORDERS } from './state.js';

const YOURS = 'yours:'; // begins the name of a visitor's own network, which is the key to it
const EXAMPLE = 'example:'; // begins the name of an example photo
const MOST_DIGITS = 5; // of a number

const isNumber = (text) => /^\d+$/.test(text) && text.length <= MOST_DIGITS;
const wholeNumber = (text) => (isNumber(text) ? Number(text) : null);
const share = (text) => (/^(0|1|0?\.\d+|1\.0+)$/.test(text) ? Number(text) : null);
const oneOf = (choices) => (text) => (choices.includes(text) ? text : null);
const flag = (text) => (text === '1' ? true : null);
const listed = (names) => names.join(',');
const split = (text) => (text ? text.split(',') : null);

/** What of the state stands in an address: its name there, how it is read (null for nonsense) and written. */
const PARAMETERS = {
  tab: { read: oneOf(['networks', 'photos']) },
  layer: { read: (text) => text || null },
  channel: { read: wholeNumber },
  pin: {
    name: 'cell',
    // people count cells from 1
    read: (text) => {
      const cell = text.split('-').map(wholeNumber);
      return cell.length === 2 && cell.every((place) => place > 0)
        ? cell.map((place) => place - 1)
        : null;
    },
    write: (pin) => pin.map((place) => place + 1).join('-'),
  },
  way: { read: (text) => oneOf(WAYS)(text) },
  present: { read: flag, write: Number },
  step: { read: wholeNumber },
  learn: { read: (text) => (/^[a-z_]{1,40}$/.test(text) ? text : null) },
  opacity: { read: share },
  wipe: { read: share },
  bare: { read: flag, write: Number },
  colours: { read: (text) => oneOf(Object.keys(LUTS))(text) },
  scale: { read: (text) => oneOf(SCALES)(text) },
  smooth: { read: flag, write: Number },
  grid: { read: flag, write: Number },
  order: { read: (text) => oneOf(ORDERS)(text) },
  top: { read: wholeNumber },
  gallery: { read: flag, write: Number },
  switches: { read: flag, write: Number },
  stairs: { read: oneOf(['usual', 'off']) },
  tiles: { read: oneOf(GALLERY_ORDERS) },
  networks: {
    read: split,
    write: (names) => listed(names.filter((name) => !name.startsWith(YOURS))),
    tab: 'networks',
  },
  compared: { read: readLayers, write: writeLayers, tab: 'networks' },
  photos: {
    read: (text) => split(text)?.map(asExample).filter(Boolean),
    write: (names) => listed(examples(names)),
    tab: 'photos',
  },
  a: { read: asExample, write: (name) => examples([name])[0], tab: 'photos' },
  b: { read: asExample, write: (name) => examples([name])[0], tab: 'photos' },
};

/** What an address asks for: {photo, network, view, edits, language, state}, what it does not name is absent. */
export function readAddress(address) {
  const query = new URL(address).searchParams;
  const photo = query.get('photo');
  const view = query.get('view');
  return {
    photo: (photo && asExample(photo)) || undefined,
    network: query.get('network') || undefined,
    view: view === 'crop' ? view : undefined,
    edits: query.has('edits') ? readEdits(query.get('edits')) : undefined,
    language: query.get('lang') || undefined,
    state: readState(query),
  };
}

function readState(query) {
  const state = {};
  for (const [key, { name = key, read }] of Object.entries(PARAMETERS)) {
    const value = query.has(name) ? read(query.get(name)) : null;
    if (value !== null && value !== undefined) state[key] = value;
  }
  return state;
}

/** The address of what ``viewer`` shows; what others put into it stays. */
export function addressOf({ state, trace, language }) {
  const url = new URL(location.href);
  const parameters = { ...askedParameters(trace.asked), ...stateParameters(state), lang: language };
  for (const name of [
    'network',
    'photo',
    'view',
    'edits',
    'lang',
    ...Object.keys(PARAMETERS),
    'cell',
  ])
    url.searchParams.delete(name);
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, value);
  return url.href;
}

function askedParameters({ network, photo, view, edits, example }) {
  return {
    network: network.startsWith(YOURS) ? null : network,
    photo: example ? photo.slice(EXAMPLE.length) : null,
    view: view === 'whole' ? null : view,
    edits: writeEdits(edits),
  };
}

/** What of the state is not as it is at first. */
function stateParameters(state) {
  const parameters = {};
  for (const [key, { name = key, write = String, tab }] of Object.entries(PARAMETERS)) {
    const value = state[key];
    const isFirst = value === FIRST_STATE[key] || value === null;
    if (!isFirst && (!tab || tab === state.tab)) parameters[name] = write(value);
  }
  return parameters;
}

/** The layers that are compared, by network; null if none is named. */
function readLayers(text) {
  const pairs = text.split(',').map((pair) => pair.split(':'));
  const layers = pairs.filter((pair) => pair.length === 2 && pair.every(Boolean));
  return layers.length ? Object.fromEntries(layers) : null;
}

function writeLayers(layers) {
  const others = Object.entries(layers).filter(([network]) => !network.startsWith(YOURS));
  return others.map((pair) => pair.join(':')).join(',');
}

/** The name of an example photo; null for what can't be one's. */
function asExample(name) {
  return /^[\w-]+$/.test(name) ? EXAMPLE + name : null;
}

/** The names of those photos that are examples. */
function examples(photos) {
  const names = photos.filter((photo) => photo?.startsWith(EXAMPLE));
  return names.map((photo) => photo.slice(EXAMPLE.length));
}
