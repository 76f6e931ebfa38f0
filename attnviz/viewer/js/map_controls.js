// Beside the map: its colour bar with the numbers, its controls, its table.
import { contextOf } from './canvas.js';
import { checkbox, choice, slider } from './controls.js';
import { fill, h } from './dom.js';
import { digits } from './format.js';
import { colourMaps, drawColours } from './heatmap.js';
import { clamp, scale, ticks } from './scale.js';
import { foldedTable } from './tables.js';

const BAR = 14; // px, the height of the colour bar

/** The map's colour bar, with marks at its least and greatest number, ticks and a legend: {element, draw}. */
export function mapScale(viewer) {
  const bar = h('canvas', { class: 'av-bar' });
  const numbers = h('div', { class: 'av-ticks' });
  const legend = h('p', { class: 'av-note' });
  const element = h('div', { class: 'av-scale' }, bar, numbers, legend);

  function draw(layer, range, width) {
    const context = contextOf(bar, width, BAR);
    drawColours(context, viewer.state.colours, width, BAR);
    const place = scale(range, [0, width]);
    const { least, greatest } = layer.numbers;
    for (const value of [least, greatest]) drawMark(context, clamp(place(value), 2, width - 2));
    const decimals = range[1] - range[0] >= 0.1 ? 2 : 4;
    fill(
      numbers,
      ticks(range).map((value) => h('span', {}, value.toFixed(decimals))),
    );
    legend.textContent = legendText(viewer, layer);
  }

  return { element, draw };
}

function drawMark(context, x) {
  context.fillStyle = '#fff';
  context.fillRect(x - 2.5, 0, 5, BAR);
  context.fillStyle = '#000';
  context.fillRect(x - 1, 0, 2, BAR);
}

function legendText({ say, state }, layer) {
  const { least, greatest, undefinedCount } = layer.numbers;
  const factor = layer.averaged ? 'what_mean_factor' : 'what_factor';
  const what = say(layer.shares ? 'what_share' : factor);
  const span = say(`scale_${state.scale}`);
  const text = say('legend', {
    what,
    least: digits(least),
    greatest: digits(greatest),
    scale: span,
  });
  return undefinedCount ? text + say('legend_grey') : text;
}

/** Fill ``element`` with the map's controls: opacity, wipe, colours, scale, smoothing, grid. */
export function fillMapControls(element, viewer) {
  const { say, state } = viewer;
  const control = (kind, name, ...options) => {
    const onChange = (value) => viewer.set({ [name]: value });
    return kind(say(name), ...options, state[name], onChange, { 'data-control': name });
  };
  const scales = SCALES.filter((name) => name !== 'shown' || viewer.compared().length);
  fill(
    element,
    control(slider, 'opacity'),
    control(slider, 'wipe'),
    control(
      choice,
      'colours',
      colourMaps().map((name) => [name, name]),
    ),
    control(
      choice,
      'scale',
      scales.map((name) => [name, say(`choose_${name}`)]),
    ),
    control(checkbox, 'smooth'),
    control(checkbox, 'grid'),
  );
}

/** The map as a table, cell by cell. */
export function mapTable(viewer, layer) {
  const { say } = viewer;
  const { height, width, map } = layer;
  const content = () => {
    const columns = Array.from({ length: width }, (_, column) => String(column + 1));
    const rows = Array.from({ length: height }, (_, row) => {
      const values = map.values.subarray(row * width, (row + 1) * width);
      return [String(row + 1), ...Array.from(values, (value) => digits(value))];
    });
    return [[say('row'), ...columns], rows];
  };
  return foldedTable('map', say('map_table'), content, viewer.describeMap(layer));
}
