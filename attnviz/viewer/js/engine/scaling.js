// Features are multiplied by gates, in place: by one number a channel, or one a position.

/** Multiply all of a channel's values by its factor. */
export function scaleChannels(memory, { channels, height, width, at }, factors) {
  memory.within(() =>
    memory.code.scale_channels(at, channels, height * width, memory.put(factors)),
  );
}

/** Multiply the values at each position by its factor. */
export function scalePositions(memory, { channels, height, width, at }, factors) {
  memory.within(() =>
    memory.code.scale_positions(at, channels, height * width, memory.put(factors)),
  );
}

/** BAM's factor, of a channel's and a position's logit. */
const jointFactor = (ofChannel, ofPosition) => 1 + 1 / (1 + Math.exp(-ofChannel - ofPosition));

/** All of BAM's factors (channels, positions) of a layer, by its logits. */
export function jointFactors({ channelLogits, spatialLogits }) {
  const count = spatialLogits.length;
  const factors = new Float64Array(channelLogits.length * count);
  for (let channel = 0, place = 0; channel < channelLogits.length; channel++)
    for (let position = 0; position < count; position++, place++)
      factors[place] = jointFactor(channelLogits[channel], spatialLogits[position]);
  return factors;
}

/** Multiply by BAM's factors, of which a ``change`` may make others. Gives the means of these factors: of each ``channel`` over the
 * positions, at each position over the channels (``spatial``). */
export function scaleJointly(
  { channels, height, width },
  values,
  { channelLogits, spatialLogits },
  change,
) {
  const count = height * width;
  const sums = new Float64Array(count);
  const channel = new Float32Array(channels);
  for (let index = 0, place = 0; index < channels; index++) {
    let sum = 0;
    for (let position = 0; position < count; position++, place++) {
      const own = jointFactor(channelLogits[index], spatialLogits[position]);
      const factor = change ? change.at(place, own) : own;
      values[place] *= factor;
      sum += factor;
      sums[position] += factor;
    }
    channel[index] = sum / count;
  }
  return { channel, spatial: Float32Array.from(sums, (sum) => sum / channels) };
}
