// Files of weights as site/packing.py writes them: even bytes before odd ones, by gzip.
import { Fault } from '../engine/fault.js';

/** The bytes of a file of weights. Throws a Fault if they are damaged. */
export async function unpacked(bytes) {
  const parted = await inflated(bytes);
  const half = Math.ceil(parted.length / 2);
  const whole = new Uint8Array(parted.length);
  for (let index = 0; index < half; index++) whole[2 * index] = parted[index];
  for (let index = half; index < parted.length; index++)
    whole[2 * (index - half) + 1] = parted[index];
  return whole;
}

async function inflated(bytes) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Fault('fault_weights_damaged');
  }
}
