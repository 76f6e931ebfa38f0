// Arrays as NumPy stores them: .npy files, and zips of those.
import { zipped } from './zip.js';

const MAGIC = [0x93, ...Array.from('NUMPY', (letter) => letter.charCodeAt(0)), 1, 0];
const START = MAGIC.length + 2; // bytes before the header's text
const ALIGNMENT = 64;

/** The bytes of an .npz file of arrays by name: {values: Float32Array, height, width}, of which a height of 1 is a vector's. */
export async function npzOf(arrays) {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npyOf(array)]);
  return new Uint8Array(await (await zipped(files)).arrayBuffer());
}

function npyOf({ values, height, width, isMap = height > 1 }) {
  const shape = isMap ? `(${height}, ${width})` : `(${width},)`;
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((START + about.length + 1) / ALIGNMENT) * ALIGNMENT - START;
  const bytes = new Uint8Array(START + length + values.byteLength);
  bytes.set([...MAGIC, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(`${about.padEnd(length - 1)}\n`), START);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), START + length);
  return bytes;
}
