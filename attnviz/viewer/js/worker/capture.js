// What a pass computed, as the app takes it: a Capture of host/host.js with its layers' arrays in place, which viewer/encoding.py
// makes of a trace on the server.
import { mapBox } from '../pixels/geometry.js';
import { doubtOf, topOf } from './answer.js';

const MOST_LABELS = 12; // classes whose names are told
const SPARE = 1e-4; // that a factor may go beyond a limit
const OF_POSITIONS = /_map$|^spatial_/; // names of steps that are maps

/** The Capture of a ``request``; ``about`` is what the site says of the network, ``changes`` what was changed of its gates (see
 * engine/edits.js), absent for nothing. */
export function captureOf({ request, photo, region, about, logits, layers, changes = null }) {
  const { title, labels, accuracy, mechanism, doubts } = about;
  const { network, photo: name, view, edits } = request;
  const isJoint = (layer) => Boolean(changes?.[layer.name].joint);
  const forms = [...new Set(layers.map(isJoint))]; // of the mechanism, in the order of their diagrams
  return {
    asked: { network, photo: name, view, ...(changes ? { edits } : {}) },
    network: {
      name: changes ? `${network} (changed network)` : network,
      title,
      classes: labels.length,
      labels: labels.length <= MOST_LABELS ? labels : [],
      accuracy,
    },
    photo: { width: photo.width, height: photo.height },
    seen: { ...region, whole: view === 'whole', forced: false },
    logits,
    top: topOf(logits, labels),
    doubt: changes ? null : doubtOf(logits, doubts[view]),
    diagrams: forms.map((form) => (form ? mechanism.joint : mechanism).diagram),
    layers: layers.map((layer) => ({
      ...describedLayer(layer, isJoint(layer) ? mechanism.joint : mechanism, region),
      kind: mechanism.kind,
      title: mechanism.title,
      diagram: forms.indexOf(isJoint(layer)),
    })),
  };
}

function describedLayer(layer, { formula, averaged, limits: usual }, region) {
  const { name, channels, height, width, channel, spatial } = layer;
  const limits = wideEnough(usual, channel, spatial);
  return {
    name,
    stage: /\d+/.exec(name)[0],
    channels,
    height,
    width,
    formula,
    averaged,
    shares: false,
    spatial: Boolean(spatial),
    limits,
    mapLimits: limits,
    box: mapBox(region, height, width),
    ...arraysOf(layer, formula),
  };
}

/** The limits, or the next whole numbers beyond them where a factor goes further. */
function wideEnough([low, high], ...parts) {
  const values = parts.filter(Boolean);
  const least = Math.min(...values.map(leastOf));
  const greatest = Math.max(...values.map(greatestOf));
  return [Math.min(low, Math.floor(least + SPARE)), Math.max(high, Math.ceil(greatest - SPARE))];
}

const leastOf = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);
const greatestOf = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

/** The arrays of a layer, {values, height, width, grain, isMap}: nothing is quantised here. A joint gate that was changed is made of its
 * branches no more. */
function arraysOf(layer, formula) {
  const { height, width, channel, spatial, sizes, steps } = layer;
  const { channelLogits, spatialLogits } = formula === 'joint' ? {} : layer;
  const vector = (values) => ({ values, height: 1, width: values.length, grain: 0 });
  const map = (values) => ({ values, height, width, grain: 0, isMap: true });
  const arrays = { channel: vector(channel), sizes: vector(sizes) };
  if (spatial) arrays.map = map(spatial);
  if (channelLogits) arrays.channel_logits = vector(channelLogits);
  if (spatialLogits) arrays.spatial_logits = map(spatialLogits);
  arrays.steps = steps.map(([name, values]) => ({
    name,
    ...(OF_POSITIONS.test(name) ? map(values) : vector(values)),
  }));
  return arrays;
}
