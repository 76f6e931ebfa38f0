// Photos that were taken with the camera held otherwise, turned upright.

/** By EXIF's orientation: where a pixel of the upright photo is found, in a picture of so many columns and rows. */
const PLACES = {
  2: (x, y, columns) => [columns - 1 - x, y],
  3: (x, y, columns, rows) => [columns - 1 - x, rows - 1 - y],
  4: (x, y, _columns, rows) => [x, rows - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _columns, rows) => [y, rows - 1 - x],
  7: (x, y, columns, rows) => [columns - 1 - y, rows - 1 - x],
  8: (x, y, columns) => [columns - 1 - y, x],
};
const LYING = 5; // from here on width and height change places

/** A Picture as EXIF's ``orientation``, 1 to 8, wants it shown. */
export function turned(picture, orientation) {
  const placeOf = PLACES[orientation];
  if (!placeOf) return picture;
  const { pixels, width: columns, height: rows, bands } = picture;
  const [width, height] = orientation < LYING ? [columns, rows] : [rows, columns];
  const made = new Uint8ClampedArray(width * height * bands);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += bands) {
      const [column, row] = placeOf(x, y, columns, rows);
      const from = (row * columns + column) * bands;
      for (let band = 0; band < bands; band++) made[to + band] = pixels[from + band];
    }
  return { pixels: made, width, height, bands };
}
