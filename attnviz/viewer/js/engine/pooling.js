// Means and maxima over positions, over channels, and over the windows behind the stem.

/** Of each channel of features the ``mean``, the ``maximum`` and the mean size (without sign) over its positions. */
export function poolPositions({ channels, height, width }, values) {
  const [mean, maximum, sizes] = Array.from({ length: 3 }, () => new Float32Array(channels));
  const count = height * width;
  for (let channel = 0, place = 0; channel < channels; channel++) {
    let [sum, size, greatest] = [0, 0, -Infinity];
    for (const end = place + count; place < end; place++) {
      const value = values[place];
      sum += value;
      size += Math.abs(value);
      greatest = Math.max(greatest, value);
    }
    mean[channel] = sum / count;
    sizes[channel] = size / count;
    maximum[channel] = greatest;
  }
  return { mean, maximum, sizes };
}

/** Into ``maps`` (2, positions): at each position the mean and the maximum over channels. */
export function poolChannels({ channels, height, width }, values, maps) {
  const count = height * width;
  const sums = new Float64Array(count);
  const greatest = maps.subarray(count).fill(-Infinity);
  for (let channel = 0, place = 0; channel < channels; channel++)
    for (let position = 0; position < count; position++, place++) {
      sums[position] += values[place];
      greatest[position] = Math.max(greatest[position], values[place]);
    }
  for (let position = 0; position < count; position++) maps[position] = sums[position] / channels;
}

/** The maxima of windows of 3 × 3 positions, every second one in each direction. */
export function poolWindows(memory, x) {
  const [height, width] = [Math.ceil(x.height / 2), Math.ceil(x.width / 2)];
  const y = memory.features(x.channels, height, width);
  const [from, to] = [memory.read(x), memory.read(y)];
  const rows = new Float32Array(x.height * width); // a channel, its columns pooled already
  for (let channel = 0; channel < x.channels; channel++) {
    const plane = from.subarray(channel * x.height * x.width, (channel + 1) * x.height * x.width);
    for (let row = 0; row < x.height; row++)
      poolThrees(plane, row * x.width, x.width, 1, rows, row * width, 1, width);
    const pooled = to.subarray(channel * height * width, (channel + 1) * height * width);
    for (let column = 0; column < width; column++)
      poolThrees(rows, column, x.height, width, pooled, column, width, height);
  }
  return y;
}

/** The maxima of every second number of a line and its two neighbours; lines begin somewhere and go on by a step. */
function poolThrees(from, start, length, step, to, first, stride, count) {
  for (let index = 0; index < count; index++) {
    const at = start + 2 * index * step;
    let greatest = from[at];
    if (index > 0) greatest = Math.max(greatest, from[at - step]);
    if (2 * index + 1 < length) greatest = Math.max(greatest, from[at + step]);
    to[first + index * stride] = greatest;
  }
}
