// Files of weights as site/packing.py writes them: even bytes before odd ones, by gzip.
import { Fault } from '../engine/fault.js';
import { received } from './receiving.js';

/** The bytes of a file of weights. Throws a Fault if they are damaged. */
export async function unpacked(bytes) {
  const parted = await inflated(bytes);
  const half = Math.ceil(parted.length / 2);
  const whole = new Uint8Array(parted.length);
  const pairs = new Uint16Array(whole.buffer, 0, parted.length >> 1); // written as one, which is much quicker
  for (let index = 0; index < pairs.length; index++)
    pairs[index] = parted[index] | (parted[half + index] << 8);
  if (parted.length % 2) whole[whole.length - 1] = parted[half - 1];
  return whole;
}

async function inflated(bytes) {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  const written = Promise.all([writer.write(bytes), writer.close()]);
  try {
    return (await Promise.all([received(readable), written]))[0];
  } catch {
    throw new Fault('fault_weights_damaged');
  }
}
