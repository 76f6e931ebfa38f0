// One network with several photos: a row a photo, a column a layer; the chosen layer's gates over all photos; and one
// photo's against another's.
import { useWidth } from '../drawing/surface.js';
import { weightsOf } from '../numbers/analysis.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { rechosen } from './choosing.js';
import { Pair } from './pair.js';
import {
  Absence,
  Arrivals,
  AsTheyAre,
  FirstClasses,
  GateBar,
  GateCurve,
  numbersHead,
  numbersRow,
  sizeOf,
  SmallMap,
} from './shared.js';
import { SpreadPart } from './spread.js';

export const MOST_PHOTOS = 20;
const NARROWEST = 92; // px, of a picture
const WIDEST = 180;
const WIDEST_BAR = 300;
const AROUND = 10; // px, of a cell, as in the CSS

/** The comparison of photos, where that is what ``viewer`` shows. */
export function PhotosComparison({ viewer }) {
  return viewer.state.tab === 'photos' ? h(Panel, { viewer }) : null;
}

function Panel({ viewer }) {
  const { say, trace } = viewer;
  const [element, room] = useWidth();
  const compared = viewer.compared.photos;
  const layer = viewer.layer();
  const ofLayer = compared
    .traces()
    .map((other) => ({ trace: other, layer: layerOf(other, layer) }))
    .filter((one) => one.layer);
  const names = { network: trace.network.title, layer: layer?.name };
  return h(
    'section',
    { class: 'av-panel av-comparison', ref: element },
    h(
      'div',
      { 'data-figure': 'photos', class: 'av-panel av-comparison' },
      h('h2', {}, say('photos_of', names)),
      h(TakeMenu, { viewer, figure: 'photos' }),
      h(PhotoChoices, { viewer }),
      h(AsTheyAre, { viewer }),
      h(Arrivals, { viewer, compared }),
      room > 0 && h(Matrix, { viewer, compared, width: cellWidth(trace, room) }),
      room > 0 && h(GridScale, { viewer, width: Math.min(room, WIDEST_BAR) }),
    ),
    ofLayer.length > 0 && h(PhotosTable, { say, ofLayer }),
    room > 0 && layer && h(SpreadPart, { viewer, layer, ofLayer, room }),
    room > 0 && layer && h(Pair, { viewer, withLayer: ofLayer, room }),
  );
}

/** A trace's layer of the same name. */
const layerOf = (trace, layer) => trace.layers.find((other) => other.name === layer?.name);

/** The photos as pictures to switch on and off; the one on the screen stays. */
function PhotoChoices({ viewer }) {
  const { say, state, trace } = viewer;
  const items = viewer.photos().map(({ photo, name, title, thumbnail }) => {
    const isShown = photo === trace.asked.photo;
    const isOn = state.photos.includes(photo);
    const label = title ?? name;
    return h(
      'button',
      {
        key: photo,
        type: 'button',
        class: `av-pick${isOn ? ' av-picked' : ''}`,
        'aria-pressed': String(isOn),
        'aria-label': isShown ? say('on_the_screen', { name: label }) : label,
        title: label,
        disabled: isShown,
        'data-pick': photo,
        onClick: () => choose(viewer, photo, !isOn),
      },
      thumbnail ? h('img', { src: thumbnail, alt: '' }) : label,
    );
  });
  return h('div', { class: 'av-picks', role: 'group', 'aria-label': say('photos_pick') }, items);
}

function choose(viewer, photo, isOn) {
  viewer.set({ photos: rechosen(viewer.state.photos, photo, isOn, MOST_PHOTOS) });
  viewer.compared.photos.open();
}

/** How wide a picture is, so that all layers fit into the room if they can. */
function cellWidth({ layers }, room) {
  return Math.floor(clamp(room / (layers.length + 1) - AROUND, NARROWEST, WIDEST));
}

