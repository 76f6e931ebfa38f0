// Which part of a photo a network sees, at what size, and where on the photo a map lies: photos/geometry.py.
import { roundHalfEven } from './rounding.js';

const LONGEST = 4; // a whole photo's longer side is at most this many times the recipe's ``resize``

/** The region of all of a photo: its ``box`` (left, top, right, bottom) and the ``size`` [height, width] of the input. */
function whole({ width, height }, { resize }) {
  const scale = Math.min(
    resize / Math.min(width, height),
    (LONGEST * resize) / Math.max(width, height),
  );
  const size = [height, width].map((side) => Math.max(1, roundHalfEven(side * scale)));
  return { box: [0, 0, width, height], size };
}

/** The region of a photo's centre square. */
function crop({ width, height }, { resize, crop: side }) {
  const edge = (Math.min(width, height) * side) / resize;
  const [left, top] = [(width - edge) / 2, (height - edge) / 2];
  return { box: [left, top, left + edge, top + edge], size: [side, side] };
}

const VIEWS = { whole, crop };

/** The region that a view, 'whole' or 'crop', is of, by a network's recipe. */
export const regionOf = (photo, recipe, view) => VIEWS[view](photo, recipe);

/** Where a map of so many rows and columns lies on the photo. Its last cells may hang over the edge. */
export function mapBox({ box: [left, top, right, bottom], size: [height, width] }, rows, columns) {
  return [
    left,
    top,
    left + ((right - left) * covered(width, columns)) / width,
    top + ((bottom - top) * covered(height, rows)) / height,
  ];
}

/** How many pixels of the input that many cells cover, of a side in pixels. */
function covered(side, cells) {
  let stride = 1;
  while (Math.ceil(side / stride) > cells) stride *= 2;
  return Math.ceil(side / stride) === cells ? cells * stride : side;
}
