// The numbers of a diagram's nodes: what the pass kept, or what follows from it for the chosen channel.
import { weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';

const sigmoid = (value) => 1 / (1 + Math.exp(-value));
const add = (values) => values.reduce((sum, value) => sum + value, 0);
const multiply = (values) => values.reduce((product, value) => product * value, 1);
const OPERATIONS = {
  same: ([value]) => value,
  sum: add,
  product: multiply,
  sigmoid: ([value]) => sigmoid(value),
  'one plus': ([value]) => 1 + value,
};

/** The numbers of all nodes of a layer's ``diagram``: a Map from a node's key to {values, height, width, grain, shows,
 * range}, ``range`` being what a gate can be; null of a node whose numbers are not known. ``channel`` is the chosen one,
 * or null; ``features`` are its features before the gate, an array (h, w), or null. */
export function numbersOf(layer, diagram, channel, features) {
  const known = new Map();
  for (const node of diagram.nodes) known.set(node.key, nodeNumbers(node));
  return known;

  function nodeNumbers(node) {
    const { shows, operation } = node;
    if (!shows) return null;
    const array = operation === 'features' ? features : keptArray(layer, node.array);
    const numbers = array ?? combined(node, known, channel);
    return numbers && { ...numbers, shows, range: rangeOf(layer, node, diagram) };
  }
}

/** A step or a part of a layer by its name, "paths.1" a row of it; null if it was not kept. */
function keptArray(layer, name = '') {
  const [part, row] = name.split('.');
  if (part === 'pooling') return layer.shares ? layer.map : null;
  const isMap = part === 'spatial';
  const array =
    layer.steps.find((step) => step.name === part) ?? (isMap ? layer.map : layer[part]) ?? null;
  if (!array || row === undefined) return array;
  const { width } = array;
  const values = array.values.subarray(row * width, (Number(row) + 1) * width);
  return { ...array, values, height: 1 };
}

/** What an operation makes of other nodes' numbers: of numbers for each channel again such, else a map of the chosen one. */
function combined({ shows, operation, of = [] }, known, channel) {
  const operate = OPERATIONS[operation];
  const taken = of.map((key) => known.get(key));
  if (!operate || taken.includes(null)) return null;
  const isOfChannels = ({ shows: other }) => other === 'channels';
  if (shows === 'features' && channel === null && taken.some(isOfChannels)) return null;
  const map = taken.find((other) => !isOfChannels(other) || shows === 'channels');
  if (!map) return null;
  const values = map.values.map((_, index) =>
    operate(
      taken.map((other) =>
        shows === 'features' && isOfChannels(other) ? other.values[channel] : other.values[index],
      ),
    ),
  );
  const grain = Math.max(...taken.map((other) => other.grain ?? 0));
  return { values, height: map.height, width: map.width, grain };
}

/** [low, high] that a gate can be; null of what is none. */
function rangeOf(layer, { array, operation }, diagram) {
  if (array === 'pooling') return layer.mapLimits;
  if (array?.startsWith('paths')) return [0, 1];
  if (array === 'channel' || array === 'spatial') return layer.limits;
  if (operation === 'sigmoid') return [0, 1];
  if (operation === 'one plus') return [1, 2];
  return diagram.kind === 'scse' && operation === 'sum' ? layer.limits : null;
}

/** A node's number: of the channel, or at the cell; null if it has none, or none is chosen. */
export function numberAt(numbers, channel, cell) {
  if (!numbers || numbers.shows === 'units') return null;
  const index = numbers.shows === 'channels' ? channel : cellIndex(numbers, cell);
  const value = index === null ? undefined : numbers.values[index];
  return value === undefined || Number.isNaN(value) ? null : value;
}

function cellIndex({ width, height }, cell) {
  if (!cell || cell[0] >= height || cell[1] >= width) return null;
  return cell[0] * width + cell[1];
}

/** The printed numbers of a diagram for a channel and a cell: a function from a place's name in an example, see
 * Python's mechanisms/diagram.py, to {text, symbol, isRounded}, as formula.js's ``filled`` takes it. */
export function printedNumbers(diagram, known, channel, cell) {
  const nodes = new Map(diagram.nodes.map((node) => [node.key, node]));
  const words = {
    c: channel === null ? null : String(channel),
    i: cell && String(cell[0] + 1),
    j: cell && String(cell[1] + 1),
  };

  function textOf(key) {
    const value = numberAt(known.get(key), channel, cell);
    return value === null ? null : digits(value, known.get(key).grain);
  }

  /** Whether what is printed follows from the printed numbers that it was made of. */
  function follows(node, text) {
    const { operation, of = [] } = node;
    if (operation === 'same') return follows(nodes.get(of[0]), text);
    const texts = of.map(textOf);
    if (text === null || !OPERATIONS[operation] || texts.includes(null)) return true;
    const decimals = text.split('.')[1]?.length ?? 0;
    const expected = OPERATIONS[operation](texts.map(numberIn)).toFixed(decimals);
    return Number(expected) === numberIn(text);
  }

  return (name) => {
    if (name in words) return { text: words[name], symbol: name, isRounded: false };
    const node = nodes.get(name);
    const text = textOf(name);
    return { text, symbol: node.symbol ?? node.sign, isRounded: !follows(node, text) };
  };
}

const numberIn = (text) => Number(text.replace('−', '-'));

/** The cell whose numbers are shown where none was chosen: where the layer's map is greatest, or its middle one. */
export function openingCell(layer) {
  const { map, height, width } = layer;
  if (!map) return weightsOf(layer) ? [Math.floor(height / 2), Math.floor(width / 2)] : null;
  const greatest = Math.max(0, map.values.indexOf(layer.numbers.greatest));
  return [Math.floor(greatest / map.width), greatest % map.width];
}
