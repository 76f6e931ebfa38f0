// A frame on a small picture: where the cell is that is pointed at on the map or elsewhere, else the chosen one.
import { usePointed } from '../app/pointing.js';
import { h } from '../vendor/preact.js';
import { cellAt, cellBox } from './overlay.js';

/** The frame, on a picture that it lies over. ``boxOf`` gives for a cell of the shown layer, [row, column], its place as
 * shares of the picture, [left, top, width, height], or null. */
export function CellFrame({ viewer, boxOf }) {
  const pointed = usePointed(viewer, 'cell');
  const cell = pointed ?? viewer.state.pin;
  const box = cell && boxOf(cell);
  if (!box) return null;
  const [left, top, width, height] = box.map((share) => 100 * share);
  const style = {
    left: `${left + width / 2}%`,
    top: `${top + height / 2}%`,
    width: `${width}%`,
    height: `${height}%`,
  };
  return h('span', { class: `av-cell${pointed ? '' : ' av-mine'}`, style, 'aria-hidden': 'true' });
}

/** Where cells lie on a picture of a map of that ``height`` and ``width`` in cells. */
export const onGrid =
  ({ height, width }) =>
  ([row, column]) =>
    row < height && column < width ? [column / width, row / height, 1 / width, 1 / height] : null;

/** Where cells of the layer ``shown`` lie on the photo with another layer's map: that layer's cell at the same place. */
export const onPhoto = (trace, shown, layer) => (cell) => {
  if (!shown?.map) return null;
  const [left, top, width, height] = cellBox(shown, ...cell);
  const there = layer.map && cellAt(trace, layer, left + width / 2, top + height / 2);
  const [x, y, across, down] = there ? cellBox(layer, ...there) : [left, top, width, height];
  const { photo } = trace;
  return [x / photo.width, y / photo.height, across / photo.width, down / photo.height];
};

/** The cell of a map of that ``height`` and ``width`` in cells under a pointer on its picture. */
export function cellUnder({ clientX, clientY, currentTarget }, { height, width }) {
  const box = currentTarget.getBoundingClientRect();
  const row = Math.floor(((clientY - box.top) / box.height) * height);
  const column = Math.floor(((clientX - box.left) / box.width) * width);
  return row >= 0 && row < height && column >= 0 && column < width ? [row, column] : null;
}
