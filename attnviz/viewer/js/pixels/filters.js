// Which pixels make one of a resampled picture, and with which weights: Pillow's Resample.c, in its fixed point.

export const BITS = 22; // behind the point of a weight

const A = -0.5; // of the cubic polynomials

/** How far each filter reaches, in pixels of the smaller picture, and how much it weighs at a distance. */
const FILTERS = {
  box: { reach: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, weigh: cubic },
};

function cubic(x) {
  const distance = Math.abs(x);
  if (distance < 1) return ((A + 2) * distance - (A + 3)) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * A : 0;
}

/** Of each of ``count`` new pixels of a line of ``length`` old ones, between two places in it, the first old pixel that it is
 * made of (``starts``), how many those are (``counts``), and their weights, ``most`` for each. */
export function weightsOfLine(length, begin, end, count, filter) {
  const { reach, weigh } = FILTERS[filter];
  const scale = Math.fround(end - begin) / count;
  const spread = Math.max(scale, 1);
  const support = reach * spread;
  const most = Math.ceil(support) * 2 + 1;
  const line = {
    starts: new Int32Array(count),
    counts: new Int32Array(count),
    weights: new Int32Array(count * most),
    most,
  };
  for (let index = 0; index < count; index++) {
    const centre = begin + (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(length, Math.trunc(centre + support + 0.5));
    line.starts[index] = first;
    line.counts[index] = last - first;
    const exact = Array.from({ length: last - first }, (_, place) =>
      weigh((place + first - centre + 0.5) * (1 / spread)),
    );
    line.weights.set(inFixedPoint(exact), index * most);
  }
  return line;
}

/** Weights whose sum is one, as whole numbers. */
function inFixedPoint(exact) {
  const sum = exact.reduce((total, weight) => total + weight, 0);
  return exact.map((weight) => {
    const share = (sum === 0 ? weight : weight / sum) * 2 ** BITS;
    return Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
  });
}
