// One network with several photos, layer by layer, and one photo's channel weights against another's.
import { Checks, toggled } from '../controls/controls.js';
import { useWidth } from '../drawing/surface.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { h } from '../vendor/preact.js';
import { Pair } from './pair.js';
import {
  Absence,
  ComparedScales,
  FirstClasses,
  numbersHead,
  numbersRow,
  SmallMap,
  SmallWeights,
} from './shared.js';

export const MOST_PHOTOS = 8;

/** The comparison of photos, where that is what ``viewer`` shows. */
export function PhotosComparison({ viewer }) {
  return viewer.state.tab === 'photos' ? h(Panel, { viewer }) : null;
}

function Panel({ viewer }) {
  const { state, say, trace, set } = viewer;
  const [element, room] = useWidth();
  const compared = viewer.compared.photos;
  const traces = compared.traces();
  const layer = viewer.layer();
  const names = { network: trace.network.title, layer: layer?.name };
  const options = viewer.photos().map(({ photo, name, title }) => [photo, title ?? name]);
  const pick = (photo, isOn) => {
    set({ photos: toggled(state.photos, photo, isOn, MOST_PHOTOS) });
    compared.open();
  };
  const columns = clamp(state.photos.length, 2, 4);
  const width = clamp(room / columns - 18, 130, 230);
  const figures = compared.entries().map((entry) => {
    return h(PhotoFigure, { key: entry.request.photo, viewer, entry, layer, width, traces });
  });
  const ofLayer = traces.map((other) => ({ trace: other, layer: layerOf(other, layer) }));
  const withLayer = ofLayer.filter((one) => one.layer);
  return h(
    'section',
    { class: 'av-panel', ref: element },
    h('h2', {}, say(layer ? 'photos_title' : 'photos_title_plain', names)),
    h(Checks, {
      label: say('photos_pick'),
      options,
      chosen: state.photos,
      most: MOST_PHOTOS,
      onChoose: pick,
    }),
    h('p', { class: 'av-note' }, say('photos_note', { most: MOST_PHOTOS })),
    h(ComparedScales, { viewer, traces }),
    h('div', { class: 'av-photos' }, room > 0 && figures),
    withLayer.length > 0 && h(PhotosTable, { say, withLayer }),
    room > 0 && h(Pair, { viewer, withLayer, room }),
  );
}

/** A trace's layer of the same name. */
const layerOf = (trace, layer) => trace.layers.find((other) => other.name === layer?.name);

function PhotoFigure({ viewer, entry: { trace, error }, layer: shownLayer, width, traces }) {
  if (!trace) return h('figure', {}, h(Absence, { viewer, error }));
  const layer = layerOf(trace, shownLayer);
  return h(
    'figure',
    {},
    h(SmallMap, { viewer, trace, layer, width, traces }),
    h(SmallWeights, { viewer, trace, layer, width }),
    h('figcaption', {}, trace.photo.name),
    h(FirstClasses, { viewer, trace, count: 2 }),
  );
}

function PhotosTable({ say, withLayer }) {
  const content = () => [
    [say('photo'), ...numbersHead(say)],
    withLayer.map(({ trace, layer }) => [trace.photo.name, ...numbersRow(layer)]),
  ];
  return h(FoldedTable, { name: 'photos', title: say('photos_table'), content });
}
