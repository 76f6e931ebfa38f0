// Pages of the lesson on gates, and on squeeze-and-excitation.
import { ranked, weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { spreadFirst, tellingChannel } from './choosing.js';
import { ofNumbers, ofWords } from './question.js';
import { arrayOf, hasAll, kindOf, printed, sigmoid } from './reading.js';

const BEFORE = 10; // in a cell, in the question on gates
const APART = 0.1; // between the gates of two channels that are compared
const TIMES = 2; // as much is taken from the one as from the other, at least
const pairs = new WeakMap(); // by layer: what ``pairOf`` found

/** Whether a layer multiplies each channel by a gate between 0 and 1. */
const hasGates = (layer) => Boolean(layer.channel) && layer.formula === 'product';
const isSe = (layer, trace) =>
  kindOf(layer, trace) === 'se' &&
  hasAll(layer, ['squeezed', 'hidden', 'channel_logits', 'channel']);

const chooseTelling = (fits) => (trace) => tellingChannel(spreadFirst(trace, fits));

/** The key of what the channels' gate is multiplied into: CBAM has a second product. */
function channelProduct({ edges }) {
  const isGate = (key) => key === 'gate' || key === 'channel_gate';
  const product = edges.find(([from, to]) => isGate(from) && to.endsWith('_product'))?.[1];
  return edges.find(([from]) => from === product)?.[1];
}

export const gatePage = {
  name: 'gate',
  kinds: ['se', 'cbam'],
  fits: hasGates,
  choose: chooseTelling(hasGates),
  parts: ['[data-part=channel]', '[data-part=bars]'],
  formulas: [[channelProduct, 'formula']],
  ask({ state: { channel } }, layer) {
    const gate = layer.channel.values[channel];
    const text = printed(layer.channel, channel);
    const number = (value) => [value, digits(value, 0, 2)];
    const result = number(BEFORE * Number(text));
    return {
      values: { layer: layer.name, channel, gate: text, before: BEFORE, result: result[1] },
      ...ofNumbers([result, number(BEFORE), number(BEFORE - gate), number(BEFORE + gate)]),
    };
  },
};

export const squeezePage = {
  name: 'squeeze',
  kinds: ['se'],
  fits: isSe,
  choose: chooseTelling(isSe),
  parts: ['squeeze', 'input'].map(nodeOf),
  formulas: [['squeeze', 'formula']],
  ask({ state: { channel }, say }, layer) {
    const { channels, height, width } = layer;
    const z = printed(arrayOf(layer, 'squeezed'), channel);
    const cells = (height * width).toLocaleString('en');
    const numbers = (channels * height * width).toLocaleString('en');
    const words = ['grows', 'stays', 'shrinks', 'depends'].map((name) => [
      `learn_z_${name}`,
      { z },
    ]);
    return {
      values: { layer: layer.name, channel, channels, height, width, cells, numbers, z },
      ...ofWords(say, words, 1),
    };
  },
};

export const excitationPage = {
  name: 'excitation',
  kinds: ['se'],
  fits: (layer, trace) => isSe(layer, trace) && isSigmoid(layer),
  choose: chooseTelling((layer, trace) => isSe(layer, trace) && isSigmoid(layer)),
  parts: ['gate', 'first', 'hidden', 'second'].map(nodeOf),
  formulas: [
    ['gate', 'formula'],
    ['gate', 'example'],
  ],
  ask({ state: { channel } }, layer) {
    const hidden = arrayOf(layer, 'hidden').values;
    const gate = layer.channel.values[channel];
    const text = printed(layer.channel, channel);
    const half = [0.5, digits(0.5)];
    return {
      values: {
        channel,
        channels: layer.channels,
        hidden: hidden.length,
        zeros: hidden.filter((unit) => unit <= 0).length,
        logit: printed(arrayOf(layer, 'channel_logits'), channel),
        gate: text,
      },
      ...ofNumbers([half, [0, digits(0)], [1, digits(1)], [gate, text]]),
    };
  },
};

export const effectPage = {
  name: 'effect',
  kinds: ['se', 'cbam'],
  fits: (layer) => hasGates(layer) && pairOf(layer) !== null,
  choose(trace) {
    const [layer] = spreadFirst(trace, effectPage.fits);
    return { layer: layer.name, channel: pairOf(layer).little };
  },
  parts: ['[data-part=bars]', '[data-row=held_back]', '[data-row=let_through]'],
  formulas: [],
  ask({ say }, layer) {
    const { little, much } = pairOf(layer);
    const inOrder = [little, much].sort((first, second) => first - second);
    const words = inOrder.map((channel) => ['learn_from_channel', { channel }]);
    return {
      values: {
        held_back: say('held_back'),
        ...taking(layer, 'little', little),
        ...taking(layer, 'much', much),
      },
      ...ofWords(say, [...words, ['learn_from_both', {}]], inOrder.indexOf(much)),
    };
  },
};

/** A node of the mechanism's diagram, as a selector. */
export function nodeOf(key) {
  return `.av-mechanism [data-node=${key}]`;
}

/** Whether a layer's gates are the sigmoid of what stands before them, and no line in its place. */
function isSigmoid(layer) {
  const logits = arrayOf(layer, 'channel_logits').values;
  return weightsOf(layer).every(
    (gate, channel) => Math.abs(sigmoid(logits[channel]) - gate) < 0.01,
  );
}

/** Two channels, {little, much}: one from which the layer's gates take much, and one with a smaller gate from which they
 * take far less; of all such the one from which they take most. Where there is no such pair, those from which
 * they take least and most; null where they take the same of all, or sizes are not known. */
function pairOf(layer) {
  if (!layer.sizes) return null;
  if (!pairs.has(layer)) pairs.set(layer, foundPair(layer));
  return pairs.get(layer);
}

function foundPair({ channel, sizes }) {
  const gates = channel.values;
  const takes = Array.from(gates, (gate, index) => sizes.values[index] * (1 - gate));
  const byGate = ranked(
    gates.map((gate) => -gate),
    'size',
  );
  let smaller = 0; // how many have a gate so much smaller
  let little = null; // from which least is taken among these
  let pair = null;
  for (const much of byGate) {
    for (; gates[byGate[smaller]] < gates[much] - APART; smaller++) {
      const other = byGate[smaller];
      if (little === null || takes[other] < takes[little]) little = other;
    }
    const isPair = little !== null && takes[much] > TIMES * takes[little];
    if (isPair && !(takes[much] <= takes[pair?.much])) pair = { little, much };
  }
  return pair ?? extremes(takes);
}

function extremes(takes) {
  const order = ranked(takes, 'size');
  const [much, little] = [order[0], order.at(-1)];
  return takes[much] > TIMES * takes[little] ? { little, much } : null;
}

/** What the gate of a channel takes from it, as values of our words. */
function taking(layer, name, channel) {
  const gate = layer.channel.values[channel];
  const size = layer.sizes.values[channel];
  return {
    [name]: channel,
    [`${name}_gate`]: printed(layer.channel, channel),
    [`${name}_size`]: digits(size),
    [`${name}_taken`]: digits(size * (1 - gate)),
  };
}
