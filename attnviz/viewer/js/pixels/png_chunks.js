// The parts of a PNG file that tell how its samples lie, and the samples themselves as they were filtered.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const AROUND = 12; // bytes of a chunk beside its data: length, name, checksum

/** {width, height, depth, colour, isInterlaced, bits, data, names} of a PNG: ``depth`` in bits a sample, PNG's ``colour`` type, the
 * most ``bits`` that it says are used (null where it says nothing), the Uint8Arrays of its ``data``, and all chunks' names. null
 * for what is no PNG. */
export function pngParts(bytes) {
  if (!SIGNATURE.every((byte, place) => bytes[place] === byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = { bits: null, data: [], names: new Set() };
  for (let at = SIGNATURE.length; at + AROUND <= bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    take(parts, name, bytes.subarray(at + 8, at + 8 + length));
    at += length + AROUND;
  }
  return parts;
}

function take(parts, name, content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  parts.names.add(name);
  if (name === 'IDAT') parts.data.push(content);
  if (name === 'sBIT') parts.bits = Math.max(...content);
  if (name !== 'IHDR') return;
  const [depth, colour, , , interlace] = content.subarray(8, 13);
  const size = { width: view.getUint32(0), height: view.getUint32(4) };
  Object.assign(parts, size, { depth, colour, isInterlaced: interlace > 0 });
}
