// A capture becomes arrays, and arrays become numbers. Nothing here draws or speaks.

const HIGH = 0.9;
const LOW = 0.1; // as in analysis.py

/** A capture as packing.py made it -> the same with arrays in place of their indices. */
export async function unpack(capture) {
  const arrays = decoded(capture.arrays.about, await inflated(capture.arrays.data));
  const layers = capture.layers.map((layer) => {
    const made = {
      ...layer,
      arrays: undefined,
      steps: layer.steps.map(([name, index]) => ({ name, ...arrays[index] })),
    };
    for (const [part, index] of Object.entries(layer.arrays)) made[part] = arrays[index];
    return made;
  });
  return { ...capture, arrays: undefined, layers };
}

/** One channel's features before and after a gate, as arrays. */
export async function unpackFeatures({ before, after, arrays }) {
  const found = decoded(arrays.about, await inflated(arrays.data));
  return { before: found[before], after: found[after] };
}

/** {values, height, width, grain}: a Float32Array, its shape (a vector has height 1), and how fine its numbers are. */
function decoded(about, bytes) {
  let at = 0;
  return about.map(([shape, low, high, size]) => {
    const width = shape[shape.length - 1];
    const height = shape.length > 1 ? shape[0] : 1;
    const count = width * height;
    const most = size === 2 ? 65534 : 254;
    const values = new Float32Array(count);
    const codes = new Uint16Array(count);
    for (let i = 0; i < count; i++)
      codes[i] = size === 2 ? (bytes[at + i] << 8) | bytes[at + count + i] : bytes[at + i];
    if (height > 1) {
      for (let i = 0; i < count; i++) {
        const before = i % width ? codes[i - 1] : i ? codes[i - width] : 0;
        codes[i] = (codes[i] + before) & (size === 2 ? 0xffff : 0xff);
      }
    }
    for (let i = 0; i < count; i++)
      values[i] = codes[i] > most ? NaN : low + (codes[i] / most) * (high - low);
    at += count * size;
    return { values, height, width, grain: (high - low) / most };
  });
}

async function inflated(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Of the defined ones: {mean, std, least, greatest, high, low, undefined}; the shares are of the gate, so BAM's factor counts from 1. */
export function summary(values, kind) {
  let count = 0;
  let sum = 0;
  let least = Infinity;
  let greatest = -Infinity;
  let high = 0;
  let low = 0;
  const less = kind === 'bam' ? 1 : 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    high += value - less > HIGH;
    low += value - less < LOW;
  }
  if (!count)
    return {
      mean: NaN,
      std: NaN,
      least: NaN,
      greatest: NaN,
      high: NaN,
      low: NaN,
      undefined: values.length,
    };
  const mean = sum / count;
  let squares = 0;
  for (const value of values) if (!Number.isNaN(value)) squares += (value - mean) ** 2;
  return {
    mean,
    std: Math.sqrt(squares / count),
    least,
    greatest,
    high: high / count,
    low: low / count,
    undefined: values.length - count,
  };
}

/** Channel indices by "index", "size" (greatest first) or "surprise" (farthest from the mean first); ties by index, undefined last. */
export function ranked(values, order) {
  const indices = Array.from(values, (_, index) => index);
  if (order === 'index') return indices;
  const { mean } = summary(values);
  const key = (index) =>
    Number.isNaN(values[index])
      ? -Infinity
      : order === 'size'
        ? values[index]
        : Math.abs(values[index] - mean);
  return indices.sort((a, b) => key(b) - key(a) || a - b);
}

/** What a layer's bars show: the factor on each channel, or the first path's share of it; null if it has neither. */
export function weightsOf(layer) {
  if (layer.channel) return layer.channel.values;
  return layer.paths ? layer.paths.values.subarray(0, layer.paths.width) : null;
}

/** What the first and the last colour of a layer's map stand for, as in analysis.map_range; ``shown`` are the models on the screen. */
export function mapRange(model, layer, scale, shown = []) {
  const stage = layer.stage;
  const among =
    {
      map: [layer],
      stage: model.layers.filter((other) => other === layer || (stage && other.stage === stage)),
      network: model.layers,
      shown: [model, ...shown.filter((other) => other !== model)].flatMap((other) => other.layers),
    }[scale] ?? [];
  let low = Infinity;
  let high = -Infinity;
  for (const other of among) {
    if (!other.map || other.shares !== layer.shares) continue;
    for (const value of other.map.values)
      if (!Number.isNaN(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
  }
  return high > low ? [low, high] : layer.mapLimits;
}

/** BAM's factor of one channel at each place, (h, w). */
export function bamFactor(layer, channel) {
  const own = layer.channel_logits.values[channel];
  const product = layer.formula === 'bam product';
  const values = layer.spatial_logits.values.map(
    (place) => 1 + sigmoid(product ? own * place : own + place),
  );
  return { ...layer.spatial_logits, values };
}

/** A value blended bilinearly between the cells' centres; row and column count cells, with fractions. */
export function blended(map, row, column) {
  const y = Math.min(Math.max(row - 0.5, 0), map.height - 1);
  const x = Math.min(Math.max(column - 0.5, 0), map.width - 1);
  const top = Math.floor(y);
  const left = Math.floor(x);
  const bottom = Math.min(top + 1, map.height - 1);
  const right = Math.min(left + 1, map.width - 1);
  const at = (r, c) => map.values[r * map.width + c];
  const upper = mixed(at(top, left), at(top, right), x - left);
  const lower = mixed(at(bottom, left), at(bottom, right), x - left);
  return mixed(upper, lower, y - top);
}

function mixed(a, b, share) {
  return share === 0 ? a : a * (1 - share) + b * share;
}

/** A number with as many digits as its grain allows, at least two behind the point, at most ``most``. */
export function digits(value, grain = 0, most = 3) {
  if (Number.isNaN(value)) return '–';
  const fine = grain > 0 ? Math.max(0, Math.ceil(-Math.log10(grain))) : most;
  const small = Math.abs(value) >= 5e-4 && Math.abs(value) < 0.05 ? most + 2 : most;
  const text = value.toFixed(Math.min(small, Math.max(2, fine)));
  return text.replace('-', '−');
}

/** A table's rows for a grid: row, column, and what each of ``written`` says of the cell. */
export const cellRows = ({ height, width }, written) =>
  Array.from({ length: height * width }, (_, place) => [
    String(Math.floor(place / width) + 1),
    String((place % width) + 1),
    ...written.map((write) => write(place)),
  ]);

export const percent = (share, behind = 0) =>
  Number.isNaN(share) ? '–' : `${(100 * share).toFixed(behind)}%`;
