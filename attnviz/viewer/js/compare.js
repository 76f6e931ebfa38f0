// One photo in several networks, stage by stage; one network with several photos, layer by layer, and one's channel weights against another's.
import { drawOverlay, ramp } from './colours.js';
import { choice, disclosed, fill, h, ink, sized, table } from './dom.js';
import { digits, mapRange, percent, ranked, summary, weightsOf } from './numbers.js';

const NETWORKS = 4;
const PHOTOS = 8;
const NAMED = 10;
const KEPT = 16;
const LEFT_OF = 52; // px, beside the scatter: its title and its numbers

/** Captures that are asked for one after another, each shown when it is there. What went wrong is asked for again when it is wanted again. */
function collection(viewer, drawn) {
  let wanted = [];
  let kept = new Map();
  return {
    entries: () => wanted.map((asked) => ({ asked, ...kept.get(keyOf(asked)) })),
    models: () => wanted.map((asked) => kept.get(keyOf(asked))?.model).filter(Boolean),
    put(asked, model) {
      kept.set(keyOf(asked), { model });
    },
    forget() {
      kept = new Map();
      wanted = [];
    },
    async want(list) {
      const mine = kept;
      wanted = list;
      drawn();
      for (const asked of list) {
        const key = keyOf(asked);
        if (kept !== mine) return; // all was let go of
        if (kept.has(key) && !kept.get(key).trouble) continue;
        kept.set(key, {});
        try {
          mine.set(key, { model: await viewer.opened(await viewer.host.capture(asked)) });
        } catch (trouble) {
          mine.set(key, { trouble });
        }
        drawn();
      }
      const idle = Array.from(kept.keys()).filter(
        (key) => !wanted.some((asked) => keyOf(asked) === key),
      );
      for (const [place, key] of idle.entries())
        if (kept.get(key).trouble || place < idle.length - KEPT) kept.delete(key);
    },
  };
}

const keyOf = ({ network, photo, view }) => JSON.stringify([network, photo, view]);

function picture(viewer, model, layer, width, shown) {
  const { state } = viewer;
  const canvas = h('canvas', { role: 'img' });
  const height = Math.min(width * 1.4, (width * model.photo.height) / model.photo.width);
  const context = sized(canvas, width, height);
  drawOverlay(
    context,
    model,
    layer,
    layer?.map && mapRange(model, layer, 'shown', shown),
    state,
    width,
    height,
  );
  canvas.setAttribute(
    'aria-label',
    layer?.map ? viewer.describeMap(layer) : viewer.say('photo_alt', { photo: model.photo.name }),
  );
  return canvas;
}

function smallBars(element, layer, width) {
  const values = layer && weightsOf(layer);
  if (!values) return null;
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const context = sized(canvas, width, 30);
  const sorted = ranked(values, 'size');
  const [low, high] = layer.channel ? layer.limits : [0, 1];
  context.fillStyle = ink(element, 'accent');
  for (let x = 0; x < width; x++) {
    const tall =
      ((values[sorted[Math.floor((x / width) * sorted.length)]] - low) / (high - low)) * 30;
    if (tall > 0) context.fillRect(x, 30 - tall, 1, tall);
  }
  return canvas;
}

function says(model, count = 3) {
  return h(
    'ul',
    { class: 'av-says' },
    model.top
      .slice(0, count)
      .map(([label, share]) => h('li', {}, h('span', {}, label), h('span', {}, percent(share)))),
  );
}

/** The colour bar of all maps that are compared: one, or two where factors stand beside shares of a context. */
function scales(viewer, shown) {
  const spans = new Map();
  for (const model of shown)
    for (const layer of model.layers)
      if (layer.map && !spans.has(layer.shares))
        spans.set(layer.shares, mapRange(model, layer, 'shown', shown));
  return [...spans.values()].map((span) =>
    h(
      'div',
      { class: 'av-one-scale' },
      h('span', { class: 'av-note' }, viewer.say('one_scale')),
      ramp(span, viewer.state.colours, 220),
    ),
  );
}

