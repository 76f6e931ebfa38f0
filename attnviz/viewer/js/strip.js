// The whole network, layer after layer: a thumbnail of each map on the photo above its sorted channel weights.
import { drawOverlay } from './colours.js';
import { arrows, fill, h, ink, sized, watched } from './dom.js';
import { digits, mapRange, weightsOf } from './numbers.js';

const NARROWEST = 44;
const WIDEST = 92;
const BARS = 26; // px
const ROOMY = { gap: 14, around: 8, font: 12 };
const TIGHT = { gap: 8, around: 6, font: 11 }; // px between stages, around a picture, and of names, as in the CSS

export function strip(viewer) {
  const list = h('div', {
    class: 'av-strip-list',
    role: 'listbox',
    'aria-orientation': 'horizontal',
  });
  const element = h('section', { class: 'av-strip', 'data-guide': 'strip' }, list);
  let drawnFor = null;
  let renewed = '';
  let fittedFor = '';
  let built = '';
  let seen = '';
  let items = [];
  let room = 0;
  let across = WIDEST;

  /** As wide as all layers fit beside each other, with less around them where that is narrow; on a phone they scroll. */
  function fit() {
    const { layers } = viewer.model;
    const stages = new Set(layers.map((layer) => layer.stage)).size;
    const wide = ({ gap, around }) =>
      Math.floor((room - 4 - (stages - 1) * gap - (layers.length - stages)) / layers.length) -
      around;
    const look = room >= 600 && wide(ROOMY) < 70 ? TIGHT : ROOMY;
    across = room < 600 ? WIDEST : Math.min(WIDEST, Math.max(NARROWEST, wide(look)));
    list.classList.toggle('av-tight', look === TIGHT);
    list.style.setProperty('--av-item', `${across + look.around}px`);
    const context = document.createElement('canvas').getContext('2d');
    const names = layers.map((layer) => layer.name);
    context.font = `600 ${look.font}px system-ui, sans-serif`;
    const short = names.some((name) => context.measureText(name).width > across)
      ? tails(names)
      : names;
    for (const [place, { name }] of items.entries())
      if (name.textContent !== short[place]) name.textContent = short[place];
  }

  function build() {
    const { model } = viewer;
    const { say } = viewer;
    const stages = [];
    for (const layer of model.layers) {
      if (stages.at(-1)?.[0] !== layer.stage) stages.push([layer.stage, []]);
      stages.at(-1)[1].push(layer);
    }
    items = [];
    built = layoutOf(model);
    fill(
      list,
      stages.map(([stage, layers]) =>
        h(
          'div',
          {
            class: 'av-stage',
            role: 'group',
            'aria-label': stage ? say('stage', { number: stage }) : say('no_stage'),
          },
          h(
            'div',
            { class: 'av-stage-name', 'aria-hidden': 'true' },
            stage ? say('stage', { number: stage }) : '\u00a0',
          ),
          h('div', { class: 'av-stage-layers' }, layers.map(item)),
        ),
      ),
    );
    list.setAttribute('aria-label', say('strip_label', { network: model.network.title }));
  }

  function item(layer) {
    const map = h('canvas');
    const bars = h('canvas');
    const range = h('span', { class: 'av-item-range' });
    const name = h('span', { class: 'av-item-name' });
    const button = h(
      'div',
      {
        class: 'av-item',
        role: 'option',
        tabindex: -1,
        title: layer.name,
        on: {
          click: () => viewer.set({ layer: layer.name }),
          keydown: (event) => arrows(event, (step) => move(step)),
        },
      },
      map,
      bars,
      name,
      range,
    );
    items.push({ layer, button, map, bars, name, range });
    return button;
  }

  /** Another capture: the elements stay while its layers are the same. */
  function renew() {
    if (built !== layoutOf(viewer.model)) build();
    for (const [place, item] of items.entries()) {
      item.layer = viewer.model.layers[place];
      const numbers = item.layer.weightNumbers ?? item.layer.numbers;
      item.range.textContent = `${digits(numbers.least, 0, 2)}–${digits(numbers.greatest, 0, 2)}`;
      item.button.setAttribute('aria-label', viewer.describe(item.layer));
    }
  }

  const layoutOf = (model) =>
    [viewer.language, model.network.title, ...model.layers.map((layer) => layer.name)].join();

  function move(step) {
    const here = items.findIndex(({ layer }) => layer.name === viewer.state.layer);
    const there = Math.min(items.length - 1, Math.max(0, here + step));
    viewer.set({ layer: items[there].layer.name });
    items[there].button.focus();
  }

  function thumbnail({ layer, map, bars }) {
    const { model, state } = viewer;
    const height = Math.round(
      Math.min(120, Math.max(34, (across * model.photo.height) / model.photo.width)),
    );
    const context = sized(map, across, height);
    context.globalAlpha = layer.map ? 1 : 0.3;
    drawOverlay(
      context,
      model,
      layer,
      layer.map && mapRange(model, layer, state.scale, viewer.shown()),
      { ...state, opacity: Math.max(state.opacity, 0.75), smooth: false },
      across,
      height,
    );
    context.globalAlpha = 1;
    const values = weightsOf(layer);
    const down = sized(bars, across, BARS);
    if (!values) return;
    const sorted = values.toSorted().toReversed();
    const [low, high] = layer.channel ? layer.limits : [0, 1]; // what is undefined comes first
    down.fillStyle = ink(element, 'accent');
    for (let x = 0; x < across; x++) {
      const value = sorted[Math.floor((x / across) * sorted.length)];
      const tall = ((value - low) / (high - low)) * BARS;
      if (tall > 0) down.fillRect(x, BARS - tall, 1, tall);
    }
  }

  const panel = {
    element,
    draw() {
      const { model, state } = viewer;
      element.hidden = !model.layers.length;
      const own = [model.id, viewer.language].join();
      if (renewed !== own) renew();
      if (fittedFor !== [own, room].join()) fit();
      renewed = own;
      fittedFor = [own, room].join();
      const key = [
        own,
        viewer.dark(),
        state.scale,
        state.colours,
        state.opacity,
        ...viewer.shown().map(({ id }) => id),
        across,
      ].join();
      if (drawnFor !== key) items.forEach(thumbnail);
      drawnFor = key;
      const look = [built, state.layer, across].join();
      if (seen === look) return; // to look where things lie makes the browser lay the page out
      seen = look;
      for (const { layer, button } of items) {
        const chosen = layer.name === state.layer;
        button.setAttribute('aria-selected', String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        if (chosen) {
          const left = button.offsetLeft - list.offsetLeft;
          if (
            left < list.scrollLeft ||
            left + button.offsetWidth > list.scrollLeft + list.clientWidth
          )
            list.scrollLeft = left - list.clientWidth / 2 + button.offsetWidth / 2;
        }
      }
    },
  };
  watched(element, (now) => {
    room = now;
    if (viewer.model) panel.draw();
  });
  return panel;
}

/** What tells names from each other: layer1.0, layer1.1 -> 1.0, 1.1. Numbers and words stay whole. */
function tails(names) {
  const parts = names.map((name) => name.match(/\d+|[^\d.]+|\./g) ?? [name]);
  const alike = (place) =>
    parts.every((each) => each.length > 1 && each.at(place) === parts[0].at(place));
  while (alike(0)) for (const each of parts) each.shift();
  while (alike(-1)) for (const each of parts) each.pop();
  return parts.map((each) => each.join('').replace(/^\.|\.$/g, ''));
}
