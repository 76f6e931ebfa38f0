// An order that follows from a seed alone, the same as interventions/edits.py draws.

const STEP = 0x6d2b79f5; // of mulberry32
const RANGE = 2 ** 32;

/** The numbers 0 to count − 1 in an order of the seed's: Fisher and Yates' shuffle, its draws by mulberry32. */
export function permutation(count, seed) {
  const order = Array.from({ length: count }, (_, index) => index);
  let state = (seed % RANGE) | 0;
  for (let last = count - 1; last > 0; last--) {
    state = (state + STEP) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const drawn = Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) * (last + 1)) / RANGE);
    [order[last], order[drawn]] = [order[drawn], order[last]];
  }
  return order;
}