/** A row a photo, a column a layer. */
function Matrix({ viewer, compared, width }) {
  const { say, state, trace, set } = viewer;
  const { isUnderWay } = compared.progress();
  const heads = trace.layers.map(({ name }) => {
    const properties = { scope: 'col', class: name === state.layer ? 'av-at' : '' };
    const button = h(
      'button',
      {
        type: 'button',
        class: 'av-plain',
        'aria-pressed': String(name === state.layer),
        onClick: () => set({ layer: name }),
      },
      name,
    );
    return h('th', { ...properties, key: name }, button);
  });
  const rows = compared.entries().map((entry) => {
    return h(Row, { key: entry.request.photo, viewer, entry, width, isAwaited: isUnderWay });
  });
  const head = h('tr', {}, h('th', { scope: 'col' }, say('photo')), heads);
  const region = { role: 'region', tabIndex: 0, 'aria-label': say('photos_grid') };
  return h(
    'div',
    { class: 'av-grid', ...region },
    h('table', { class: 'av-matrix' }, h('thead', {}, head), h('tbody', {}, rows)),
  );
}

/** What the colours of all maps mean; nothing without any. */
function GridScale({ viewer, width }) {
  const { say, state, trace } = viewer;
  const layer = [viewer.layer(), ...trace.layers].find((each) => each?.map);
  if (!layer) return null;
  const isOwn = state.scale !== 'fixed';
  const meaning = layer.kind === 'bam' ? 'legend_bam' : 'legend_gate';
  return h(
    'div',
    { class: 'av-grid-scale' },
    !isOwn && h(GateBar, { viewer, layer, width }),
    h('p', { class: 'av-note' }, say(isOwn ? 'photos_own_scale' : meaning)),
  );
}

function Row({ viewer, entry: { request, trace, error }, width, isAwaited }) {
  const { layers } = viewer.trace;
  if (!trace) {
    const name = viewer.photos().find(({ photo }) => photo === request.photo)?.name;
    const absence = h(Absence, { viewer, error, isAwaited });
    const head = h('th', { scope: 'row' }, name ?? request.photo);
    return h('tr', {}, head, h('td', { colSpan: layers.length || 1 }, absence));
  }
  const cells = layers.map(({ name }) => h(Cell, { key: name, viewer, trace, name, width }));
  return h(
    'tr',
    { 'data-photo-row': request.photo },
    h(
      'th',
      { scope: 'row' },
      h(SmallMap, { viewer, trace, layer: null, width }),
      h('div', { class: 'av-row-name' }, trace.photo.name),
      h(FirstClasses, { viewer, trace, count: 1 }),
    ),
    layers.length ? cells : h('td', { class: 'av-empty' }, viewer.say('no_attention_here')),
  );
}

function Cell({ viewer, trace, name, width }) {
  const layer = trace.layers.find((other) => other.name === name);
  if (!layer) return h('td', { class: 'av-empty' }, '–');
  const { photo } = trace.asked;
  const [, height] = sizeOf(trace, width);
  const curve = { viewer, trace, layer, width, isBare: true };
  const picture = layer.map
    ? [h(SmallMap, { viewer, trace, layer, width }), h(GateCurve, { ...curve, height: 22 })]
    : h(GateCurve, { ...curve, height });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'av-to-layer',
      'data-explore': name,
      'aria-label': viewer.say('explore_photo', { layer: name, photo: trace.photo.name }),
      onClick: () => viewer.explore({ photo, layer: name }),
    },
    layer.map || weightsOf(layer) ? picture : '–',
  );
  return h('td', { class: name === viewer.state.layer ? 'av-at' : '' }, button);
}

function PhotosTable({ say, ofLayer }) {
  const content = () => [
    [say('photo'), ...numbersHead(say)],
    ofLayer.map(({ trace, layer }) => [trace.photo.name, ...numbersRow(layer)]),
  ];
  return h(FoldedTable, { name: 'photos', title: say('photos_table'), content });
}
