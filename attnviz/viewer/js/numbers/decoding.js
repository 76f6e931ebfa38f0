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
    steps: layer.steps.map(([name, index]) => named(name, arrays[index])),
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
 * vector's height is 1; and the distance between two values that can be told apart. Values are decoded when they are
 * first looked at: most arrays are steps of layers that nobody opens. */
function decoded(about, bytes) {
  let offset = 0;
  return about.map(([shape, low, high, size]) => {
    const width = shape.at(-1);
    const height = shape.length > 1 ? shape[0] : 1;
    const greatest = size === 2 ? 65534 : 254;
    const from = offset;
    let values = null;
    offset += width * height * size;
    return {
      height,
      width,
      grain: (high - low) / greatest,
      get values() {
        values ??= valuesOf(codesAt(bytes, from, width * height, size), height, greatest, [
          low,
          high,
        ]);
        return values;
      },
    };
  });
}

/** An array under a name, whose values are decoded no earlier. */
const named = (name, array) =>
  Object.defineProperties({ name }, Object.getOwnPropertyDescriptors(array));

/** The values of an array's codes, which this changes. */
function valuesOf(codes, height, greatest, [low, high]) {
  if (height > 1) addUp(codes, codes.length / height, greatest + 1);
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index];
    values[index] = code > greatest ? NaN : low + (code / greatest) * (high - low);
  }
  return values;
}

/** The codes of an array, of one byte each or of two: first all high bytes, then all low ones. */
function codesAt(bytes, offset, count, size) {
  if (size === 1) return Uint16Array.from(bytes.subarray(offset, offset + count));
  const codes = new Uint16Array(count);
  for (let index = 0; index < count; index++)
    codes[index] = (bytes[offset + index] << 8) | bytes[offset + count + index];
  return codes;
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
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
