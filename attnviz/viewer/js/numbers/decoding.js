// A capture, as viewer/encoding.py writes it, becomes a trace: its arrays in place of their indices.

/** The trace of a capture. Each layer has its arrays under their names (``channel``, ``map``, ``channel_logits``,
 * ``spatial_logits``, ``paths``, ``sizes``) and ``steps``, a list of arrays with names; see ``decoded`` for what an array is. */
export async function unpack(capture) {
  const arrays = decoded(capture.arrays.about, await inflated(capture.arrays.data));
  const layers = capture.layers.map((layer) => ({
    ...layer,
    ...Object.fromEntries(
      Object.entries(layer.arrays).map(([part, index]) => [part, arrays[index]]),
    ),
    arrays: undefined,
    steps: layer.steps.map(([name, index]) => ({ name, ...arrays[index] })),
  }));
  return { ...capture, arrays: undefined, layers };
}

/** One channel's features before and after a gate: {before, after}, arrays (h, w). */
export async function unpackFeatures({ before, after, arrays }) {
  const features = decoded(arrays.about, await inflated(arrays.data));
  return { before: features[before], after: features[after] };
}

/** All channels' features before a gate as thumbnails, see viewer/encoding.py: {height, width, shares, sizes}. */
export async function unpackGallery({ height, width, shares, sizes, arrays }) {
  const unpacked = decoded(arrays.about, await inflated(arrays.data));
  return { height, width, shares: unpacked[shares].values, sizes: unpacked[sizes].values };
}

/** Arrays {values, height, width, grain}: a Float32Array, row by row, NaN where nothing is known; its shape, a
 * vector's height is 1; and the distance between two values that can be told apart. */
function decoded(about, bytes) {
  let offset = 0;
  return about.map(([shape, low, high, size]) => {
    const width = shape.at(-1);
    const height = shape.length > 1 ? shape[0] : 1;
    const count = width * height;
    const greatest = size === 2 ? 65534 : 254;
    const codes = codesAt(bytes, offset, count, size);
    if (height > 1) addUp(codes, width, greatest + 1);
    const values = Float32Array.from(codes, (code) =>
      code > greatest ? NaN : low + (code / greatest) * (high - low),
    );
    offset += count * size;
    return { values, height, width, grain: (high - low) / greatest };
  });
}

/** The codes of an array, of one byte each or of two: first all high bytes, then all low ones. */
function codesAt(bytes, offset, count, size) {
  if (size === 1) return Uint16Array.from(bytes.subarray(offset, offset + count));
  return Uint16Array.from({ length: count }, (_, index) => {
    return (bytes[offset + index] << 8) | bytes[offset + count + index];
  });
}

/** Undo the differences from cell to cell: along each row, and from row to row in the first column. */
function addUp(codes, width, mask) {
  for (let index = 1; index < codes.length; index++) {
    const before = index % width ? codes[index - 1] : codes[index - width];
    codes[index] = (codes[index] + before) & mask;
  }
}

/** The bytes of a text that zlib and base64 made of them. */
async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
