// The numbers of figures as tables, with the columns that export/tables.py gives them. Traces are captures with a ``photo`` and
// a ``network``, and the layers' arrays in place.
import { summary, weightsOf } from '../numbers/analysis.js';
import { table } from './csv.js';

const SHOWN_AS_STEPS = ['channel_logits', 'spatial_logits', 'channel', 'map'];

/** One row a channel of each trace's layers, [[trace, layers]]. */
export function channelsTable(traces) {
  const rows = traces.flatMap(([trace, layers]) =>
    layers.flatMap(({ name, channel }) =>
      Array.from(channel.values, (weight, index) => [...namesOf(trace), name, index, weight]),
    ),
  );
  return table(['photo', 'network', 'layer', 'channel', 'weight'], rows);
}

const namesOf = ({ photo, network }) => [photo.name, network.name];

/** One row a cell of a layer's map. */
export function mapTable({ map }) {
  const rows = Array.from(map.values, (value, index) => [...cellOf(map, index), value]);
  return table(['row', 'column', 'gate'], rows);
}

/** Row and column, both from 1. */
const cellOf = ({ width }, index) => [Math.floor(index / width) + 1, (index % width) + 1];

/** One row a channel of a layer. */
export const weightsTable = (layer) =>
  table(
    ['channel', 'gate'],
    Array.from(weightsOf(layer), (weight, index) => [index, weight]),
  );

/** One row a position of one channel, whose features are {before, after}. */
export function channelTable({ before, after }, gateAt) {
  const rows = Array.from(before.values, (value, index) => [
    ...cellOf(before, index),
    value,
    gateAt(index),
    after.values[index],
  ]);
  return table(['row', 'column', 'before', 'gate', 'after'], rows);
}

/** One row a number of each step of a layer, and of its gates. */
export function stepsTable(layer) {
  const gates = SHOWN_AS_STEPS.filter((part) => layer[part]).map((part) => ({
    ...layer[part],
    name: part === 'map' ? 'spatial' : part,
  }));
  const rows = [...layer.steps, ...gates].flatMap(({ name, values, width, isMap }) =>
    Array.from(values, (value, index) =>
      isMap ? [name, ...cellOf({ width }, index), '', value] : [name, '', '', index, value],
    ),
  );
  return table(['step', 'row', 'column', 'channel', 'value'], rows);
}

/** One row a class, [label, probability], the most like first. */
export const answersTable = (answers) => table(['class', 'probability'], answers);

/** One row a layer of each trace, [[trace, layers]]. */
export function layersTable(traces) {
  const rows = traces.flatMap(([trace, layers]) =>
    layers.map((layer) => {
      const weights = summary(weightsOf(layer) ?? [], layer.kind);
      const map = summary(layer.map?.values ?? [], layer.kind);
      const numbers = [weights.mean, weights.std, map.least, map.greatest];
      return [...namesOf(trace), layer.name, ...numbers];
    }),
  );
  const ofWeights = ['weights mean', 'weights standard deviation'];
  return table(['photo', 'network', 'layer', ...ofWeights, 'map least', 'map greatest'], rows);
}

/** One row a channel of one layer over photos, [[trace, layer]]. */
export function photosTable(ofLayer) {
  const weights = ofLayer.map(([, layer]) => weightsOf(layer));
  const rows = Array.from(weights[0], (_, channel) => {
    const own = weights.map((values) => values[channel]);
    const { mean, std } = summary(own);
    return [channel, mean, std, ...own];
  });
  const names = ofLayer.map(([{ photo }]) => photo.name);
  return table(['channel', 'mean', 'standard deviation', ...names], rows);
}

/** One row a channel of two layers. */
export function pairTable(a, b) {
  const [ofA, ofB] = [a, b].map(weightsOf);
  const rows = Array.from(ofA, (weight, channel) => [
    channel,
    weight,
    ofB[channel],
    ofB[channel] - weight,
  ]);
  return table(['channel', 'a', 'b', 'difference'], rows);
}
