// The whole network, layer after layer: a small picture of each map on the photo, and a profile of its channel weights.
import { stateOf, titleOf } from '../changes/edits.js';
import { BadgeWord } from '../controls/badges.js';
import { stepOf } from '../controls/controls.js';
import { CellFrame, onPhoto } from '../drawing/cell_frame.js';
import { drawProfile, ink } from '../drawing/canvas.js';
import { drawOverlay } from '../drawing/overlay.js';
import { Surface, useWidth } from '../drawing/surface.js';
import { mapRange, weightLimits, weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { useLayoutEffect, useRef } from '../vendor/preact-hooks.js';
import { layoutOf, namesFor } from './layout.js';

const LEAST_OPACITY = 0.75; // of a small picture's map

/** The strip of ``viewer``. */
export function Strip({ viewer }) {
  const { trace, state } = viewer;
  const [element, room] = useWidth();
  const list = useRef(null);
  const { network, photo: name, view } = trace.asked;
  useLayoutEffect(() => {
    if (list.current) showChosen(list.current);
  }, [network, name, view, state.layer, room]);
  const { layers, photo } = trace;
  const fits = room > 0 && layers.length > 0;
  return h(
    'section',
    {
      class: 'av-strip',
      'data-part': 'strip',
      hidden: !layers.length,
      ref: element,
    },
    viewer.tools && h(viewer.tools.ChangesBar, { viewer }),
    fits &&
      h(
        'div',
        { class: 'av-strip-list', ref: list },
        h(Layers, { viewer, layout: layoutOf(room, layers, photo.width / photo.height) }),
      ),
  );
}

/** The layers, and below them their switches where gates are changed. */
function Layers({ viewer, layout }) {
  const { trace, say, tools } = viewer;
  const stages = stagesOf(trace.layers);
  return [
    h(
      'div',
      {
        class: 'av-strip-items',
        role: 'listbox',
        'aria-orientation': 'horizontal',
        'aria-label': say('strip_label', { network: titleOf(say, trace) }),
      },
      stageGroups(viewer, stages, layout),
    ),
    tools?.hasSwitches(viewer) && h(tools.Switches, { viewer, stages, layout }),
  ];
}

function stageGroups(viewer, stages, layout) {
  const { trace, say } = viewer;
  const names = namesFor(trace.layers, layout.width);
  return stages.map(({ stage, layers }) => {
    const name = stage && say('stage', { number: stage });
    const items = layers.map((layer) => {
      return h(Item, {
        key: layer.name,
        viewer,
        layer,
        layout,
        name: names[trace.layers.indexOf(layer)],
      });
    });
    return h(
      'div',
      {
        class: 'av-stage',
        role: 'group',
        'aria-label': name || say('no_stage'),
        key: `${stage}-${layers[0].name}`,
      },
      h('div', { class: 'av-stage-name', 'aria-hidden': 'true' }, name || '\u00a0'),
      h('div', { class: 'av-stage-layers' }, items),
    );
  });
}

/** Layers that follow each other in one stage, as [{stage, layers}]. */
function stagesOf(layers) {
  const stages = [];
  for (const layer of layers) {
    if (stages.at(-1)?.stage !== layer.stage) stages.push({ stage: layer.stage, layers: [] });
    stages.at(-1).layers.push(layer);
  }
  return stages;
}

function Item({ viewer, layer, layout, name }) {
  const isChosen = viewer.state.layer === layer.name;
  const { least, greatest } = layer.weightNumbers ?? layer.numbers;
  const onKeyDown = (event) => {
    const step = stepOf(event);
    if (step === null) return;
    event.preventDefault();
    moveFrom(viewer, event.currentTarget, step);
  };
  return h(
    'div',
    {
      class: ['av-item', stateOf(viewer.trace, layer)].filter(Boolean).join(' av-'),
      role: 'option',
      tabIndex: isChosen ? 0 : -1,
      title: layer.name,
      'data-layer': layer.name,
      'aria-selected': String(isChosen),
      'aria-label': [viewer.describe(layer), viewer.tools?.changeInWords(viewer, layer)]
        .filter(Boolean)
        .join('. '),
      style: { width: `${layout.width + 8}px` },
      onClick: () => viewer.set({ layer: layer.name }),
      onKeyDown,
      ...viewer.tools?.takingGates(viewer, layer),
    },
    h(
      'div',
      { class: `av-item-pictures${layout.isBeside ? ' av-beside' : ''}` },
      layout.map && h(MapPicture, { viewer, layer, layout }),
      h(ProfilePicture, { viewer, layer, layout }),
    ),
    h(
      'div',
      { class: 'av-item-words' },
      h('span', { class: 'av-item-name' }, name),
      layout.hasRange &&
        h('span', { class: 'av-item-range' }, `${digits(least, 0, 2)}–${digits(greatest, 0, 2)}`),
    ),
  );
}

function MapPicture({ viewer, layer, layout }) {
  const { trace, state } = viewer;
  const [width, height] = layout.map;
  const beside = viewer.scaleTraces();
  const draw = (context) => {
    const range = layer.map && mapRange(trace, layer, state.scale, beside);
    const look = { ...state, opacity: Math.max(state.opacity, LEAST_OPACITY), smooth: false };
    context.globalAlpha = layer.map ? 1 : 0.4;
    drawOverlay(context, trace, layer, range, look, [width, height]);
    context.globalAlpha = 1;
  };
  const { scale, way, colours, opacity } = state;
  const inputs = [
    trace.id,
    layer.name,
    scale,
    way,
    colours,
    opacity,
    beside.map(({ id }) => id).join(),
  ];
  return h(
    'div',
    { class: 'av-framed' },
    h(Surface, { width, height, draw, inputs }),
    h(CellFrame, { viewer, boxOf: onPhoto(trace, viewer.layer(), layer) }),
    h(BadgeWord, { viewer, layer, part: 'map' }),
  );
}

function ProfilePicture({ viewer, layer, layout }) {
  const [width, height] = layout.profile;
  const theme = viewer.theme.name();
  const draw = (context) => {
    const weights = weightsOf(layer);
    if (weights)
      drawProfile(context, weights, weightLimits(layer), width, height, ink(theme, 'accent'));
  };
  return h(
    'div',
    { class: 'av-framed' },
    h(Surface, { width, height, draw, inputs: [viewer.trace.id, layer.name, theme] }),
    h(BadgeWord, { viewer, layer, part: 'channels' }),
  );
}

/** Choose the layer that many steps further, and give it the focus. */
function moveFrom(viewer, item, step) {
  const items = Array.from(item.closest('.av-strip-list').querySelectorAll('.av-item'));
  const there = items[clamp(items.indexOf(item) + step, 0, items.length - 1)];
  viewer.set({ layer: there.dataset.layer });
  there.focus();
}

/** Scroll the chosen item into sight. */
function showChosen(list) {
  const item = list.querySelector('[aria-selected=true]');
  if (!item) return;
  const left = item.offsetLeft - list.offsetLeft;
  const right = left + item.offsetWidth;
  if (left < list.scrollLeft || right > list.scrollLeft + list.clientWidth)
    list.scrollLeft = left - list.clientWidth / 2 + item.offsetWidth / 2;
}
