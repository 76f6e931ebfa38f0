// What lies over the map: its grid, the wipe's edge, the cell that is pointed at and the chosen one, and their number.
import { usePointed } from '../app/pointing.js';
import { ink } from '../drawing/canvas.js';
import { cellAt, cellBox } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';

const GRID = 'rgba(255,255,255,.45)';
const NARROWEST_CELL = 3; // px; narrower ones get no grid

/** The marks on a map of ``size`` [width, height] in pixels, a slider over its cells; just a picture without a map. */
export function Marks({ viewer, layer, size }) {
  const { trace, state, set } = viewer;
  const pointed = usePointed(viewer, 'cell'); // by the pointer, or by keys
  const onPoint = (cell) => viewer.pointing.point({ cell });
  const [width, height] = size;
  const cell = pointed ?? state.pin;
  const hasMap = Boolean(layer?.map);
  const mine = ink(viewer.theme.name(), 'mine');
  const draw = (context) => {
    drawBelow(context, size); // so that a right click saves what one sees
    if (hasMap) drawMarks(context, viewer, layer, { pointed, mine }, size);
  };
  const pin = (chosen) => set({ pin: isSame(chosen, state.pin) ? null : chosen });
  const listeners = {
    onPointerMove: (event) => onPoint(cellUnder(event, trace, layer)),
    onPointerLeave: () => onPoint(null),
    onClick: (event) => pin(cellUnder(event, trace, layer)),
    onKeyDown: (event) => onKey(event, { layer, cell, pin, onPoint, set }),
  };
  const slider = {
    role: 'slider',
    tabIndex: 0,
    'aria-valuemin': 0,
    'aria-valuemax': hasMap ? layer.width * layer.height - 1 : 0,
    'aria-valuenow': hasMap && isOn(layer, cell) ? cell[0] * layer.width + cell[1] : 0,
    'aria-valuetext': hasMap ? cellText(viewer, layer, cell, pointed !== null) : undefined,
  };
  return h(Surface, {
    key: hasMap ? 'slider' : 'picture',
    width,
    height,
    draw,
    class: 'av-marks',
    'aria-label': viewer.describePicture(trace, layer),
    ...(hasMap ? { ...slider, ...listeners } : { role: 'img' }),
  });
}

/** The photo that lies below the marks. */
function drawBelow(context, [width, height]) {
  const photo = context.canvas.parentElement?.querySelector('.av-photo');
  if (photo?.width) context.drawImage(photo, 0, 0, width, height);
}

const isSame = (cell, other) => Boolean(cell && other) && cell.join() === other.join();

/** The cell under a pointer: [row, column] or null. */
export function cellUnder({ clientX, clientY, currentTarget }, trace, layer) {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  const x = ((clientX - left) / width) * trace.photo.width;
  const y = ((clientY - top) / height) * trace.photo.height;
  return cellAt(trace, layer, x, y);
}

function onKey(event, { layer, cell, pin, onPoint, set }) {
  const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
  if (across || down) {
    event.preventDefault();
    const [row, column] = cell ?? [0, 0];
    onPoint([clamp(row + down, 0, layer.height - 1), clamp(column + across, 0, layer.width - 1)]);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    pin(cell);
  } else if (event.key === 'Escape') {
    onPoint(null);
    set({ pin: null });
  }
}

const isOn = (layer, cell) => Boolean(cell) && cell[0] < layer.height && cell[1] < layer.width;

function drawMarks(context, { trace, state }, layer, { pointed, mine }, [width, height]) {
  const ratio = width / trace.photo.width;
  if (state.grid && layer.width * NARROWEST_CELL < width)
    drawGrid(context, layer, ratio, width, height);
  if (state.wipe > 0) {
    context.fillStyle = '#fff';
    context.fillRect(state.wipe * width - 1, 0, 2, height);
  }
  if (isOn(layer, state.pin)) {
    if (state.around) drawAround(context, layer, state, ratio);
    drawFrame(context, layer, state.pin, ratio, mine);
  }
  if (isOn(layer, pointed)) drawFrame(context, layer, pointed, ratio, '#fff');
}

function drawGrid(context, layer, ratio, width, height) {
  context.strokeStyle = GRID;
  context.lineWidth = 1;
  context.beginPath();
  for (let column = 0; column <= layer.width; column++) {
    const [x] = cellBox(layer, 0, column);
    context.moveTo(x * ratio, 0);
    context.lineTo(x * ratio, height);
  }
  for (let row = 0; row <= layer.height; row++) {
    const [, y] = cellBox(layer, row, 0);
    context.moveTo(0, y * ratio);
    context.lineTo(width, y * ratio);
  }
  context.stroke();
}

/** A dashed frame round as many cells a side as there are to be around the chosen one; what lies outside is not seen. */
function drawAround(context, layer, { pin: [row, column], around }, ratio) {
  const reach = (around - 1) / 2;
  const [x, y, width, height] = cellBox(layer, row - reach, column - reach);
  const box = [x, y, width * around, height * around].map((value) => value * ratio);
  context.lineWidth = 3;
  context.strokeStyle = '#000';
  context.strokeRect(...box);
  context.strokeStyle = '#fff';
  context.setLineDash([8, 6]);
  context.strokeRect(...box);
  context.setLineDash([]);
}

function drawFrame(context, layer, cell, ratio, colour) {
  const box = cellBox(layer, ...cell).map((value) => value * ratio);
  for (const [style, lineWidth] of [
    ['#000', 5],
    ['#fff', 3],
    [colour, 2],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

/** A line that says the number of the cell that is pointed at, else of the chosen one; none is chosen while one paints. */
export function CellReadOut({ viewer, layer }) {
  const pointed = usePointed(viewer, 'cell');
  const cell = pointed ?? viewer.state.pin;
  const isHint = !isOn(layer, cell);
  const isPainting = viewer.tools?.isPainting(viewer, layer);
  const text = isHint && isPainting ? '' : cellText(viewer, layer, cell, pointed !== null);
  return h('p', { class: 'av-readout' }, text);
}

/** What a cell's number is, ``isPointed`` or chosen; what there is to do without a cell. */
function cellText({ say }, layer, cell, isPointed) {
  if (!isOn(layer, cell)) return say('readout_hint');
  const [row, column] = cell;
  const value = digits(layer.map.values[row * layer.width + column]);
  return say(isPointed ? 'readout' : 'readout_pinned', { row: row + 1, column: column + 1, value });
}
