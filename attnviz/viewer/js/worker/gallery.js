// All channels' features before a gate as thumbnails, see viewer/encoding.py.

const CELLS = 200_000; // of all channels together

/** {height, width, shares, sizes} of features (channels, height, width): of each channel its numbers as shares of its
 * greatest (in size), of cells averaged in squares where there are many, and the mean of their sizes. */
export function galleryOf({ before, channels, height, width, sizes }) {
  const side = Math.max(1, Math.ceil(Math.sqrt(before.length / CELLS)));
  const [rows, columns] = [height, width].map((length) => Math.ceil(length / side));
  const count = height * width;
  const shares = new Float32Array(channels * rows * columns);
  for (let channel = 0; channel < channels; channel++) {
    const map = before.subarray(channel * count, (channel + 1) * count);
    const small = averaged({ map, height, width, rows, columns, side });
    const greatest = small.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    shares.set(
      small.map((value) => value / greatest),
      channel * rows * columns,
    );
  }
  return { height: rows, width: columns, shares, sizes };
}

/** A map, its cells averaged in squares, fewer at the right and below. */
function averaged({ map, height, width, rows, columns, side }) {
  const sums = new Float32Array(rows * columns);
  const counts = new Uint32Array(rows * columns);
  for (let row = 0, at = 0; row < height; row++)
    for (let column = 0; column < width; column++, at++) {
      const place = Math.floor(row / side) * columns + Math.floor(column / side);
      sums[place] += map[at];
      counts[place] += 1;
    }
  return sums.map((sum, place) => sum / counts[place]);
}
