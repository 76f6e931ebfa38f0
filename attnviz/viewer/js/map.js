// One layer's map on the photo: read it cell by cell, pin a cell, wipe it away; its colour bar carries the numbers.
import { mapRange } from './analysis.js';
import { contextOf, onWidth } from './canvas.js';
import { changes } from './changes.js';
import { button } from './controls.js';
import { fill, h } from './dom.js';
import { fillMapControls, mapScale, mapTable } from './map_controls.js';
import { MapMarks } from './map_marks.js';
import { drawOverlay } from './overlay.js';
import { clamp } from './scale.js';

/** The map of ``viewer``'s layer: {element, draw}. */
export function mapPanel(viewer) {
  const photo = h('canvas', { class: 'av-photo' });
  const readout = h('p', { class: 'av-readout' });
  const marks = new MapMarks(viewer, readout);
  const stage = h('div', { class: 'av-canvas', 'data-guide': 'map' }, photo, marks.element);
  const scale = mapScale(viewer);
  const title = h('h3');
  const note = h('p', { class: 'av-note' });
  const controls = h('div', { class: 'av-controls' });
  const tables = h('div');
  const instead = h('div', { class: 'av-none' }); // what there is to say without a map
  const ofMap = [scale.element, controls, readout, note, tables];
  const parts = [title, stage, instead, readout, scale.element, controls, note, tables];
  const element = h('section', { class: 'av-panel av-map' }, parts);
  const changed = changes();
  let width = 0; // px

  function draw() {
    if (!width) return;
    const { trace, state, say } = viewer;
    const layer = viewer.layer();
    const size = photoSize(trace.photo, width);
    stage.style.width = `${size[0]}px`;
    const range = layer?.map && mapRange(trace, layer, state.scale, viewer.scaleTraces());
    drawOverlay(contextOf(photo, ...size), trace, layer, range, state, size, state.wipe);
    const isCompared = viewer.compared().length > 0; // then that is a scale to choose
    if (changed('layer', trace.id, layer?.name, viewer.language, isCompared)) renew(layer);
    for (const part of ofMap) part.hidden = !layer?.map;
    instead.hidden = Boolean(layer?.map);
    if (layer?.map) {
      scale.draw(layer, range, Math.max(1, width));
      const { height: rows, width: columns } = layer;
      note.textContent = say(state.smooth ? 'cells_smooth' : 'cells', {
        height: rows,
        width: columns,
      });
    }
    marks.draw(size);
  }

  /** Another layer, trace or language. */
  function renew(layer) {
    const { say } = viewer;
    marks.renew(layer);
    title.textContent = layer?.map
      ? say('map_title', { layer: layer.name, height: layer.height, width: layer.width })
      : say('photo_title');
    if (layer?.map) {
      fillMapControls(controls, viewer);
      fill(tables, mapTable(viewer, layer));
    } else fill(instead, withoutMap(viewer, layer));
  }

  onWidth(element, (now) => {
    width = now;
    if (viewer.trace) draw();
  });
  return { element, draw };
}

/** [width, height] in pixels of a photo that fits the panel and the window. */
function photoSize(photo, width) {
  const tallest = clamp(window.innerHeight * 0.7, 260, 620);
  const height = Math.min(tallest, (width * photo.height) / photo.width);
  return [(height * photo.width) / photo.height, height];
}

/** Why there is no map, and the way to a network that has some. */
function withoutMap(viewer, layer) {
  const { say, host } = viewer;
  const why = layer
    ? say(layer.paths ? 'no_map_paths' : 'no_map', { kind: layer.title })
    : say('no_attention');
  const title = h('p', {}, h('strong', {}, say('no_map_title')));
  return [title, h('p', {}, why), host?.cbam && button(say('to_cbam'), () => host.cbam())];
}
