// The page of the lesson on BAM.
import { bamFactor } from '../numbers/factors.js';
import { digits } from '../numbers/format.js';
import { greatestCell, unevenFirst } from './choosing.js';
import { ofNumbers } from './question.js';
import { hasAll, kindOf } from './reading.js';
import { nodeOf } from './se.js';

const DEEP = -100; // what is joined, in the question

const isBam = (layer, trace) =>
  kindOf(layer, trace) === 'bam' && hasAll(layer, ['channel_logits', 'spatial_logits', 'map']);

export const bamPage = {
  name: 'bam',
  kinds: ['bam'],
  fits: isBam,
  choose(trace) {
    const [layer] = unevenFirst(trace, isBam);
    return { layer: layer.name, pin: greatestCell(layer) };
  },
  parts: ['factor', 'gate', 'joined', 'channel_branch', 'spatial_branch'].map(nodeOf),
  formulas: [
    ['gate', 'example'],
    ['factor', 'example'],
  ],
  ask({ state: { channel, pin }, say }, layer) {
    const [row, column] = pin ?? greatestCell(layer);
    const factor = bamFactor(layer, channel).values[row * layer.width + column];
    const { least, greatest } = layer.numbers;
    const word = layer.formula === 'bam product' ? 'product' : 'sum';
    return {
      values: {
        layer: layer.name,
        channel,
        row: row + 1,
        column: column + 1,
        joined: say(`learn_joined_${word}`),
        result: say(`learn_result_${word}`),
        gate: digits(factor - 1),
        factor: digits(factor),
        deep: `−${-DEEP}`,
        least: digits(least),
        greatest: digits(greatest),
      },
      ...ofNumbers([
        [1, '1'],
        [0, '0'],
        [0.5, '0.5'],
        [1 + DEEP, `−${-1 - DEEP}`],
      ]),
    };
  },
};
