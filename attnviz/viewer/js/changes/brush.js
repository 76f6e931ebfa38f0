// Cells of the map that are set: by a brush, by keys, by a button for the chosen one; and how they are marked.
import { Button } from '../controls/controls.js';
import { cellBox } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { cellUnder } from '../where/marks.js';
import { valueOfKey } from './bars.js';
import {
  canSetCells,
  propose,
  put,
  replace,
  settableRange,
  settingOf,
  settle,
  shownSetting,
} from './setting.js';
import { ValueSlider } from './value_slider.js';

const SIZES = [1, 3, 5]; // cells a side
const NARROWEST = 5; // px, of a cell that has room for more than a dot
const last = new WeakMap(); // by viewer: the cell that the brush was on last, while it paints
const strokes = new WeakMap(); // by viewer: [{network, layer, before, after}], what cells were set before each stroke, and then

const strokesOf = (viewer) => strokes.get(viewer) ?? strokes.set(viewer, []).get(viewer);

/** The tools below the map of ``viewer``'s layer; nothing where its cells can't be set. */
export function BrushTools({ viewer, layer }) {
  if (!canSetCells(viewer, layer)) return null;
  const { say, state } = viewer;
  const { cells } = shownSetting(viewer, layer);
  return h(
    'div',
    {
      class: 'av-setting',
      'data-setting': 'cells',
      role: 'group',
      'aria-label': say('edit_cells', { layer: layer.name }),
    },
    h('div', { class: 'av-setting-row' }, h(Brush, { viewer, layer })),
    h(
      'div',
      { class: 'av-setting-row' },
      state.pin && h(ChosenCell, { viewer, layer, cells }),
      h(UndoButton, { viewer, layer }),
      cells.size > 0 &&
        h(
          Button,
          { 'data-remove-cells': '', onClick: () => removeCells(viewer, layer) },
          say('edit_cells_remove', { count: cells.size }),
        ),
    ),
    h('p', { class: 'av-note' }, say(state.brush.isOn ? 'edit_brush_on' : 'edit_brush_off')),
  );
}

/** The brush, on or off, and what it paints. */
function Brush({ viewer, layer }) {
  const { say, state, set } = viewer;
  const { brush } = state;
  const range = settableRange(layer);
  const value = clamp(brush.value, ...range);
  const paint = (changed) => set({ brush: { ...brush, value, isOn: true, ...changed } });
  return [
    h(
      Button,
      {
        class: `av-button${brush.isOn ? ' av-primary' : ''}`,
        'data-brush': '',
        'aria-pressed': String(brush.isOn),
        onClick: () => set({ brush: { ...brush, isOn: !brush.isOn } }),
      },
      say('edit_brush'),
    ),
    h(
      'span',
      { class: 'av-ways', role: 'group', 'aria-label': say('edit_brush_size') },
      SIZES.filter((size) => size === 1 || size * 2 < layer.width).map((size) =>
        h(
          'button',
          {
            type: 'button',
            class: 'av-segment',
            'data-size': size,
            'aria-pressed': String(brush.size === size),
            'aria-label': say('edit_brush_cells', { size }),
            title: say('edit_brush_cells', { size }),
            onClick: () => paint({ size }),
          },
          `${size}×${size}`,
        ),
      ),
    ),
    h(ValueSlider, {
      range,
      label: say('edit_value'),
      value,
      ends: (end) => ({
        'data-paint': String(end),
        'aria-pressed': String(brush.isOn && value === end),
        onClick: () => paint({ value: end }),
      }),
      onPropose: (wanted) => set({ brush: { ...brush, value: wanted } }),
    }),
  ];
}

/** The button that sets the chosen cell, or takes that back. */
function ChosenCell({ viewer, layer, cells }) {
  const { say, state } = viewer;
  const [row, column] = state.pin;
  const isSet = cells.has(state.pin.join());
  const value = isSet ? null : clamp(state.brush.value, ...settableRange(layer));
  const words = { row: row + 1, column: column + 1, value: digits(value ?? 0, 0, 2) };
  return h(
    Button,
    { 'data-set-cell': '', onClick: () => paintCells(viewer, layer, [state.pin], value) },
    say(isSet ? 'edit_cell_own' : 'edit_cell_set', words),
  );
}

function UndoButton({ viewer, layer }) {
  const { channel, cells } = settingOf(viewer.edits(), layer.name);
  const stroke = strokesOf(viewer).findLast(
    (one) => isOf(one, viewer, layer) && hasSame(one.after, cells),
  );
  const undo = () => {
    strokesOf(viewer).splice(strokesOf(viewer).indexOf(stroke), 1);
    replace(viewer, layer.name, { channel, cells: stroke.before });
  };
  if (!stroke) return null;
  return h(Button, { 'data-undo-stroke': '', onClick: undo }, viewer.say('edit_undo_stroke'));
}

const isOf = (stroke, { trace }, layer) =>
  stroke.network === trace.asked.network && stroke.layer === layer.name;

