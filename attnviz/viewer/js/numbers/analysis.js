// Numbers about gates, as analysis.py computes them. NaN is what can't be known. HIGH and LOW come with the page.

/** Of values (any shape): {mean, std, least, greatest, highShare, lowShare, undefinedCount}. NaN is left out and
 * counted. The shares are of gates above HIGH and below LOW; BAM's factor is 1 + gate. */
export function summary(values, kind) {
  const known = values.filter((value) => !Number.isNaN(value));
  const count = known.length; // of 0 all numbers are NaN
  const gateOffset = kind === 'bam' ? 1 : 0;
  let sum = 0;
  let high = 0;
  let low = 0;
  let least = Infinity;
  let greatest = -Infinity;
  for (const value of known) {
    sum += value;
    high += value - gateOffset > HIGH;
    low += value - gateOffset < LOW;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const mean = sum / count;
  let squares = 0;
  for (const value of known) squares += (value - mean) ** 2;
  return {
    mean,
    std: Math.sqrt(squares / count),
    least: count ? least : NaN,
    greatest: count ? greatest : NaN,
    highShare: high / count,
    lowShare: low / count,
    undefinedCount: values.length - count,
  };
}

/** Channel indices by one of ORDERS: "index", "size" (greatest first) or "surprise" (farthest from the mean first);
 * ties by index, NaN last. */
export function ranked(values, order) {
  const indices = Array.from(values, (_, index) => index);
  if (order === 'index') return indices;
  const { mean } = summary(values);
  const sortKeys = Array.from(values, (value) => {
    if (Number.isNaN(value)) return -Infinity;
    return order === 'size' ? value : Math.abs(value - mean);
  });
  return indices.sort((first, second) => sortKeys[second] - sortKeys[first] || first - second);
}

/** A layer's channel weights (C,): the factor on each channel, or the first path's share of it; null if it has neither. */
export function weightsOf(layer) {
  if (layer.channel) return layer.channel.values;
  return layer.paths ? layer.paths.values.subarray(0, layer.paths.width) : null;
}

/** [low, high] that a layer's channel weights can be. */
export function weightLimits(layer) {
  return layer.channel ? layer.limits : [0, 1];
}

/** [low, high] that the channel weights of layers, drawn together, span: on the scale "fixed" what a factor can be,
 * on any other the least and the greatest weight. A flat range gives way to the fixed one. */
export function weightsRange(layers, scaleName) {
  const { least, greatest } = summary(layers.flatMap((layer) => Array.from(weightsOf(layer))));
  if (scaleName !== 'fixed' && greatest > least) return [least, greatest];
  const limits = layers.map(weightLimits);
  return [Math.min(...limits.map(([low]) => low)), Math.max(...limits.map(([, high]) => high))];
}

/** [low, high] that the first and the last colour of a layer's map stand for, on one of SCALES; ``shown`` are the
 * traces beside it. A flat range gives way to the fixed one. Factors are never mixed with shares of a context. */
export function mapRange(trace, layer, scaleName, shown = []) {
  let least = Infinity;
  let greatest = -Infinity;
  for (const other of layersOfScale(trace, layer, scaleName, shown)) {
    if (!other.map || other.shares !== layer.shares) continue;
    for (const value of other.map.values) {
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  return greatest > least ? [least, greatest] : layer.mapLimits;
}

/** [low, high] that black and full brightness stand for where a photo is dimmed by a map of that ``range``: on the scale
 * "fixed" from 0, so that what is seen is the photo times the factor, as a share of the greatest that it can be. */
export function brightnessRange([low, high], scaleName) {
  return scaleName === 'fixed' ? [Math.min(0, low), high] : [low, high];
}

function layersOfScale(trace, layer, scaleName, shown) {
  if (scaleName === 'map') return [layer];
  if (scaleName === 'network') return trace.layers;
  if (scaleName === 'stage')
    return trace.layers.filter(
      (other) => other === layer || (layer.stage && other.stage === layer.stage),
    );
  if (scaleName === 'shown')
    return [trace, ...shown.filter((other) => other !== trace)].flatMap(({ layers }) => layers);
  return [];
}
