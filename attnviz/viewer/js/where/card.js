// Where: one layer's map on the photo. Read it cell by cell, choose a cell, wipe it away; its colour bar has the numbers.
import { Button, Checkbox, Choice, Slider } from '../controls/controls.js';
import { colourMaps } from '../drawing/heatmap.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface, useWidth } from '../drawing/surface.js';
import { mapRange } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { cellText, Marks } from './marks.js';
import { MapScale } from './scale_bar.js';

const BESIDE = 408; // px of the window's height that bar, photos, strip and the card's own lines take

/** The card of ``viewer``'s layer. */
export function WhereCard({ viewer }) {
  const { trace, say } = viewer;
  const layer = viewer.layer();
  const [element, width] = useWidth();
  const [pointed, setPointed] = useState(null); // the cell under the pointer, or reached by keys: [row, column]
  const size = width > 0 ? photoSize(trace.photo, width) : [0, 0];
  const title = layer?.map
    ? say('map_title', { layer: layer.name, height: layer.height, width: layer.width })
    : say('photo_title');
  const cell = pointed ?? viewer.state.pin;
  return h(
    'section',
    {
      class: 'av-card av-where',
      id: 'av-where',
      tabIndex: -1,
      'aria-labelledby': 'av-where-title',
    },
    h('h2', { id: 'av-where-title' }, title),
    h(
      'div',
      { class: 'av-measure', ref: element },
      h(
        'div',
        {
          class: 'av-canvas',
          'data-guide': layer?.map ? 'map' : undefined,
          style: { width: `${size[0]}px` },
        },
        h(Photo, { viewer, layer, size }),
        h(Marks, { viewer, layer, size, pointed, onPoint: setPointed }),
      ),
    ),
    layer?.map
      ? [
          h('p', { class: 'av-readout' }, cellText(viewer, layer, cell, pointed !== null)),
          h(MapScale, { viewer, layer, width: Math.floor(size[0]) }),
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
    drawOverlay(context, trace, layer, range, state, size, state.wipe);
  };
  return h(Surface, { width, height, draw, class: 'av-photo', 'aria-hidden': 'true' });
}

/** [width, height] in pixels of a photo that fits the card and, with all that stands above it, the window. */
function photoSize(photo, width) {
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
  const scales = SCALES.filter((name) => name !== 'shown' || viewer.comparedTraces().length);
  return [
    control(Slider, 'opacity'),
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