/** Whether two settings of cells are the same. */
const hasSame = (one, other) =>
  one.size === other.size && [...one].every(([cell, value]) => other.get(cell) === value);

/** Change a layer's cells by ``change``, so that it can be undone for as long as nothing else changes them. */
function stroke(viewer, layer, change) {
  const cellsNow = () => settingOf(viewer.edits(), layer.name).cells;
  const before = cellsNow();
  change();
  const { network } = viewer.trace.asked;
  strokesOf(viewer).push({ network, layer: layer.name, before, after: cellsNow() });
  viewer.draw();
}

const paintCells = (viewer, layer, cells, value) =>
  stroke(viewer, layer, () =>
    put(viewer, layer.name, { cells: new Map(cells.map((cell) => [cell.join(), value])) }),
  );

function removeCells(viewer, layer) {
  const { channel } = settingOf(viewer.edits(), layer.name);
  stroke(viewer, layer, () => replace(viewer, layer.name, { channel, cells: new Map() }));
}

/** What the element around the map listens to: keys that set the cell that is pointed at, else the chosen one. */
export function settingCells(viewer, layer) {
  if (!canSetCells(viewer, layer)) return {};
  return {
    onKeyDown(event) {
      const cell = viewer.pointing.cell ?? viewer.state.pin;
      const value = valueOfKey(event, settableRange(layer));
      if (!cell || value === undefined) return;
      event.preventDefault();
      viewer.state.pin = cell; // what is pointed at is forgotten with the next answer
      paintCells(viewer, layer, [cell], value);
    },
  };
}

/** Whether the brush paints on a layer's map. */
export const isPainting = (viewer, layer) => viewer.state.brush.isOn && canSetCells(viewer, layer);

/** What lies over a map of ``size`` [width, height] in pixels: the cells that are set are hatched, and the brush paints. */
export function MapBrush({ viewer, layer, size: [width, height] }) {
  if (!layer?.map || !layer.spatial) return null;
  const isOn = isPainting(viewer, layer);
  const { cells } = shownSetting(viewer, layer);
  if (!isOn && !cells.size) return null;
  const ratio = width / viewer.trace.photo.width;
  return h(Surface, {
    width,
    height,
    draw: (context) => drawCells(context, layer, cells, ratio),
    class: `av-over${isOn ? ' av-painting' : ''}`,
    'aria-hidden': 'true',
    ...(isOn ? painting(viewer, layer) : {}),
  });
}

function painting(viewer, layer) {
  const { trace, pointing } = viewer;
  const paint = (event) => {
    const cell = cellUnder(event, trace, layer);
    pointing.point({ cell });
    if (!last.has(viewer) || !cell) return;
    const painted = line(last.get(viewer) ?? cell, cell).flatMap((one) =>
      around(one, viewer, layer),
    );
    last.set(viewer, cell);
    const value = clamp(viewer.state.brush.value, ...settableRange(layer));
    const cells = new Map(painted.map((one) => [one.join(), value]));
    propose(viewer, layer, { cells: new Map([...(viewer.draft?.cells ?? []), ...cells]) });
  };
  return {
    onPointerDown(event) {
      if (event.button) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      last.set(viewer, null);
      paint(event);
    },
    onPointerMove: paint,
    onPointerUp() {
      last.delete(viewer);
      if (!viewer.draft) return;
      stroke(viewer, layer, () => settle(viewer));
    },
    onPointerCancel() {
      last.delete(viewer);
      viewer.draft = null;
      viewer.draw();
    },
    onPointerLeave: () => pointing.point({ cell: null }),
  };
}

/** The cells on the way from one to another. */
function line([row, column], [toRow, toColumn]) {
  const steps = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column), 1);
  return Array.from({ length: steps + 1 }, (_, step) => [
    Math.round(row + ((toRow - row) * step) / steps),
    Math.round(column + ((toColumn - column) * step) / steps),
  ]);
}

/** The cells of the map that the brush covers on one. */
function around([row, column], { state }, { height, width }) {
  const reach = (state.brush.size - 1) / 2;
  const covered = [];
  for (let y = Math.max(0, row - reach); y <= Math.min(height - 1, row + reach); y++)
    for (let x = Math.max(0, column - reach); x <= Math.min(width - 1, column + reach); x++)
      covered.push([y, x]);
  return covered;
}

/** A frame and a stroke across each cell, dark on light; of small cells a dot. */
function drawCells(context, layer, cells, ratio) {
  for (const cell of cells.keys()) {
    const [x, y, width, height] = cellBox(layer, ...cell.split(',').map(Number)).map(
      (value) => value * ratio,
    );
    for (const [colour, lineWidth] of [
      ['#fff', 3],
      ['#000', 1],
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = lineWidth;
      context.beginPath();
      if (width >= NARROWEST) context.rect(x + 1, y + 1, width - 2, height - 2);
      context.moveTo(x + 1.5, y + height - 1.5);
      context.lineTo(x + width - 1.5, y + 1.5);
      context.stroke();
    }
  }
}