export function networksPanel(viewer) {
  const title = h('h3');
  const picker = h('div', { class: 'av-checks', role: 'group' });
  const options = h('div', { class: 'av-controls' });
  const note = h('p', { class: 'av-note' });
  const grid = h('div', { class: 'av-grid', role: 'region', tabindex: 0 });
  const tables = h('div');
  const scale = h('div');
  const element = h(
    'section',
    { class: 'av-panel' },
    title,
    picker,
    options,
    note,
    scale,
    grid,
    tables,
  );
  const all = collection(viewer, () => {
    viewer.draw();
  });

  const asked = () => viewer.state.networks.map((network) => ({ ...viewer.model.asked, network }));

  function draw() {
    const { state, say, model } = viewer;
    const loaded = all.models();
    title.textContent = say('networks_title', { photo: model.photo.name });
    picker.setAttribute('aria-label', say('networks_pick'));
    if (!picker.contains(document.activeElement)) {
      fill(
        picker,
        viewer.host.networks().map(([name, text]) => {
          const input = h('input', {
            type: 'checkbox',
            value: name,
            on: { change: () => pick(name, input.checked) },
          });
          input.checked = state.networks.includes(name);
          input.disabled = !input.checked && state.networks.length >= NETWORKS;
          return h('label', { class: 'av-tick' }, input, text);
        }),
      );
    } else
      for (const input of picker.querySelectorAll('input'))
        input.disabled = !input.checked && state.networks.length >= NETWORKS;
    fill(
      options,
      choice(
        say('blocks'),
        [
          ['last', say('block_last')],
          ['first', say('block_first')],
        ],
        state.block,
        (block) => viewer.set({ block }),
        { 'data-control': 'block' },
      ),
    );
    fill(note, say('networks_note', { most: NETWORKS }));
    fill(scale, scales(viewer, loaded));
    const stages = [
      ...new Set(loaded.flatMap((each) => each.layers.map((layer) => layer.stage)).filter(Boolean)),
    ].sort();
    const entries = all.entries();
    const across = Math.max(
      120,
      Math.min(260, (element.clientWidth - 90) / Math.max(2, entries.length) - 14),
    );
    grid.setAttribute('aria-label', title.textContent);
    const cell = (each, stage) => {
      const layers = each.model?.layers.filter((layer) => layer.stage === stage) ?? [];
      const layer = state.block === 'last' ? layers.at(-1) : layers[0];
      if (!each.model) return h('td', {});
      if (!layer) return h('td', { class: 'av-empty' }, say('no_layer_here'));
      return h(
        'td',
        {},
        picture(viewer, each.model, layer, across, loaded),
        smallBars(element, layer, across),
        h(
          'div',
          { class: 'av-item-name' },
          `${layer.name} · ${layer.map ? `${layer.height} × ${layer.width}` : say('channels_only')}`,
        ),
      );
    };
    fill(
      grid,
      h(
        'table',
        { class: 'av-compare' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('td'),
            entries.map((each) =>
              h(
                'th',
                { scope: 'col' },
                each.model?.network.title ?? each.asked.network,
                each.trouble
                  ? h('p', { class: 'av-trouble' }, viewer.told(each.trouble))
                  : each.model
                    ? says(each.model)
                    : h('p', { class: 'av-waiting', role: 'status' }, say('waiting')),
              ),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          stages.map((stage) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, say('stage', { number: stage })),
              entries.map((each) => cell(each, stage)),
            ),
          ),
        ),
      ),
    );
    fill(
      tables,
      disclosed('networks', say('compare_table'), () => [
        [say('network'), ...numbersHead(say)],
        loaded.flatMap((each) =>
          each.layers.map((layer) => [each.network.title, layer.name, ...numbersOf(layer)]),
        ),
      ]),
    );
  }

  function pick(name, on) {
    const networks = on
      ? [...viewer.state.networks, name].slice(0, NETWORKS)
      : viewer.state.networks.filter((other) => other !== name);
    viewer.set({ networks });
    all.want(asked());
  }

  return {
    element,
    draw,
    models: all.models,
    forget: all.forget,
    open() {
      all.put(viewer.model.asked, viewer.model);
      all.want(asked());
    },
  };
}

const numbersHead = (say) => [
  say('layer'),
  say('weights_mean'),
  say('weights_std'),
  say('map_span'),
];

