// Pages of the lesson on CBAM: its gate of channels, its map, and the map's edges.
import { digits } from '../numbers/format.js';
import {
  fullestChannel,
  greatestCell,
  greatestChannel,
  innerCell,
  unevenFirst,
} from './choosing.js';
import { ofNumbers } from './question.js';
import { arrayOf, cellSize, hasAll, kernelOf, kindOf, printed, sigmoid } from './reading.js';
import { nodeOf } from './se.js';

const OPEN = [0.1, 0.9]; // a gate between these is neither shut nor open
const COARSE = 40; // cells a side, at most
const MOVES = 0.05; // a gate by which one path moves it, at least

/** Whether a layer's gate of channels joins two paths. */
const hasPaths = (layer, trace) =>
  kindOf(layer, trace) === 'cbam' &&
  hasAll(layer, ['average', 'average_logits', 'maximum', 'maximum_logits']);

/** Whether a layer has a gate of positions that sees what the channels' gate lets through, as in the paper. */
const hasMap = (layer, trace) =>
  kindOf(layer, trace) === 'cbam' && layer.spatial && isInOrder(trace.diagrams[layer.diagram]);
const isInOrder = ({ edges }) =>
  edges.some(([start, end]) => start === 'weighed' && end === 'mean_map');

export const poolsPage = {
  name: 'pools',
  kinds: ['cbam'],
  fits: hasPaths,
  choose(trace) {
    const layers = unevenFirst(trace, hasPaths);
    const moved = (layer, channel) =>
      Math.abs(withoutMaximum(layer, channel) - layer.channel.values[channel]);
    const isTelling = (layer, channel) => {
      const gate = layer.channel.values[channel];
      return gate > OPEN[0] && gate < OPEN[1] && moved(layer, channel) >= MOVES;
    };
    return fullestChannel(layers, isTelling) ?? greatestChannel(layers[0], moved);
  },
  parts: [...['channel_gate', 'average', 'maximum', 'sum'].map(nodeOf), '.av-mechanism .av-frame'],
  formulas: [['channel_gate', 'example']],
  ask({ state: { channel } }, layer) {
    const gate = layer.channel.values[channel];
    const answer = withoutMaximum(layer, channel);
    const text = printed(layer.channel, channel);
    const names = ['average', 'average_logits', 'maximum', 'maximum_logits'];
    const parts = names.map((name) => [name, printed(arrayOf(layer, name), channel)]);
    return {
      values: { channel, gate: text, answer: digits(answer), ...Object.fromEntries(parts) },
      ...ofNumbers([
        [answer, digits(answer)],
        [gate, text],
        [0, digits(0)],
        [gate / 2, digits(gate / 2)],
      ]),
    };
  },
};

/** What a channel's gate would be if the path of its maximum ended at 0. */
function withoutMaximum(layer, channel) {
  return sigmoid(arrayOf(layer, 'average_logits').values[channel]);
}

export const mapPage = {
  name: 'map',
  kinds: ['cbam'],
  fits: hasMap,
  choose(trace) {
    const [layer] = unevenFirst(trace, hasMap);
    const around = kernelOf(layer, trace);
    return {
      layer: layer.name,
      pin: innerCell(layer, around),
      around,
      grid: isCoarse(layer),
    };
  },
  parts: [
    '[data-part=map]',
    ...['mean_map', 'maximum_map', 'convolved', 'spatial_gate'].map(nodeOf),
  ],
  formulas: [['spatial_gate', 'example']],
  ask({ trace, state }, layer) {
    const { channels, height, width } = layer;
    const [row, column] = state.pin ?? greatestCell(layer);
    const kernel = kernelOf(layer, trace);
    const cell = cellSize(layer, trace).map(Math.round);
    const [inputHeight, inputWidth] = trace.seen.size;
    const area = ([across, down]) => [across * down, `${across} × ${down}`];
    const seen = [inputWidth, inputHeight];
    return {
      values: {
        layer: layer.name,
        channels,
        height,
        width,
        kernel,
        cells: height * width,
        row: row + 1,
        column: column + 1,
        value: printed(layer.map, row * width + column),
        input: seen.join(' × '),
        cell: cell.join(' × '),
      },
      ...ofNumbers([cell, [1, 1], [kernel, kernel], seen].map(area)),
    };
  },
};

export const edgesPage = {
  name: 'edges',
  kinds: ['cbam'],
  fits: hasMap,
  choose(trace) {
    const layers = unevenFirst(trace, hasMap);
    const coarse = layers.filter(isCoarse);
    const layer = coarse.find(edgeOf) ?? coarse[0] ?? layers[0];
    return { layer: layer.name, pin: [0, 0], around: kernelOf(layer, trace), grid: true };
  },
  parts: ['[data-part=map]'],
  formulas: [],
  ask({ trace, say }, layer) {
    const kernel = kernelOf(layer, trace);
    const reach = (kernel + 1) / 2; // cells inside, in each direction
    const rows = Math.min(reach, layer.height);
    const columns = Math.min(reach, layer.width);
    const all = kernel * kernel;
    const inside = rows * columns;
    const edge = edgeOf(layer);
    const values = {
      layer: layer.name,
      kernel,
      all,
      rows,
      columns,
      inside,
      outside: all - inside,
      sides: edge?.sides.map((side) => say(`side_${side}`)).join(', '),
      jump: digits(edge?.jump ?? NaN, 0, 2),
    };
    const counts = [all - inside, 0, (all - 1) / 2, all].map((count) => [count, String(count)]);
    return { values, ...ofNumbers(counts), more: edge ? 'learn_edges_seen' : 'learn_edges_unseen' };
  },
};

/** Whether a layer's cells can be told apart in a picture of its map. */
const isCoarse = ({ height, width }) => Math.max(height, width) <= COARSE;

/** What is known of an edge that the padding makes in a layer's map. */
const edgeOf = ({ badges }) => badges.find(({ kind }) => kind === 'edge');
