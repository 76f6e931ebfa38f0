// What is to be known of a gate before one reads it: that it is dead or flat, open or shut, or has an edge that is likely the
// padding's. All of it is measured on this photo's numbers; the thresholds are here and nowhere else.
import { weightLimits, weightsOf } from './analysis.js';

/** Shares of what a gate can span, from its least to its greatest. */
export const THRESHOLDS = {
  dead: 0.001, // a gate that spans less is the same everywhere
  flat: 0.1, // one that spans less is nearly so
  near: 0.05, // so near to an end a gate is open or shut
  saturated: 0.9, // of the values are that near, from which on a gate is saturated
  edgeJump: 0.05, // by which the cells of an edge differ from those further in, on average
  edgeTimes: 2, // as much as those further in differ from the next
  edgeShare: 0.9, // of the cells of an edge, which differ in one direction
};
const REACH = 3; // cells: how far in a convolution of 7 × 7 sees the padding
const LEAST_SIDE = 9; // cells; smaller maps are edge nearly everywhere, and of theirs only three in five were the padding's

/** The badges of a layer: of its 'map' and of its 'channels', the weightiest of each first, as {part, kind, ...numbers}; a
 * dead or flat gate has no others. ``kind`` is
 * - 'dead': all values are the same; ``value``;
 * - 'flat': they span less than 0.1; ``least``, ``greatest``;
 * - 'edge': along ``sides`` ('top', 'bottom', 'left', 'right') at least nine of ten cells differ in one direction from those
 *   ``reach`` further in, by ``jump`` on average, which is 0.05 or more and twice as much as these differ from the cells as
 *   far behind them. Where 84 photos were cut and the same place seen again with its surroundings, the padding had made at
 *   least half of the jump in 171 of 212 such edges of CBAM and BAM, padded with the values at the edge, and in 255 of 271
 *   of a CBAM that is padded with zeros;
 * - 'saturated': nine of ten lie within 0.05 of an end; ``share``, ``low``, ``high``. */
export function badgesOf(layer) {
  const weights = weightsOf(layer);
  return [
    ...(layer.map ? mapBadges(layer) : []),
    ...(weights ? valueBadges('channels', weights, weightLimits(layer), true) : []),
  ];
}

function mapBadges({ map, mapLimits, shares }) {
  const badges = valueBadges('map', map.values, mapLimits, !shares);
  const isPlain = badges.some(({ kind }) => kind === 'dead' || kind === 'flat');
  const edge = isPlain || shares ? null : edgeBadge(map, mapLimits);
  return edge ? [edge, ...badges] : badges;
}

/** Badges of values, which only those of ``areGates`` are saturated. */
function valueBadges(part, values, [low, high], areGates) {
  const known = Array.from(values).filter((value) => !Number.isNaN(value));
  if (!known.length) return [];
  const span = high - low;
  const least = known.reduce((one, other) => Math.min(one, other));
  const greatest = known.reduce((one, other) => Math.max(one, other));
  if (greatest - least < THRESHOLDS.dead * span) return [{ part, kind: 'dead', value: known[0] }];
  if (greatest - least < THRESHOLDS.flat * span) return [{ part, kind: 'flat', least, greatest }];
  const isNear = (value) => Math.min(value - low, high - value) <= THRESHOLDS.near * span;
  const share = known.filter(isNear).length / known.length;
  const isSaturated = areGates && share >= THRESHOLDS.saturated;
  return isSaturated ? [{ part, kind: 'saturated', share, low, high }] : [];
}

function edgeBadge(map, [low, high]) {
  const { height, width } = map;
  if (Math.min(height, width) < LEAST_SIDE) return null;
  const jumps = Object.entries(linesOf(map)).map(([side, line]) => {
    return [side, edgeJump(line, high - low)];
  });
  const found = jumps.filter(([, jump]) => jump > 0);
  if (!found.length) return null;
  const jump = Math.max(...found.map(([, each]) => each));
  return { part: 'map', kind: 'edge', sides: found.map(([side]) => side), reach: REACH, jump };
}

/** For each side of a map what gives its line of cells at a depth: the values of the edge itself at 0. */
function linesOf({ values, height, width }) {
  const row = (y) => Array.from(values.subarray(y * width, (y + 1) * width));
  const column = (x) => Array.from({ length: height }, (_, y) => values[y * width + x]);
  return {
    top: row,
    bottom: (depth) => row(height - 1 - depth),
    left: column,
    right: (depth) => column(width - 1 - depth),
  };
}

/** By how much an edge jumps from the cells further in; 0 if that is no padding's edge. */
function edgeJump(line, span) {
  const [edge, inner, innermost] = [0, REACH, 2 * REACH].map(line);
  const steps = differences(inner, edge);
  const up = steps.filter((step) => step > 0).length / steps.length;
  const down = steps.filter((step) => step < 0).length / steps.length;
  const jump = Math.abs(mean(steps));
  const isEdge =
    Math.max(up, down) >= THRESHOLDS.edgeShare &&
    jump >= THRESHOLDS.edgeJump * span &&
    jump >= THRESHOLDS.edgeTimes * Math.abs(mean(differences(innermost, inner)));
  return isEdge ? jump : 0;
}

const differences = (first, second) => first.map((value, index) => value - second[index]);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
