// The filters of PNG undone: each row says what its bytes are differences from.

/** By a filter's number: what is added to a byte, of the bytes to the left, above, and above to the left. */
const FILTERS = [
  () => 0,
  (left) => left,
  (_left, above) => above,
  (left, above) => (left + above) >> 1,
  nearest,
];

/** Paeth's: whichever of the three is nearest to left + above - corner. */
function nearest(left, above, corner) {
  const guess = left + above - corner;
  const toLeft = Math.abs(guess - left);
  const toAbove = Math.abs(guess - above);
  const toCorner = Math.abs(guess - corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** The bytes of rows, ``stride`` each, before whose each stands its filter; a pixel has ``step`` bytes. Throws a RangeError for a
 * filter that there is not. */
export function unfiltered(packed, stride, rows, step) {
  const bytes = new Uint8Array(stride * rows);
  for (let row = 0; row < rows; row++) {
    const from = row * (stride + 1);
    const filter = FILTERS[packed[from]];
    if (!filter) throw new RangeError('there is no such filter');
    for (let column = 0, at = row * stride; column < stride; column++, at++) {
      const left = column < step ? 0 : bytes[at - step];
      const above = row ? bytes[at - stride] : 0;
      const corner = row && column >= step ? bytes[at - stride - step] : 0;
      bytes[at] = packed[from + 1 + column] + filter(left, above, corner);
    }
  }
  return bytes;
}
