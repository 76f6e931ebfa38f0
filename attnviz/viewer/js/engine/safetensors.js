// Files of weights: safetensors, in half or single precision.
// The format: eight bytes, the length of a header in JSON, which says of each tensor its type, its shape and where it lies.
import { Fault } from './fault.js';
import { Weights } from './weights.js';

const SIZES = { F16: 2, F32: 4 }; // bytes a number; what has another type is no weight
const LENGTH_BYTES = 8;
const OF_CONVOLUTION = 4; // dimensions: outputs, channels, rows, columns

/** The Weights in a file. Throws a Fault if it is damaged, or holds what is no number; for those of convolutions, which are most of
 * it, convolution.js finds that out. */
export function readWeights(bytes) {
  try {
    return weightsOf(bytes);
  } catch (error) {
    throw error instanceof Fault ? error : new Fault('fault_weights_damaged');
  }
}

function weightsOf(file) {
  const { header, data } = partsOf(file);
  const [tensors, windows] = [new Map(), new Map()];
  for (const [name, { dtype, shape, data_offsets: place }] of Object.entries(header)) {
    if (!(dtype in SIZES)) continue;
    const bytes = bytesBetween(data, place, SIZES[dtype] * shape.reduce(product, 1));
    const isHalf = dtype === 'F16';
    if (shape.length === OF_CONVOLUTION) windows.set(name, { name, shape, bytes, isHalf });
    else tensors.set(name, { shape, values: finite(numbersOf(bytes, isHalf), name) });
  }
  return new Weights(tensors, windows);
}

const product = (one, other) => one * other;

/** The header of a file, and its data behind that. */
function partsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = LENGTH_BYTES + Number(view.getBigUint64(0, true));
  if (end > bytes.length) throw new Fault('fault_weights_damaged');
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, end)));
  return { header, data: bytes.subarray(end) };
}

/** As many bytes as there have to be between two places of the data. */
function bytesBetween(data, [begin, end], length) {
  if (begin < 0 || end > data.length || end - begin !== length)
    throw new Fault('fault_weights_damaged');
  return data.subarray(begin, end);
}

function numbersOf(bytes, isHalf) {
  const { buffer } = bytes.slice(); // whose first byte is aligned
  return isHalf ? widened(new Uint16Array(buffer)) : new Float32Array(buffer);
}

function finite(values, name) {
  if (!values.every(Number.isFinite)) throw new Fault('fault_weights_not_finite', { name });
  return values;
}

/** Numbers in single precision from the bits of halves: a sign, five bits of exponent, ten of fraction. */
export function widened(halves) {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent > 0) bits[index] = sign | (exponentOf(exponent) << 23) | (fraction << 13);
    else values[index] = (sign ? -1 : 1) * fraction * 2 ** -24; // too small for a leading one
  }
  return values;
}

/** The exponent in single precision; that of infinity and NaN stays the greatest. */
const exponentOf = (half) => (half === 31 ? 255 : half - 15 + 127);
