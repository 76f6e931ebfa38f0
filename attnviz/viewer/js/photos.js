// One network with several photos, layer by layer, and one photo's channel weights against another's.
import { collection } from './collection.js';
import {
  absenceText,
  comparedScales,
  firstClasses,
  numbersHead,
  numbersRow,
  smallMap,
  smallWeights,
} from './comparison.js';
import { fillChecks, toggled } from './controls.js';
import { fill, h } from './dom.js';
import { pairPanel } from './pair.js';
import { clamp } from './scale.js';
import { foldedTable } from './tables.js';

export const MOST_PHOTOS = 8;

/** The comparison of photos: {element, draw, open, traces, forget}. */
export function photosPanel(viewer) {
  const title = h('h3');
  const picker = h('div', { class: 'av-checks', role: 'group' });
  const note = h('p', { class: 'av-note' });
  const scales = h('div');
  const row = h('div', { class: 'av-photos' });
  const tables = h('div');
  const pair = pairPanel(viewer);
  const parts = [title, picker, note, scales, row, tables, pair.element];
  const element = h('section', { class: 'av-panel' }, parts);
  const compared = collection(viewer);

  const want = () => {
    const { state, trace } = viewer;
    compared.want(state.photos.map((photo) => ({ ...trace.asked, photo })));
  };

  function pick(photo, isOn) {
    viewer.set({ photos: toggled(viewer.state.photos, photo, isOn, MOST_PHOTOS) });
    want();
  }

  function draw() {
    const { state, say, trace } = viewer;
    const traces = compared.traces();
    const layer = viewer.layer();
    const names = { network: trace.network.title, layer: layer?.name };
    title.textContent = say(layer ? 'photos_title' : 'photos_title_plain', names);
    picker.setAttribute('aria-label', say('photos_pick'));
    const options = viewer.photos().map(({ photo, name }) => [photo, name]);
    fillChecks(picker, options, state.photos, MOST_PHOTOS, pick);
    fill(note, say('photos_note', { most: MOST_PHOTOS }));
    fill(scales, comparedScales(viewer, traces));
    const columns = clamp(state.photos.length, 2, 4);
    const width = clamp(element.clientWidth / columns - 18, 130, 230);
    const figures = compared
      .entries()
      .map((entry) => photoFigure(viewer, entry, layer, width, traces));
    fill(row, figures);
    const ofLayer = traces.map((other) => ({ trace: other, layer: layerOf(other, layer) }));
    const withLayer = ofLayer.filter((one) => one.layer);
    fill(tables, withLayer.length > 0 && photosTable(say, withLayer));
    pair.draw(withLayer, element.clientWidth);
  }

  function open() {
    compared.put(viewer.trace);
    want();
  }

  return { element, draw, open, traces: compared.traces, forget: compared.forget };
}

/** A trace's layer of the same name. */
const layerOf = (trace, layer) => trace.layers.find((other) => other.name === layer?.name);

function photoFigure(viewer, { trace, error }, shownLayer, width, traces) {
  if (!trace) {
    const properties = { class: error ? 'av-trouble' : 'av-waiting', role: 'status' };
    return h('figure', {}, h('p', properties, absenceText(viewer, error)));
  }
  const layer = layerOf(trace, shownLayer);
  return h(
    'figure',
    {},
    smallMap(viewer, trace, layer, width, traces),
    smallWeights(viewer, layer, width),
    h('figcaption', {}, trace.photo.name),
    firstClasses(viewer, trace, 2),
  );
}

function photosTable(say, withLayer) {
  return foldedTable('photos', say('photos_table'), () => [
    [say('photo'), ...numbersHead(say)],
    withLayer.map(({ trace, layer }) => [trace.photo.name, ...numbersRow(layer)]),
  ]);
}
