// The whole network, layer after layer: a thumbnail of each map on the photo above a profile of its channel weights.
import { mapRange, weightLimits, weightsOf } from './analysis.js';
import { contextOf, drawProfile, ink, onWidth } from './canvas.js';
import { changes } from './changes.js';
import { stepOf } from './controls.js';
import { fill, h } from './dom.js';
import { digits } from './format.js';
import { drawOverlay } from './overlay.js';
import { clamp } from './scale.js';
import { layoutOf, namesFor } from './strip_layout.js';

const PROFILE = 26; // px, its height
const LEAST_OPACITY = 0.75; // of a thumbnail's map, which is small

/** The strip. What is costly is done only when what it depends on has changed. */
export class StripPanel {
  #viewer;
  #list;
  #changed = changes();
  #items = [];
  #made = 0; // how often the items were made
  #room = 0; // px
  #width = 0; // px, of a thumbnail

  constructor(viewer) {
    this.#viewer = viewer;
    const properties = { role: 'listbox', 'aria-orientation': 'horizontal' };
    this.#list = h('div', { class: 'av-strip-list', ...properties });
    this.element = h('section', { class: 'av-strip', 'data-guide': 'strip' }, this.#list);
    onWidth(this.element, (width) => {
      this.#room = width;
      if (viewer.trace) this.draw();
    });
  }

  draw() {
    const { trace, state, language } = this.#viewer;
    const { scale, colours, opacity } = state;
    const own = [trace.id, language];
    this.element.hidden = !trace.layers.length;
    if (this.#changed('trace', own)) this.#renew();
    if (this.#changed('fit', own, this.#room)) this.#fit();
    const shown = this.#viewer.scaleTraces().map(({ id }) => id);
    const look = [this.#viewer.dark(), scale, colours, opacity, shown, this.#width];
    if (this.#changed('pictures', own, look))
      for (const item of this.#items) drawItem(this.#viewer, item, this.#width);
    // To look where things lie makes the browser lay the page out
    if (this.#changed('chosen', this.#made, state.layer, this.#width))
      markChosen(this.#list, this.#items, state.layer);
  }

  /** Make the items anew for another network or language, else give them the layers of another trace. */
  #renew() {
    const { trace, language, describe } = this.#viewer;
    const names = trace.layers.map(({ name }) => name);
    if (this.#changed('items', language, trace.network.title, names)) this.#make();
    for (const [index, item] of this.#items.entries()) {
      item.layer = trace.layers[index];
      const { least, greatest } = item.layer.weightNumbers ?? item.layer.numbers;
      item.range.textContent = `${digits(least, 0, 2)}–${digits(greatest, 0, 2)}`;
      item.element.setAttribute('aria-label', describe(item.layer));
    }
  }

  #make() {
    const { trace, say } = this.#viewer;
    const move = (step) => this.#move(step);
    this.#made++;
    this.#items = trace.layers.map((layer) => stripItem(this.#viewer, layer, move));
    const groups = stagesOf(this.#items).map((stage) => stageGroup(say, stage));
    fill(this.#list, groups);
    this.#list.setAttribute('aria-label', say('strip_label', { network: trace.network.title }));
  }

  #fit() {
    const { layers } = this.#viewer.trace;
    const { look, width } = layoutOf(this.#room, layers);
    this.#width = width;
    this.#list.classList.toggle('av-tight', look.isTight);
    this.#list.style.setProperty('--av-item', `${width + look.around}px`);
    const names = namesFor(layers, look, width);
    for (const [index, { name }] of this.#items.entries())
      if (name.textContent !== names[index]) name.textContent = names[index];
  }

  /** Choose the layer that many steps further, and give it the focus. */
  #move(step) {
    const here = this.#items.findIndex(({ layer }) => layer.name === this.#viewer.state.layer);
    const there = this.#items[clamp(here + step, 0, this.#items.length - 1)];
    this.#viewer.set({ layer: there.layer.name });
    there.element.focus();
  }
}

/** Items that follow each other in one stage, as [{stage, items}]. */
function stagesOf(items) {
  const stages = [];
  for (const item of items) {
    const { stage } = item.layer;
    if (stages.at(-1)?.stage !== stage) stages.push({ stage, items: [] });
    stages.at(-1).items.push(item);
  }
  return stages;
}

function stageGroup(say, { stage, items }) {
  const name = stage && say('stage', { number: stage });
  return h(
    'div',
    { class: 'av-stage', role: 'group', 'aria-label': name || say('no_stage') },
    h('div', { class: 'av-stage-name', 'aria-hidden': 'true' }, name || '\u00a0'),
    h(
      'div',
      { class: 'av-stage-layers' },
      items.map((item) => item.element),
    ),
  );
}

/** One layer of the strip: its elements and the layer that they show. */
function stripItem(viewer, layer, move) {
  const map = h('canvas');
  const profile = h('canvas');
  const name = h('span', { class: 'av-item-name' });
  const range = h('span', { class: 'av-item-range' });
  const onKey = (event) => {
    const step = stepOf(event);
    if (step === null) return;
    event.preventDefault();
    move(step);
  };
  const on = { click: () => viewer.set({ layer: layer.name }), keydown: onKey };
  const properties = { class: 'av-item', role: 'option', tabindex: -1, title: layer.name, on };
  return {
    layer,
    element: h('div', properties, map, profile, name, range),
    map,
    profile,
    name,
    range,
  };
}

function drawItem(viewer, { layer, map, profile }, width) {
  const { trace, state } = viewer;
  const height = Math.round(clamp((width * trace.photo.height) / trace.photo.width, 34, 120));
  const context = contextOf(map, width, height);
  const range = layer.map && mapRange(trace, layer, state.scale, viewer.scaleTraces());
  const look = { ...state, opacity: Math.max(state.opacity, LEAST_OPACITY), smooth: false };
  context.globalAlpha = layer.map ? 1 : 0.3;
  drawOverlay(context, trace, layer, range, look, [width, height]);
  context.globalAlpha = 1;
  const profileContext = contextOf(profile, width, PROFILE);
  const weights = weightsOf(layer);
  if (!weights) return;
  const colour = ink(viewer.element, 'accent');
  drawProfile(profileContext, weights, weightLimits(layer), width, PROFILE, colour);
}

/** Mark the item of the chosen layer, and scroll it into sight. */
function markChosen(list, items, chosen) {
  for (const { layer, element } of items) {
    const isChosen = layer.name === chosen;
    element.setAttribute('aria-selected', String(isChosen));
    element.tabIndex = isChosen ? 0 : -1;
    if (!isChosen) continue;
    const left = element.offsetLeft - list.offsetLeft;
    const right = left + element.offsetWidth;
    if (left < list.scrollLeft || right > list.scrollLeft + list.clientWidth)
      list.scrollLeft = left - list.clientWidth / 2 + element.offsetWidth / 2;
  }
}
