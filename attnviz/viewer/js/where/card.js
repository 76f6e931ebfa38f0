// Where: one layer's map on the photo. Read it cell by cell, choose a cell, wipe it away; its colour bar has the numbers.
import { BadgeLines } from '../controls/badges.js';
import { Button, Checkbox, Choice, Slider } from '../controls/controls.js';
import { colourMaps } from '../drawing/heatmap.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface, useWidth } from '../drawing/surface.js';
import { mapRange } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { CellReadOut, Marks } from './marks.js';
import { MapScale } from './scale_bar.js';

const BESIDE = 408; // px of the window's height that bar, photos, strip and the card's own lines take

/** The card of ``viewer``'s layer. */
export function WhereCard({ viewer }) {
  const { trace, say, tools } = viewer;
  const layer = viewer.layer();
  const [element, width] = useWidth();
  const size = width > 0 ? photoSize(trace.photo, width) : [0, 0];
  const title = layer?.map
    ? say('map_title', { layer: layer.name, height: layer.height, width: layer.width })
    : say('photo_title');
  return h(
    'section',
    {
      class: 'av-card av-where',
      id: 'av-where',
      tabIndex: -1,
      'aria-labelledby': 'av-where-title',
    },
    h(
      'div',
      { class: 'av-card-head' },
      h('h2', { id: 'av-where-title' }, title),
      layer?.map && h(Ways, { viewer }),
      layer?.map && h(TakeMenu, { viewer, figure: 'map' }),
    ),
    h(
      'div',
      { class: 'av-measure', ref: element },
      h(
        'div',
        {
          class: 'av-canvas',
          'data-part': 'map',
          style: { width: `${size[0]}px` },
          ...tools?.settingCells(viewer, layer),
        },
        h(Photo, { viewer, layer, size }),
        h(Marks, { viewer, layer, size }),
        tools && h(tools.MapBrush, { viewer, layer, size }),
      ),
    ),
    layer?.map
      ? [
          h(CellReadOut, { viewer, layer }),
          tools && h(tools.BrushTools, { viewer, layer }),
          h(MapScale, { viewer, layer, width: Math.floor(size[0]) }),
          h(BadgeLines, { viewer, layer, part: 'map' }),
          h(Look, { viewer, layer }),
        ]
      : h(WithoutMap, { viewer, layer }),
  );
}

function Photo({ viewer, layer, size }) {
  const { trace, state } = viewer;
  const [width, height] = size;
  const draw = (context) => {
    const range = layer?.map && mapRange(trace, layer, state.scale, viewer.scaleTraces());
    const isBare = state.bare || viewer.isBared;
    drawOverlay(context, trace, layer, range, state, size, isBare ? 1 : state.wipe);
  };
  return h(Surface, { width, height, draw, class: 'av-photo', 'aria-hidden': 'true' });
}

/** [width, height] in pixels of a photo that fits the card and, with all that stands above it, the window. */
export function photoSize(photo, width) {
  const tallest = clamp(window.innerHeight - BESIDE, 240, 700);
  const height = Math.min(tallest, (width * photo.height) / photo.width);
  return [(height * photo.width) / photo.height, height];
}

/** How the map is drawn, and all its numbers. */
function Look({ viewer, layer }) {
  const { say, state, set } = viewer;
  const { height, width } = layer;
  const control = (kind, name, properties = {}) =>
    h(kind, {
      ...properties,
      label: say(name),
      value: state[name],
      'data-control': name,
      onChoose: (value) => set({ [name]: value }),
    });
  const scales = SCALES.filter((name) => name !== 'shown' || viewer.compared.traces().length);
  return [
    state.way === 'colours' && control(Slider, 'opacity'),
    h(
      'details',
      { class: 'av-details', 'data-look': 'map' },
      h('summary', {}, say('look')),
      h(
        'div',
        { class: 'av-controls' },
        control(Slider, 'wipe'),
        control(Choice, 'colours', { options: colourMaps().map((name) => [name, name]) }),
        control(Choice, 'scale', { options: scales.map((name) => [name, say(`choose_${name}`)]) }),
        control(Checkbox, 'smooth'),
        control(Checkbox, 'grid'),
      ),
      h('p', { class: 'av-note' }, say(state.smooth ? 'cells_smooth' : 'cells', { height, width })),
      h(MapTable, { viewer, layer }),
    ),
  ];
}

/** The choice between the ways of drawing the map, and the photo without it. */
export function Ways({ viewer }) {
  const { say, state, set } = viewer;
  const shown = state.bare ? 'photo' : state.way;
  const segment = (name, changed) =>
    h(
      'button',
      {
        type: 'button',
        class: 'av-segment',
        'data-way': name,
        'aria-pressed': String(shown === name),
        title: say(`way_${name}_hint`),
        onClick: () => set(changed),
      },
      say(`way_${name}`),
    );
  return h(
    'div',
    { class: 'av-ways', role: 'group', 'aria-label': say('way') },
    WAYS.map((way) => segment(way, { way, bare: false })),
    segment('photo', { bare: true }),
  );
}

/** The map as a table, cell by cell. */
function MapTable({ viewer, layer }) {
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
  const title = say('map_table');
  return h(FoldedTable, { name: 'map', title, content, caption: viewer.describeMap(layer) });
}

/** Why there is no map, and the way to a network that has some. */
function WithoutMap({ viewer, layer }) {
  const { say, networks, open } = viewer;
  const why = layer
    ? say(layer.paths ? 'no_map_paths' : 'no_map', { kind: layer.title })
    : say('no_attention');
  const cbam = networks.find(({ attention }) => attention === 'cbam');
  return h(
    'div',
    { class: 'av-none' },
    h('p', {}, h('strong', {}, say('no_map_title'))),
    h('p', {}, why),
    cbam && h(Button, { onClick: () => open({ network: cbam.name }) }, say('to_cbam')),
  );
}
