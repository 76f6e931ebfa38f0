// Pages of the lesson on changed gates: cases that benchmarks/lesson_cases.py found in the networks that come with attnviz.
import { keyOfEdits } from '../changes/edits.js';
import { digits, percent } from '../numbers/format.js';
import { ofNumbers, ofWords } from './question.js';

const BLOCKS = [1, 2, 3, 4].flatMap((stage) => [`layer${stage}.0`, `layer${stage}.1`]);
const OFF = [{ edit: 'off' }];
const shut = (layer, channel) => ({ [layer]: [{ edit: 'set', channel: [[channel, 0]] }] });
const signed = (value) => `${value > 0 ? '+' : ''}${digits(value, 0, 2)}`;

const HARDLY = 0.1; // of a score, in logits

/** Whether exactly the page's edits are made. */
const fitsEdits = (edits) => (layer, trace) =>
  keyOfEdits(trace.change?.edits) === keyOfEdits(edits) && trace.change.scoreChange !== null;

/** What was answered before and now, as values of our words. */
function answersOf({ trace: { change, top }, classText }) {
  const [[before, beforeShare], [now, share]] = [change.before[0], top[0]];
  return {
    before: classText(before),
    before_share: percent(beforeShare, 1),
    now: classText(now),
    share: percent(share, 1),
    change: signed(change.scoreChange),
  };
}

/** A page on a changed network of one kind. ``choose``: what of the viewer's state it sets; ``parts``: what it points at. */
function changedPage({ kind, edits, choose, parts, ...more }) {
  return {
    kinds: [kind],
    edits,
    example: 'springer',
    fits: fitsEdits(edits),
    choose: () => choose,
    parts,
    formulas: [],
    ...more,
  };
}

const ANSWER = '[data-part=answer] .av-top5';

export const oneLayerPage = changedPage({
  name: 'one_layer',
  kind: 'cbam',
  edits: { 'layer2.0': OFF },
  choose: { layer: 'layer2.0', switches: true }, // which its answer asks to use
  parts: [ANSWER, '[data-part=strip]'],
  ask(viewer) {
    const mean = 1 - viewer.trace.change.moved['layer2.0'];
    const words = ['choice', 'scale', 'both'].map((name) => [`learn_taken_${name}`, {}]);
    const values = { mean: digits(mean, 0, 2), times: digits(1 / mean, 0, 2) };
    return {
      values: { ...answersOf(viewer), ...values, layer: 'layer2.0' },
      ...ofWords(viewer.say, words, 2),
    };
  },
});

/** The share of 1,000 photos, 100 a class, that SE-ResNet-18 names rightly: as it is, with all gates off, with all at their
 * usual values, and off with the means and variances of batch norms taken anew. See “Changed gates” in
 * benchmarks/RESULTS.md. */
const RIGHT = { own: 0.918, off: 0.457, usual: 0.877, again: 0.866 };

export const allLayersPage = changedPage({
  name: 'all_layers',
  kind: 'se',
  edits: Object.fromEntries(BLOCKS.map((layer) => [layer, OFF])),
  choose: { layer: 'layer1.0' },
  parts: [ANSWER, '[data-part=strip]'],
  ask(viewer) {
    const { own, off, usual, again } = RIGHT;
    const numbers = [usual, (usual + off) / 2, off].map((value) => [value, percent(value)]);
    const values = {
      own: percent(own),
      off: percent(off),
      usual: percent(usual),
      again: percent(again),
    };
    return { values: { ...answersOf(viewer), ...values }, ...ofNumbers(numbers) };
  },
});

/** A page on one channel that is shut, which opens most for the class ``own`` (its mean gate there) and at most at
 * ``others`` on average for any other: means over 40 photos a class. */
function channelPage(name, { layer, channel, own, others }) {
  return changedPage({
    name,
    kind: 'se',
    edits: shut(layer, channel),
    choose: { layer, channel },
    parts: ['[data-part=bars]', ANSWER],
    ask(viewer, { channels }) {
      const { scoreChange, moved } = viewer.trace.change;
      const gate = moved[layer] * channels; // no other of the layer's channels moved
      const words = ['falls', 'hardly', 'rises'].map((way) => [`learn_score_${way}`, {}]);
      const values = { layer, channel, gate: digits(gate, 0, 2), own: digits(own, 0, 2) };
      return {
        values: { ...answersOf(viewer), ...values, others: digits(others, 0, 2) },
        ...ofWords(viewer.say, words, wayOf(scoreChange)),
      };
    },
  });
}

/** The place of what a score does among falls, hardly changes, rises. */
function wayOf(change) {
  if (Math.abs(change) < HARDLY) return 1;
  return change < 0 ? 0 : 2;
}

export const idlePage = channelPage('idle', {
  layer: 'layer3.1',
  channel: 98,
  own: 0.64,
  others: 0.44,
});
export const againstPage = channelPage('against', {
  layer: 'layer4.0',
  channel: 213,
  own: 0.81,
  others: 0.66,
});
