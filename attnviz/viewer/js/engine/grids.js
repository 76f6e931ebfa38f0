// Maps on another grid.

/** Maps (…, height, width) resized to another grid: bilinear, cells' middles on cells' middles, as PyTorch's interpolate. */
export function onGrid(values, from, to) {
  const [rows, columns] = [placesOn(from.height, to.height), placesOn(from.width, to.width)];
  const count = from.height * from.width;
  const maps = values.length / count;
  const resized = new Float64Array(maps * to.height * to.width);
  let at = 0;
  for (let first = 0; first < values.length; first += count)
    for (const [top, bottom, low] of rows)
      for (const [left, right, near] of columns) {
        const across = (row) => {
          const start = first + row * from.width;
          return values[start + left] * (1 - near) + values[start + right] * near;
        };
        resized[at++] = across(top) * (1 - low) + across(bottom) * low;
      }
  return resized;
}

/** For each of ``count`` cells the two of ``length`` cells between which its middle lies, and the share of the second. */
function placesOn(length, count) {
  return Array.from({ length: count }, (_, index) => {
    const place = Math.max(0, ((index + 0.5) * length) / count - 0.5);
    const first = Math.floor(place);
    return [first, Math.min(first + 1, length - 1), place - first];
  });
}
