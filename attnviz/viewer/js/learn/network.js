// Pages of the lesson on the network as a whole: its layers, and what a gate says of the answer.
import { digits, percent } from '../numbers/format.js';
import { weightsOf } from '../numbers/analysis.js';
import { greatestCell, unevenFirst } from './choosing.js';
import { ofWords } from './question.js';
import { cellSize, printed } from './reading.js';

/** Whether a network's cells become larger from its first layer with gates to its last. */
const growsCoarser = (trace) => {
  const { layers } = trace;
  return timesCoarser(trace).every((times) => times > 1) && layers.length > 1;
};

/** How many cells of the first layer one of the last covers, across and down. */
function timesCoarser(trace) {
  const [first, last] = [trace.layers[0], trace.layers.at(-1)].map((layer) =>
    cellSize(layer, trace),
  );
  return last.map((side, place) => Math.round(side / first[place]));
}

export const depthPage = {
  name: 'depth',
  kinds: ['cbam', 'bam', 'se'],
  fits: (_, trace) => growsCoarser(trace),
  choose: ({ layers }) => ({ layer: layers[Math.floor((layers.length - 1) / 2)].name }),
  parts: ['[data-part=strip]'],
  formulas: [],
  ask({ trace, say }, layer) {
    const { layers } = trace;
    const later = layers.length - 1 - layers.indexOf(layer);
    const [first, last] = [layers[0], layers.at(-1)];
    const values = {
      count: layers.length,
      later,
      layer: layer.name,
      times: timesCoarser(trace).join(' × '),
      first: first.name,
      first_grid: gridOf(first),
      first_channels: first.channels,
      last: last.name,
      last_grid: gridOf(last),
      last_channels: last.channels,
    };
    const names = ['none', 'next', 'later', 'all'].filter((name) => later > 1 || name !== 'next');
    const right = names.indexOf('later');
    const words = names.map((name) => [`learn_changes_${name}`, values]);
    return { values, ...ofWords(say, words, right) };
  },
};

const gridOf = ({ height, width }) => `${height} × ${width}`;

export const readingPage = {
  name: 'reading',
  kinds: ['cbam', 'se'],
  fits: (layer, { top, network }) =>
    Boolean(weightsOf(layer)) && top.length > 0 && network.classes > 0,
  isOnOutsider: true, // where there is a photo that none of the network's classes fits
  choose(trace) {
    const [layer] = unevenFirst(trace, readingPage.fits);
    return { layer: layer.name, pin: greatestCell(layer) };
  },
  parts: ['[data-part=map]', '[data-part=answer] .av-top5'],
  formulas: [],
  ask({ trace, state, say, classText, examples }, layer) {
    const [[label, share]] = trace.top;
    const { mark } = examples.find(({ photo }) => photo === trace.asked.photo) ?? {};
    const place = say(...placeOf(layer, state));
    const value = valueOf(layer, state);
    const values = {
      layer: layer.name,
      place,
      value,
      count: trace.network.classes,
      label: classText(label),
      share: percent(share, 1),
    };
    const words = ['because', 'other', 'passed'].map((name) => [`learn_follows_${name}`, values]);
    return {
      values,
      ...ofWords(say, words, 2),
      also: mark && 'learn_reading_outsider',
      more: mark && 'learn_reading_shares',
    };
  },
};

const isMapGate = (layer) => Boolean(layer.map) && !layer.shares;

/** What is read of a layer: its chosen cell if it has a map, else its chosen channel; a key of our words, with values. */
function placeOf(layer, { channel, pin }) {
  if (!isMapGate(layer)) return ['channel_number', { channel }];
  const [row, column] = pin ?? greatestCell(layer);
  return ['cell_number', { row: row + 1, column: column + 1 }];
}

function valueOf(layer, { channel, pin }) {
  if (!isMapGate(layer)) return digits(weightsOf(layer)[channel]);
  const [row, column] = pin ?? greatestCell(layer);
  return printed(layer.map, row * layer.width + column);
}
