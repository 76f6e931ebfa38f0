// What the edits of a request come to for one photo, and what of the answer and the layers they changed, see viewer/change.py.
import { changesOf, hasGridOf, spread } from '../engine/edits.js';
import { jointFactors } from '../engine/scaling.js';
import { usualOf } from '../engine/usual.js';
import { greatestOf, topOf } from './answer.js';

/** Whether a request is of a changed network. */
export const isChanged = ({ edits }) => Boolean(edits) && Object.keys(edits).length > 0;

/** ``edits`` by layer, what they come to as the engine takes it (``changes``), and ``notes``: layers whose usual map is known by its mean
 * alone (``withoutCells``), and maps of other photos that were resized (``resized``, [[layer, photo]]). ``layers`` are those of the pass
 * as it is, ``usual`` the Weights of what is usual, ``patched`` gives another photo's layers. */
export function resolved(asked, layers, { usual, patched }) {
  const notes = { withoutCells: [], resized: [] };
  const sources = {
    usual(layer, part) {
      const known = usual && usualOf(usual, layer, part);
      if (known && !known.byCell) notes.withoutCells.push(layer.name);
      return known?.values;
    },
    patched(photo, layer, part) {
      const theirs = patched(photo);
      const other = theirs.find(({ name }) => name === layer.name);
      if (!part.startsWith('channel') && !hasGridOf(other, layer))
        notes.resized.push([layer.name, photo]);
      return theirs;
    },
  };
  const edits = spread(asked, layers);
  return { edits, changes: changesOf(edits, layers, sources), notes };
}

/** The ``change`` of a capture: ``before`` and ``after`` are {logits, layers} of the two passes. */
export function changeOf(before, after, { edits, changes }, labels) {
  const best = greatestOf(before.logits);
  const shares = new Map(topOf(before.logits, labels, before.logits.length));
  return {
    edits: Object.fromEntries(
      Object.entries(edits).map(([layer, each]) => [layer, each.map(plain)]),
    ),
    before: topOf(before.logits, labels),
    sharesBefore: topOf(after.logits, labels).map(([label]) => shares.get(label) ?? null),
    isOther: greatestOf(after.logits) !== best,
    scoreChange: after.logits[best] - before.logits[best],
    moved: Object.fromEntries(
      after.layers.map((layer, place) => [
        layer.name,
        moved(before.layers[place], layer, changes[layer.name].joint),
      ]),
    ),
  };
}

/** An edit with all that it says, as interventions/edit_json.py writes it. */
function plain({ edit, part, channel = [], cells = [], ...more }) {
  const said = { edit, ...(edit === 'shuffle' ? { seed: 0 } : {}), ...more };
  if (channel.length) said.channel = inOrder(channel);
  if (cells.length) said.cells = inOrder(cells);
  return part ? { ...said, part } : said;
}

/** Channels or cells with their values, in order, of one that stands there twice the last. */
function inOrder(chosen) {
  const values = new Map(chosen.map((each) => [each.slice(0, -1).join(), each]));
  return [...values.values()].sort((one, other) => {
    const place = one.findIndex((at, index) => at !== other[index]);
    return one[place] - other[place];
  });
}

/** The mean size of the change of a layer's factor; ``joint``: the change of a joint gate. */
function moved(before, after, joint) {
  if (!joint && PARTS.every((part) => areSame(before[part], after[part]))) return 0;
  const sum = before.channelLogits
    ? jointChange(before, after, joint)
    : productChange(before, after);
  return sum / (before.channels * before.height * before.width);
}

const PARTS = ['channel', 'spatial', 'channelLogits', 'spatialLogits'];

const areSame = (one, other) => !one || one.every((value, place) => value === other[place]);

/** The sum of the sizes of the changes of all products of a channel's and a position's gate. */
function productChange(before, after) {
  const count = before.height * before.width;
  const ones = new Float32Array(count).fill(1);
  const [then, now] = [before.spatial ?? ones, after.spatial ?? ones];
  let sum = 0;
  for (let channel = 0; channel < before.channels; channel++) {
    const [own, made] = [before.channel[channel], after.channel[channel]];
    for (let position = 0; position < count; position++)
      sum += Math.abs(made * now[position] - own * then[position]);
  }
  return sum;
}

/** The same of a joint gate. */
function jointChange(before, after, joint) {
  const [then, now] = [before, after].map(jointFactors);
  let sum = 0;
  for (let place = 0; place < then.length; place++) {
    const made = joint ? joint.at(place, now[place]) : now[place];
    sum += Math.abs(made - then[place]);
  }
  return sum;
}
