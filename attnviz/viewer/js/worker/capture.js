// What a pass computed, as the app takes it: a Capture of host/host.js with its layers' arrays in place, which viewer/encoding.py
// makes of a trace on the server.
import { mapBox } from '../pixels/geometry.js';
import { doubtOf, topOf } from './answer.js';

const MOST_LABELS = 12; // classes whose names are told
const OF_POSITIONS = /_map$|^spatial_/; // names of steps that are maps

/** The Capture of a ``request``; ``about`` is what the site says of the network. */
export function captureOf({ request, photo, region, about, logits, layers }) {
  const { title, labels, accuracy, mechanism, doubts } = about;
  const { network, photo: name, view } = request;
  return {
    asked: { network, photo: name, view },
    network: {
      name: network,
      title,
      classes: labels.length,
      labels: labels.length <= MOST_LABELS ? labels : [],
      accuracy,
    },
    photo: { width: photo.width, height: photo.height },
    seen: { ...region, whole: view === 'whole', forced: false },
    logits,
    top: topOf(logits, labels),
    doubt: doubtOf(logits, doubts[view]),
    diagrams: mechanism ? [mechanism.diagram] : [],
    layers: layers.map((layer) => describedLayer(layer, mechanism, region)),
  };
}

function describedLayer(layer, { kind, title, formula, averaged, limits }, region) {
  const { name, channels, height, width, spatial } = layer;
  return {
    name,
    kind,
    title,
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
    diagram: 0,
    ...arraysOf(layer),
  };
}

/** The arrays of a layer, {values, height, width, grain, isMap}: nothing is quantised here. */
function arraysOf({ height, width, channel, spatial, channelLogits, spatialLogits, sizes, steps }) {
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
