// What a page of the lesson shows: the layer and the channel that tell most, found in the numbers of the photo.
import { weightsOf } from '../numbers/analysis.js';
import { clamp } from '../numbers/scale.js';
import { unevenness } from '../what/change.js';

const PASSING = 0.75; // a gate of a cell that lets pass much, and not all
const TELLING = [0.2, 0.45]; // a gate between these holds back much, and not all

/** A trace's layers that ``fit``, the most uneven first. */
export function unevenFirst(trace, fits) {
  const layers = trace.layers.filter((layer) => fits(layer, trace));
  return layers.sort((first, second) => unevenness(second) - unevenness(first));
}

/** A trace's layers that ``fit``, first those whose channels are shut, half open and open in the most equal shares; of equal
 * ones the more uneven. */
export function spreadFirst(trace, fits) {
  return unevenFirst(trace, fits).sort((first, second) => spread(second) - spread(first));
}

/** The smallest share of a layer's gates that lie in one third of what they can be. */
function spread(layer) {
  const gates = Array.from(weightsOf(layer));
  const thirds = [0, 1, 2].map(
    (third) => gates.filter((gate) => clamp(Math.floor(3 * gate), 0, 2) === third).length,
  );
  return Math.min(...thirds) / gates.length;
}

/** {layer, channel}: the channel with most in it whose gate is a telling one, of the first of the ``layers`` that has
 * one; else the one whose gate is the next to that in the first layer. */
export function tellingChannel(layers) {
  const away = (layer, channel) => {
    const gate = weightsOf(layer)[channel];
    return Math.abs(gate - clamp(gate, ...TELLING));
  };
  const isTelling = (layer, channel) => away(layer, channel) === 0;
  return fullestChannel(layers, isTelling) ?? greatestChannel(layers[0], (...at) => -away(...at));
}

/** {layer, channel}: of the first of the ``layers`` with a channel that ``fits(layer, channel)``, the one with most in it;
 * null if there is none. */
export function fullestChannel(layers, fits) {
  for (const layer of layers) {
    const found = greatestChannel(layer, (_, channel) =>
      fits(layer, channel) ? contentOf(layer, channel) : NaN,
    );
    if (found) return found;
  }
  return null;
}

/** {layer, channel}: where ``worth(layer, channel)`` is greatest; null if it is NaN everywhere. */
export function greatestChannel(layer, worth) {
  let best = null;
  for (let channel = 0; channel < weightsOf(layer).length; channel++) {
    const value = worth(layer, channel);
    if (!Number.isNaN(value) && !(value <= best?.value)) best = { channel, value };
  }
  return best && { layer: layer.name, channel: best.channel };
}

/** The mean size of a channel's features before the gate; 1 where that is not known. */
function contentOf(layer, channel) {
  return layer.sizes?.values[channel] ?? 1;
}

/** The cell, [row, column], whose gate is the next to a telling one, of those that have as many cells on each side as a
 * convolution of that ``kernel`` takes; of all where the map is smaller. */
export function innerCell({ map }, kernel) {
  const reach = Math.min(map.height, map.width) < kernel ? 0 : (kernel - 1) / 2;
  let best = null;
  for (let row = reach; row < map.height - reach; row++)
    for (let column = reach; column < map.width - reach; column++) {
      const away = Math.abs(map.values[row * map.width + column] - PASSING);
      if (!(away >= best?.away)) best = { away, cell: [row, column] };
    }
  return best.cell;
}

/** The cell, [row, column], where a layer's map is greatest; null without a map. */
export function greatestCell({ map, numbers }) {
  if (!map) return null;
  const place = Math.max(0, map.values.indexOf(numbers.greatest));
  return [Math.floor(place / map.width), place % map.width];
}
