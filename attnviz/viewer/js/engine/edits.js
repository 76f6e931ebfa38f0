// Edits of gates become changes of the parts of layers' factors, as interventions/resolving.py has it.
import { Change } from './change.js';
import { Fault } from './fault.js';
import { onGrid } from './grids.js';
import { permutation } from './permutation.js';
import { jointFactors } from './scaling.js';

const EVERY = 'all'; // in place of a layer's name
const PARTS = ['channel', 'spatial'];

/** The edits by the layers that they are made to, in running order; of one layer those of "all" and its own in the order in which
 * they stand. Throws a Fault for a layer that is none of ``layers``. */
export function spread(edits, layers) {
  const names = layers.map(({ name }) => name);
  const entries = Object.entries(edits);
  for (const [name] of entries)
    if (name !== EVERY && !names.includes(name)) throw new Fault('fault_edits', { layer: name });
  const editsOf = (layer) =>
    entries.flatMap(([name, each]) => (name === EVERY || name === layer ? each : []));
  const made = names.map((name) => [name, editsOf(name)]);
  return Object.fromEntries(made.filter(([, each]) => each.length));
}

/** What ``edits`` ({layer: [edit]}, see ``spread``) come to: {layer: {part: Change}}. ``layers`` are those of the pass in which nothing
 * was changed; ``sources`` gives what an edit takes from elsewhere: usual(layer, part), as many
 * values as the part has or undefined, and patched(photo, layer, part), that photo's layers. Throws a Fault for what can't be made. */
export function changesOf(edits, layers, sources) {
  const changes = {};
  for (const layer of layers) {
    const parts = {};
    for (const edit of edits[layer.name] ?? [])
      for (const [part, change] of madeOf(layer, edit, sources))
        parts[part] = parts[part]?.followedBy(change) ?? change;
    changes[layer.name] = parts;
  }
  return changes;
}

const isBam = (layer) => Boolean(layer.channelLogits);

/** The parts that together are the factor. */
const wholeOf = (layer) =>
  isBam(layer) ? ['joint'] : ['channel', 'spatial'].filter((part) => layer[part]);

/** The parts that an edit of a part, or of all of it, is made of. Of BAM a part is its branch, before the sigmoid. */
function partsOf(layer, part) {
  if (!part) return wholeOf(layer);
  if (!PARTS.includes(part)) throw cannot(layer);
  if (isBam(layer)) return [`${part}_logits`];
  if (!wholeOf(layer).includes(part)) throw cannot(layer);
  return [part];
}

const cannot = ({ name }) => new Fault('fault_edits', { layer: name });

/** The values of a part of a layer's factor. */
export function valuesOf(layer, part) {
  if (part === 'joint') return jointFactors(layer);
  const names = { channel_logits: 'channelLogits', spatial_logits: 'spatialLogits' };
  return layer[names[part] ?? part];
}

/** [[part, Change]] of one edit. */
function madeOf(layer, edit, sources) {
  if (edit.edit === 'set') return setOf(layer, edit);
  const make = Object.hasOwn(MAKERS, edit.edit) ? MAKERS[edit.edit] : null;
  if (!make) throw cannot(layer);
  const parts = partsOf(layer, edit.part);
  // of a product of two gates the later one is scaled: the other need not see it
  const meant = edit.edit === 'scale' && !isBam(layer) ? parts.slice(-1) : parts;
  return meant.map((part) => [part, make(layer, part, edit, sources)]);
}

const MAKERS = {
  off: (layer, part) => Change.ofAll(countOf(layer, part), 0, part.endsWith('logits') ? 0 : 1),
  usual(layer, part, _edit, sources) {
    const values = sources.usual(layer, part);
    if (!values) throw cannot(layer);
    return Change.put(values);
  },
  flat(layer, part) {
    const values = valuesOf(layer, part);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Change.ofAll(values.length, 0, mean);
  },
  scale: (layer, part, { by }) => Change.ofAll(countOf(layer, part), checked(by, layer), 0),
  shuffle: (layer, part, { seed = 0 }) => Change.put(shuffled(layer, part, seedOf(seed, layer))),
  patch(layer, part, { photo }, sources) {
    if (!photo) throw cannot(layer);
    return Change.put(patchOf(sources.patched(photo, layer, part), layer, part));
  },
};

const countOf = (layer, part) => valuesOf(layer, part).length;

function checked(value, layer) {
  if (!Number.isFinite(value)) throw cannot(layer);
  return value;
}

function seedOf(seed, layer) {
  if (!Number.isSafeInteger(seed) || seed < 0) throw cannot(layer);
  return seed;
}

/** A part's values in another order, over channels and over positions. */
function shuffled(layer, part, seed) {
  const values = valuesOf(layer, part);
  const positions = part.startsWith('channel') ? 1 : layer.height * layer.width;
  const channels = permutation(values.length / positions, seed);
  const places = permutation(positions, seed);
  return values.map((_, index) => {
    const [channel, place] = [Math.floor(index / positions), index % positions];
    return values[channels[channel] * positions + places[place]];
  });
}

/** The values of a part on another photo, whose ``layers`` are given, on this one's grid. */
function patchOf(layers, layer, part) {
  const theirs = layers.find(({ name }) => name === layer.name);
  const values = valuesOf(theirs, part);
  return part.startsWith('channel') || hasGridOf(theirs, layer)
    ? values
    : onGrid(values, theirs, layer);
}

/** Whether two layers' maps have one grid. */
export const hasGridOf = (one, other) => one.height === other.height && one.width === other.width;

/** The changes of some channels, and of some cells of the map; in BAM's joint gate of a channel at all positions, and of a cell in
 * all channels. */
function setOf(layer, { channel = [], cells = [] }) {
  const made = [];
  if (channel.length)
    made.push(
      chosen(
        layer,
        'channel',
        channel.map(([index, value]) => [[index], value]),
      ),
    );
  if (cells.length)
    made.push(
      chosen(
        layer,
        'spatial',
        cells.map(([row, column, value]) => [[row, column], value]),
      ),
    );
  if (!made.length) throw cannot(layer);
  return made;
}

function chosen(layer, part, places) {
  const { channels, height, width } = layer;
  const sides = part === 'channel' ? [channels] : [height, width];
  const [where] = isBam(layer) ? ['joint'] : partsOf(layer, part);
  const positions = height * width;
  const change = Change.ofAll(countOf(layer, where), 1, 0);
  for (const [place, value] of places) {
    const isThere = place.every((at, axis) => Number.isInteger(at) && at >= 0 && at < sides[axis]);
    if (!isThere) throw cannot(layer);
    const first = part === 'channel' ? place[0] : place[0] * width + place[1];
    for (const index of indicesOf(first)) {
      change.times[index] = 0;
      change.plus[index] = checked(value, layer);
    }
  }
  return [where, change];

  /** Where a channel, or a cell, stands among the numbers of the part. */
  function indicesOf(first) {
    if (where !== 'joint') return [first];
    return part === 'channel'
      ? Array.from({ length: positions }, (_, position) => first * positions + position)
      : Array.from({ length: channels }, (_, index) => index * positions + first);
  }
}
