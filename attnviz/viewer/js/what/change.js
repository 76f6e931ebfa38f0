// How much a gate changes a channel: what stands in it, times how far the gate is from letting it pass as it is. What
// stands in it is the mean size of its features before the gate; where that is not known, the size of their mean that the
// mechanism takes; and where it takes none, all channels count alike.
import { ranked, summary, weightLimits, weightsOf } from '../numbers/analysis.js';

const MEANS = ['average', 'squeezed']; // steps that are each channel's mean over all positions

/** Channels of a layer by how much they are held back and by how much is let through: {held, through}, the most first;
 * each channel is in one of them, by whether it passes less than the layer's channels do on average. */
export function channelsByChange(layer) {
  const weights = weightsOf(layer);
  const [low, high] = weightLimits(layer);
  const content = contentOf(layer);
  const shares = Float32Array.from(weights, (weight) => (weight - low) / (high - low));
  const { mean } = summary(shares);
  const held = shares.map((share, channel) =>
    share < mean ? content(channel) * (1 - share) : NaN,
  );
  const through = shares.map((share, channel) => (share >= mean ? content(channel) * share : NaN));
  return { held: ordered(held), through: ordered(through) };
}

/** The channel that a layer's gate changes most, up or down: its content times the factor's distance from 1. Of shares of
 * paths it is what the first path leaves out. */
export function mostChangedChannel(layer) {
  const weights = weightsOf(layer);
  const content = contentOf(layer);
  const changes = weights.map((weight, channel) => content(channel) * Math.abs(1 - weight));
  return ordered(changes)[0] ?? null;
}

/** What is known to stand in each channel of a layer; null where nothing is. */
export function knownContent(layer) {
  const means = layer.steps.find(({ name }) => MEANS.includes(name));
  const content = (layer.sizes ?? means)?.values;
  return content?.length === weightsOf(layer).length ? content : null;
}

function contentOf(layer) {
  const content = knownContent(layer);
  return (channel) => (content ? Math.abs(content[channel]) : 1);
}

const ordered = (values) =>
  ranked(values, 'size').filter((channel) => !Number.isNaN(values[channel]));

/** How unevenly a layer lets pass: the standard deviation of its map, or of its channel weights without one, as a share
 * of what a gate can be. Of a map with an edge that is likely the padding's, only what lies further in counts. */
export function unevenness(layer) {
  const isMap = layer.map && !layer.shares;
  const values = isMap ? insideOf(layer) : weightsOf(layer);
  if (!values) return 0;
  const [low, high] = isMap ? layer.mapLimits : weightLimits(layer);
  const { std } = summary(values, layer.kind);
  return Number.isNaN(std) ? 0 : std / (high - low);
}

/** The values of a layer's map, without the cells as far in as the padding reaches where there is such an edge. */
function insideOf({ map: { values, height, width }, badges }) {
  const edge = badges.find(({ kind }) => kind === 'edge');
  if (!edge) return values;
  const { sides, reach } = edge;
  const depth = (side) => (sides.includes(side) ? reach : 0);
  const rows = [depth('top'), height - depth('bottom')];
  const columns = [depth('left'), width - depth('right')];
  return values.filter((_, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    return row >= rows[0] && row < rows[1] && column >= columns[0] && column < columns[1];
  });
}
