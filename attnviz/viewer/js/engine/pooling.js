// Means and maxima over positions, over channels, and over the windows behind the stem.

/** Of each channel of features the ``mean``, the ``maximum`` and the mean size (without sign) over its positions. */
export function poolPositions(memory, { channels, height, width, at }) {
  return memory.within(() => {
    const pooled = memory.room(3 * channels);
    memory.code.pool_positions(at, channels, height * width, pooled);
    const all = memory.view(pooled, 3 * channels);
    const part = (place) => all.slice(place * channels, (place + 1) * channels);
    return { mean: part(0), maximum: part(1), sizes: part(2) };
  });
}

/** Features (2, height, width): at each position the mean and the maximum over channels. */
export function poolChannels(memory, { channels, height, width, at }) {
  const maps = memory.features(2, height, width);
  memory.within(() => {
    const sums = memory.room(2 * height * width); // in double precision
    memory.code.pool_channels(at, channels, height * width, sums, maps.at);
  });
  return maps;
}

/** The maxima of windows of 3 × 3 positions, every second one in each direction. */
export function poolWindows(memory, { channels, height, width, at }) {
  const y = memory.features(channels, Math.ceil(height / 2), Math.ceil(width / 2));
  memory.within(() => {
    memory.code.pool_windows(at, channels, height, width, memory.room(width), y.at);
  });
  return y;
}
