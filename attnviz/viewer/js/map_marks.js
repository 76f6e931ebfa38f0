// What lies over the map: its grid, the wipe's edge, the cell under the pointer and the pinned one, and their number.
import { contextOf } from './canvas.js';
import { h } from './dom.js';
import { digits } from './format.js';
import { cellAt, cellBox } from './overlay.js';
import { clamp } from './scale.js';

const PINNED = '#ffb000';
const GRID = 'rgba(255,255,255,.45)';
const NARROWEST_CELL = 3; // px; narrower ones get no grid

/** The marks, a slider over the map's cells, which says a cell's number in ``readout``. */
export class MapMarks {
  #viewer;
  #readout;
  #cursor = null; // the cell under the pointer, or reached by keys: [row, column]
  #size = [0, 0]; // px

  constructor(viewer, readout) {
    this.#viewer = viewer;
    this.#readout = readout;
    const on = {
      pointermove: (event) => viewer.layer()?.map && this.#point(this.#cellUnder(event)),
      pointerleave: () => this.#point(null),
      click: (event) => viewer.layer()?.map && this.#pin(this.#cellUnder(event)),
      keydown: (event) => viewer.layer()?.map && this.#onKey(event),
    };
    const slider = { tabindex: 0, role: 'slider', 'aria-valuemin': 0 };
    this.element = h('canvas', { class: 'av-marks', ...slider, on });
  }

  /** Draw the marks on a map of a size [width, height] in pixels. */
  draw(size) {
    this.#size = size;
    const layer = this.#viewer.layer();
    const context = contextOf(this.element, ...size);
    this.element.tabIndex = layer?.map ? 0 : -1;
    if (!layer?.map) return;
    drawMarks(context, this.#viewer, layer, this.#cursor, size);
    const wanted = this.#cursor ?? this.#viewer.state.pin;
    this.#say(layer, isOn(layer, wanted) ? wanted : null);
  }

  /** Another layer, trace or language: a slider over its cells, or just a picture. */
  renew(layer) {
    const { trace, describePicture } = this.#viewer;
    this.#cursor = null;
    this.element.setAttribute('role', layer?.map ? 'slider' : 'img');
    this.element.setAttribute('aria-label', describePicture(trace, layer));
    if (layer?.map) return;
    for (const name of ['valuemin', 'valuemax', 'valuenow', 'valuetext'])
      this.element.removeAttribute(`aria-${name}`);
  }

  #say(layer, cell) {
    const text = cellText(this.#viewer, layer, cell, this.#cursor !== null);
    this.#readout.textContent = text;
    this.element.setAttribute('aria-valuemin', 0);
    this.element.setAttribute('aria-valuemax', layer.width * layer.height - 1);
    this.element.setAttribute('aria-valuenow', cell ? cell[0] * layer.width + cell[1] : 0);
    this.element.setAttribute('aria-valuetext', text);
  }

  /** The cell under a pointer: [row, column] or null. */
  #cellUnder(event) {
    const { trace } = this.#viewer;
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const x = ((event.clientX - left) / width) * trace.photo.width;
    const y = ((event.clientY - top) / height) * trace.photo.height;
    return cellAt(trace, this.#viewer.layer(), x, y);
  }

  #point(cell) {
    this.#cursor = cell;
    this.draw(this.#size);
  }

  /** Pin a cell, or unpin it. */
  #pin(cell) {
    const { pin } = this.#viewer.state;
    this.#viewer.set({ pin: cell && pin && cell.join() === pin.join() ? null : cell });
  }

  #onKey(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
    if (across || down) {
      event.preventDefault();
      this.#move(down, across);
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.#pin(this.#cursor);
    } else if (event.key === 'Escape') {
      this.#cursor = null;
      this.#viewer.set({ pin: null });
    }
  }

  #move(down, across) {
    const { height, width } = this.#viewer.layer();
    const [row, column] = this.#cursor ?? this.#viewer.state.pin ?? [0, 0];
    this.#point([clamp(row + down, 0, height - 1), clamp(column + across, 0, width - 1)]);
  }
}

const isOn = (layer, cell) => Boolean(cell) && cell[0] < layer.height && cell[1] < layer.width;

function drawMarks(context, { trace, state }, layer, cursor, [width, height]) {
  const ratio = width / trace.photo.width;
  if (state.grid && layer.width * NARROWEST_CELL < width)
    drawGrid(context, layer, ratio, width, height);
  if (state.wipe > 0) {
    context.fillStyle = '#fff';
    context.fillRect(state.wipe * width - 1, 0, 2, height);
  }
  if (isOn(layer, state.pin)) drawFrame(context, layer, state.pin, ratio, PINNED);
  if (isOn(layer, cursor)) drawFrame(context, layer, cursor, ratio, '#fff');
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

function drawFrame(context, layer, cell, ratio, colour) {
  const box = cellBox(layer, ...cell).map((value) => value * ratio);
  for (const [style, lineWidth] of [
    ['#000', 4],
    [colour, 2],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

function cellText({ say }, layer, cell, isPointed) {
  if (!cell) return say('readout_hint');
  const [row, column] = cell;
  const value = digits(layer.map.values[row * layer.width + column]);
  return say(isPointed ? 'readout' : 'readout_pinned', { row: row + 1, column: column + 1, value });
}
