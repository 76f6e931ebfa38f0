// What of a frame is shown: the chosen layer's map on it, its channel weights, and the answer.
import { Answers, titleText } from '../answer/card.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface, useWidth } from '../drawing/surface.js';
import { mapRange, weightsOf } from '../numbers/analysis.js';
import { h } from '../vendor/preact.js';
import { BarsChart } from '../what/chart.js';
import { photoSize, Ways } from '../where/card.js';
import { MapScale } from '../where/scale_bar.js';

/** The cards of a ``viewer`` whose trace is a frame's. */
export function FrameCards({ viewer }) {
  const layer = viewer.layer();
  return h(
    'div',
    { class: 'av-live-cards' },
    h(FrameMap, { viewer, layer }),
    h(
      'div',
      { class: 'av-live-beside' },
      layer && weightsOf(layer) && h(FrameWeights, { viewer, layer }),
      h(
        'section',
        { class: 'av-card av-answer' },
        h('h3', {}, titleText(viewer)),
        h(Answers, { viewer }),
      ),
    ),
  );
}

function FrameMap({ viewer, layer }) {
  const { trace, state, say } = viewer;
  const [element, room] = useWidth();
  const size = room > 0 ? photoSize(trace.photo, room) : [0, 0];
  const [width, height] = size;
  const draw = (context) => {
    const range = layer?.map && mapRange(trace, layer, state.scale);
    drawOverlay(context, trace, layer, range, state, size, state.bare ? 1 : 0);
  };
  const title = layer?.map
    ? say('map_title', { layer: layer.name, height: layer.height, width: layer.width })
    : say('photo_title');
  return h(
    'section',
    { class: 'av-card' },
    h('div', { class: 'av-card-head' }, h('h3', {}, title), layer?.map && h(Ways, { viewer })),
    h(
      'div',
      { class: 'av-measure', ref: element },
      h(Surface, { width, height, draw, role: 'img', 'aria-label': title, 'data-part': 'frame' }),
    ),
    layer?.map && h(MapScale, { viewer, layer, width: Math.floor(width) }),
  );
}

function FrameWeights({ viewer, layer }) {
  const [element, width] = useWidth();
  const count = weightsOf(layer).length;
  return h(
    'section',
    { class: 'av-card' },
    h('h3', {}, viewer.say('bars_title', { layer: layer.name, count })),
    h('div', { class: 'av-measure', ref: element }, h(BarsChart, { viewer, layer, width })),
  );
}
