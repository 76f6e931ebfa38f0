// What a layer multiplies one channel's features by, as LayerAttention.factor computes it.

const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

/** BAM's two branches joined for one channel, before the sigmoid: (h, w). */
export function joinedBranches(layer, channel) {
  const own = layer.channel_logits.values[channel];
  const isProduct = layer.formula === 'bam product';
  return onMap(layer.spatial_logits, (place) => (isProduct ? own * place : own + place));
}

/** BAM's factor of one channel at each place: (h, w). */
export function bamFactor(layer, channel) {
  return onMap(joinedBranches(layer, channel), (logit) => 1 + sigmoid(logit));
}

/** The factor of one channel, with the ``range`` that it can have: {map} (h, w) if it differs from place to place,
 * {number} if it is one number (that of the channel alone stands beside a product's map), {average} if it differs and only its mean is known. */
export function channelFactor(layer, channel) {
  const range = layer.limits;
  if (layer.spatial_logits && layer.channel_logits)
    return { map: bamFactor(layer, channel), range };
  if (layer.averaged) return { average: layer.channel.values[channel], range };
  const own = layer.channel ? layer.channel.values[channel] : 1;
  if (layer.spatial && layer.formula === 'product')
    return { map: onMap(layer.map, (place) => own * place), number: own, range };
  if (layer.spatial && layer.formula === 'sum')
    return { map: onMap(layer.map, (place) => own + place), range };
  return { number: own, range };
}

const onMap = (map, change) => ({ ...map, values: map.values.map(change) });
