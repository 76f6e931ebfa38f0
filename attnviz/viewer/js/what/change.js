// How much a gate changes a channel: what stands in it, times how far the gate is from letting it pass.
import { ranked, summary, weightLimits, weightsOf } from '../numbers/analysis.js';

const MEANS = ['average', 'squeezed']; // steps that are each channel's mean over all positions

/** Channels of a layer by how much they are held back and by how much is let through: {held, through}, the most first;
 * each channel is in one of them, by whether it passes less than the layer's channels do on average. A channel's mean is
 * what stands in it; where a mechanism takes none, all channels count alike. */
export function channelsByChange(layer) {
  const weights = weightsOf(layer);
  const [low, high] = weightLimits(layer);
  const means = layer.steps.find(({ name }) => MEANS.includes(name))?.values;
  const content = (channel) => (means?.length === weights.length ? Math.abs(means[channel]) : 1);
  const shares = Float32Array.from(weights, (weight) => (weight - low) / (high - low));
  const { mean } = summary(shares);
  const held = shares.map((share, channel) =>
    share < mean ? content(channel) * (1 - share) : NaN,
  );
  const through = shares.map((share, channel) => (share >= mean ? content(channel) * share : NaN));
  return { held: ordered(held), through: ordered(through) };
}

const ordered = (values) =>
  ranked(values, 'size').filter((channel) => !Number.isNaN(values[channel]));

/** How unevenly a layer lets pass: the standard deviation of its map, or of its channel weights without one, as a share
 * of what a gate can be. */
export function unevenness(layer) {
  const values = layer.map && !layer.shares ? layer.map.values : weightsOf(layer);
  if (!values) return 0;
  const [low, high] = layer.map && !layer.shares ? layer.mapLimits : weightLimits(layer);
  const { std } = summary(values, layer.kind);
  return Number.isNaN(std) ? 0 : std / (high - low);
}
