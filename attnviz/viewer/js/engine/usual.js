// What is usual for a network's gates: their means over photos, in the tensors that interventions/compact_means.py makes.

/** The means of a part of a ``layer``, as many numbers as the part has, and whether they are known cell by cell (``byCell``); null
 * where nothing is known of it. ``means`` are Weights, whose tensors are called by layer and part. */
export function usualOf(means, layer, part) {
  const { channels, height, width } = layer;
  const find = (name) => means.find(`${layer.name}|${name}`);
  if (part === 'channel' || part === 'channel_logits') return fitting(find(part), [channels]);
  if (part === 'joint') return jointOf(find, layer);
  const known = fitting(find(part), [height, width]);
  const mean = find(`${part}_mean`);
  if (known || !mean) return known;
  return { values: new Float32Array(height * width).fill(mean.values[0]), byCell: false };
}

/** The numbers of a tensor of this shape; null of another. */
function fitting(tensor, shape) {
  const isFitting = tensor && String(tensor.shape) === String(shape);
  return isFitting ? { values: tensor.values, byCell: true } : null;
}

/** The means of a joint gate (channels, height, width): of each channel's and each position's mean, and products that say what is
 * missing to them; where the maps have another grid, of each channel's alone. */
function jointOf(find, { channels, height, width }) {
  const channel = fitting(find('channel'), [channels]);
  if (!channel) return null;
  const spatial = fitting(find('spatial'), [height, width]);
  const [ofChannels, ofPositions] = [find('joint_channels'), find('joint_positions')];
  const count = height * width;
  const byCell = Boolean(spatial && ofChannels && ofPositions);
  const mean = byCell ? spatial.values.reduce((sum, value) => sum + value, 0) / count : 0;
  const values = new Float32Array(channels * count);
  for (let index = 0, place = 0; index < channels; index++)
    for (let position = 0; position < count; position++, place++) {
      values[place] = channel.values[index];
      if (!byCell) continue;
      values[place] += spatial.values[position] - mean + missing(index, position);
    }
  return { values, byCell };

  function missing(index, position) {
    const products = ofChannels.shape[1];
    let sum = 0;
    for (let each = 0; each < products; each++)
      sum +=
        ofChannels.values[index * products + each] * ofPositions.values[each * count + position];
    return sum;
  }
}