function numbersOf(layer) {
  const own = layer.numbers;
  const weights = layer.weightNumbers;
  return [
    weights ? digits(weights.mean) : '–',
    weights ? digits(weights.std) : '–',
    layer.map ? `${digits(own.least)} – ${digits(own.greatest)}` : '–',
  ];
}

export function photosPanel(viewer) {
  const title = h('h3');
  const picker = h('div', { class: 'av-checks', role: 'group' });
  const note = h('p', { class: 'av-note' });
  const row = h('div', { class: 'av-photos' });
  const scale = h('div');
  const pair = h('div', { class: 'av-pair' });
  const tables = h('div');
  const element = h(
    'section',
    { class: 'av-panel' },
    title,
    picker,
    note,
    scale,
    row,
    tables,
    pair,
  );
  const all = collection(viewer, () => {
    viewer.draw();
  });
  let hover = null;

  const asked = () => viewer.state.photos.map((photo) => ({ ...viewer.model.asked, photo }));

  function draw() {
    const { state, say, model } = viewer;
    const loaded = all.models();
    const layer = viewer.layer();
    title.textContent = say(layer ? 'photos_title' : 'photos_title_plain', {
      network: model.network.title,
      layer: layer?.name,
    });
    picker.setAttribute('aria-label', say('photos_pick'));
    if (!picker.contains(document.activeElement)) {
      fill(
        picker,
        viewer.photos().map(({ photo, name }) => {
          const input = h('input', {
            type: 'checkbox',
            value: photo,
            on: { change: () => pick(photo, input.checked) },
          });
          input.checked = state.photos.includes(photo);
          input.disabled = !input.checked && state.photos.length >= PHOTOS;
          return h('label', { class: 'av-tick' }, input, name);
        }),
      );
    } else
      for (const input of picker.querySelectorAll('input'))
        input.disabled = !input.checked && state.photos.length >= PHOTOS;
    fill(note, say('photos_note', { most: PHOTOS }));
    fill(scale, scales(viewer, loaded));
    const across = Math.max(
      130,
      Math.min(230, element.clientWidth / Math.min(4, Math.max(2, state.photos.length)) - 18),
    );
    fill(
      row,
      all.entries().map((each) => {
        if (!each.model)
          return h(
            'figure',
            {},
            h(
              'p',
              { class: each.trouble ? 'av-trouble' : 'av-waiting', role: 'status' },
              each.trouble ? viewer.told(each.trouble) : say('waiting'),
            ),
          );
        const its = each.model.layers.find((other) => other.name === layer?.name);
        return h(
          'figure',
          {},
          picture(viewer, each.model, its, across, loaded),
          smallBars(element, its, across),
          h('figcaption', {}, each.model.photo.name),
          says(each.model, 2),
        );
      }),
    );
    const theirs = loaded.flatMap((each) =>
      each.layers
        .filter((other) => other.name === layer?.name)
        .map((its) => [each.photo.name, its]),
    );
    fill(
      tables,
      theirs.length > 0 &&
        disclosed('photos', say('photos_table'), () => [
          [say('photo'), ...numbersHead(say)],
          theirs.map(([name, its]) => [name, its.name, ...numbersOf(its)]),
        ]),
    );
    drawPair(loaded, layer);
  }

  function drawPair(loaded, layer) {
    const { say, state } = viewer;
    const two = loaded.filter((model) =>
      model.layers.some((other) => other.name === layer?.name && weightsOf(other)),
    );
    if (two.length < 2) {
      fill(pair, h('p', { class: 'av-note' }, say('pair_hint')));
      return;
    }
    const [a, b] = ['a', 'b'].map(
      (side, index) => two.find((model) => model.asked.photo === state[side]) ?? two[index],
    );
    const [one, other] = [a, b].map((model) =>
      weightsOf(model.layers.find((each) => each.name === layer.name)),
    );
    const away = one.map((value, index) => other[index] - value);
    const most = ranked(away.map(Math.abs), 'size')
      .filter((index) => !Number.isNaN(away[index]))
      .slice(0, NAMED);
    const names = two.map((model) => [model.asked.photo, model.photo.name]);
    const canvas = h('canvas', {
      role: 'img',
      'aria-label': say('scatter_alt', {
        a: a.photo.name,
        b: b.photo.name,
        channel: most[0],
        away: digits(away[most[0]] ?? NaN),
      }),
    });
    const said = h('p', { class: 'av-readout' }, say('scatter_hint'));
    const wide = Math.min(380, element.clientWidth - 10);
    const inner = wide - LEFT_OF - 20;
    const both = summary([...one, ...other], layer.kind);
    const fixed = state.scale === 'fixed' || !(both.greatest > both.least);
    const [low, high] = fixed
      ? layer.channel
        ? layer.limits
        : [0, 1]
      : [both.least, both.greatest];
    const x = (value) => LEFT_OF + ((value - low) / (high - low)) * inner;
    const y = (value) => 6 + inner - ((value - low) / (high - low)) * inner;
    const paint = () => {
      const context = sized(canvas, wide, inner + 42);
      context.strokeStyle = ink(element, 'line');
      context.strokeRect(LEFT_OF, 6, inner, inner);
      context.beginPath();
      context.moveTo(x(low), y(low));
      context.lineTo(x(high), y(high));
      context.stroke();
      context.fillStyle = ink(element, 'subdued');
      context.font = '11px system-ui, sans-serif';
      context.textAlign = 'center';
      context.fillText(say('photo_a'), LEFT_OF + inner / 2, inner + 36);
      for (const value of [low, (low + high) / 2, high]) {
        context.textAlign = 'center';
        context.fillText(value.toFixed(2), x(value), inner + 20);
        context.textAlign = 'right';
        context.fillText(value.toFixed(2), LEFT_OF - 4, y(value) + 4);
      }
      context.save();
      context.translate(10, 6 + inner / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = 'center';
      context.fillText(say('photo_b'), 0, 0);
      context.restore();
      one.forEach((value, index) => {
        const named = most.includes(index);
        context.globalAlpha = named ? 1 : 0.55;
        context.fillStyle =
          index === hover ? ink(element, 'text') : named ? '#e69f00' : ink(element, 'accent');
        context.beginPath();
        context.arc(x(value), y(other[index]), named || index === hover ? 4 : 2.5, 0, 7);
        context.fill();
      });
      context.globalAlpha = 1;
    };
    canvas.addEventListener('pointermove', (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      const px = event.clientX - left;
      const py = event.clientY - top;
      let near = null;
      let best = 144;
      one.forEach((value, index) => {
        const d = (x(value) - px) ** 2 + (y(other[index]) - py) ** 2;
        if (d < best) {
          best = d;
          near = index;
        }
      });
      if (near === hover) return;
      hover = near;
      said.textContent =
        near === null
          ? say('scatter_hint')
          : say('scatter_point', { channel: near, a: digits(one[near]), b: digits(other[near]) });
      paint();
    });
    const rows = (indices) =>
      indices.map((index) => [
        String(index),
        digits(one[index]),
        digits(other[index]),
        digits(away[index]),
      ]);
    const head = [say('channel'), say('photo_a'), say('photo_b'), say('difference')];
    paint();
    fill(
      pair,
      h(
        'div',
        { class: 'av-controls' },
        choice(say('photo_a'), names, a.asked.photo, (value) => viewer.set({ a: value }), {
          'data-control': 'a',
        }),
        choice(say('photo_b'), names, b.asked.photo, (value) => viewer.set({ b: value }), {
          'data-control': 'b',
        }),
      ),
      h(
        'div',
        { class: 'av-columns' },
        h('div', {}, canvas, said),
        h('div', {}, table(say('most_different', { count: most.length }), head, rows(most))),
      ),
      disclosed('pair', say('pair_table', { count: one.length }), () => [
        head,
        rows(ranked(away.map(Math.abs), 'size')),
      ]),
    );
  }

  function pick(photo, on) {
    viewer.set({
      photos: on
        ? [...viewer.state.photos, photo].slice(0, PHOTOS)
        : viewer.state.photos.filter((each) => each !== photo),
    });
    all.want(asked());
  }

  return {
    element,
    draw,
    models: all.models,
    forget: all.forget,
    open() {
      all.put(viewer.model.asked, viewer.model);
      all.want(asked());
    },
  };
}
