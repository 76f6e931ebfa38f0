// How a layer's gates came about, step after step in the order of computing, with this photo's numbers.
import { drawMap } from './colours.js';
import { disclosed, fill, h, ink, rich, sized } from './dom.js';
import { bamFactor, cellRows, digits, summary, weightsOf } from './numbers.js';

const WIDE = 168;
const TALL = 64; // px

export function mechanismPanel(viewer) {
  const title = h('h3');
  const text = h('p', { class: 'av-prose' });
  const list = h('ol', { class: 'av-steps' });
  const note = h('p', { class: 'av-note' });
  const tables = h('div');
  const element = h(
    'section',
    { class: 'av-panel av-mechanism', 'data-guide': 'mechanism' },
    title,
    text,
    list,
    note,
    tables,
  );
  let drawn = '';

  /** What is computed, in order: {key, values (with height and width)} or {key, number} for what has no array. */
  function chain(layer) {
    const step = Object.fromEntries(layer.steps.map((one) => [one.name, one]));
    const { channel } = viewer.state;
    const made = (key, values, more = {}) => (values ? [{ key, ...values, ...more }] : []);
    const gate = (key, range = layer.limits) => [
      { key, ...layer[key === 'spatial_gate' ? 'map' : 'channel'], range, gate: true },
    ];
    if (layer.kind === 'cbam') {
      return [
        ...made('average', step.average),
        ...made('average_hidden', step.average_hidden),
        ...made('average_logits', step.average_logits),
        ...made('maximum', step.maximum),
        ...made('maximum_hidden', step.maximum_hidden),
        ...made('maximum_logits', step.maximum_logits),
        ...(layer.channel ? gate('channel_gate') : []),
        ...made('mean_map', step.mean_map),
        ...made('maximum_map', step.maximum_map),
        ...made('spatial_logits', step.spatial_logits),
        ...(layer.map ? gate('spatial_gate') : []),
      ];
    }
    if (layer.channel_logits && layer.spatial_logits) {
      const own = channel === null ? null : layer.channel_logits.values[channel];
      const product = layer.formula === 'bam product';
      const joined =
        own === null
          ? null
          : {
              ...layer.spatial_logits,
              values: layer.spatial_logits.values.map((place) =>
                product ? own * place : own + place,
              ),
            };
      return [
        ...made('squeezed', step.squeezed),
        ...made('hidden', step.hidden),
        ...made('channel_branch', layer.channel_logits, { signed: true }),
        ...made('spatial_branch', layer.spatial_logits, { signed: true }),
        ...(joined
          ? made(product ? 'branch_product' : 'branch_sum', joined, { signed: true })
          : []),
        ...(joined
          ? made('bam_factor', bamFactor(layer, channel), { range: layer.limits, gate: true })
          : []),
        { key: 'bam_mean_map', ...layer.map, range: layer.limits, gate: true },
        { key: 'bam_mean_bars', ...layer.channel, range: layer.limits, gate: true },
      ];
    }
    return [
      ...made('squeezed', step.squeezed),
      ...made('hidden', step.hidden),
      ...made('channel_logits', step.channel_logits, { signed: true }),
      ...(layer.pooling ? made('pooling', layer.map, { range: layer.mapLimits, gate: true }) : []),
      ...(layer.channel ? gate('channel_gate') : []),
      ...(layer.spatial ? gate('spatial_gate') : []),
    ];
  }

  function card(one) {
    const { say, state } = viewer;
    const own = summary(one.values);
    const map = one.height > 1;
    const hidden = one.key.endsWith('hidden');
    const signed = one.signed || (!one.gate && own.least < 0);
    const reach = Math.max(Math.abs(own.least), Math.abs(own.greatest)) || 1;
    const range = one.range ?? (signed ? [-reach, reach] : [Math.min(0, own.least), reach]);
    const canvas = h('canvas', {
      role: 'img',
      'aria-label': `${say(`step_${one.key}`)}: ${span(own, one)}`,
    });
    if (map) {
      const tall = Math.min(130, (WIDE * one.height) / one.width);
      const across = (tall * one.width) / one.height;
      drawMap(
        sized(canvas, across, tall),
        one,
        range,
        { colours: signed ? 'coolwarm' : state.colours, smooth: state.smooth },
        0,
        0,
        across,
        tall,
      );
    } else bars(canvas, one, range, signed, hidden);
    const at = state.pin && map ? one.values[state.pin[0] * one.width + state.pin[1]] : null;
    const mine = map
      ? at === null || at === undefined
        ? null
        : say('at_pin', {
            row: state.pin[0] + 1,
            column: state.pin[1] + 1,
            value: digits(at, one.grain),
          })
      : hidden || state.channel === null
        ? null
        : say('at_channel', {
            channel: state.channel,
            value: digits(one.values[state.channel], one.grain),
          });
    if (!map && !hidden) {
      canvas.addEventListener('click', (event) => {
        const { left, width } = canvas.getBoundingClientRect();
        viewer.set({
          channel: Math.min(
            one.width - 1,
            Math.max(0, Math.floor(((event.clientX - left) / width) * one.width)),
          ),
        });
      });
    }
    return h(
      'li',
      { class: `av-step${one.gate ? ' av-gate' : ''}` },
      h('div', { class: 'av-step-title' }, say(`step_${one.key}`, { channel: state.channel ?? 0 })),
      canvas,
      h('div', { class: 'av-step-span' }, span(own, one)),
      mine && h('div', { class: 'av-step-mine' }, mine),
      h(
        'div',
        { class: 'av-step-how' },
        say(`how_${one.key}`, { count: one.width, height: one.height, width: one.width }),
      ),
    );
  }

  const span = (own, one) =>
    viewer.say(one.height > 1 ? 'step_cells' : 'step_values', {
      low: digits(own.least, one.grain),
      high: digits(own.greatest, one.grain),
      count: one.width,
      height: one.height,
      width: one.width,
    });

  function bars(canvas, one, [low, high], signed, hidden) {
    const context = sized(canvas, WIDE, TALL);
    const count = one.width;
    const y = (value) => TALL - ((value - low) / (high - low)) * TALL;
    const base = y(Math.max(low, Math.min(0, high)));
    const thick = WIDE / count;
    const paint = (index, colour, least) => {
      const value = one.values[index];
      if (Number.isNaN(value)) return;
      context.fillStyle = colour;
      const top = one.range ? y(value) : y(value);
      const from = one.range ? TALL : base;
      context.fillRect(
        index * thick,
        Math.min(from, top),
        Math.max(least, thick - (thick > 3 ? 1 : 0)),
        Math.max(1, Math.abs(from - top)),
      );
    };
    for (let i = 0; i < count; i++)
      paint(i, ink(element, !one.range && one.values[i] < 0 ? 'below' : 'accent'), 0.6);
    if (signed && !one.range) {
      context.fillStyle = ink(element, 'subdued');
      context.fillRect(0, base, WIDE, 1);
    }
    if (!hidden && viewer.state.channel !== null && viewer.state.channel < count)
      paint(viewer.state.channel, '#e69f00', 2);
  }

  /** A table for each kind of step: what has a number for each channel, for each hidden unit, for each cell. */
  function numbered(parts) {
    const { say, state } = viewer;
    const count = weightsOf(viewer.layer())?.length;
    const groups = new Map();
    for (const one of parts) {
      const kind =
        one.height > 1
          ? 'cells'
          : one.width === count && !one.key.endsWith('hidden')
            ? 'channels'
            : 'units';
      const name = [kind, one.height, one.width].join('-');
      groups.set(name, { kind, like: one, steps: [...(groups.get(name)?.steps ?? []), one] });
    }
    return Array.from(groups.values(), ({ kind, like, steps }, place) => {
      const names = steps.map((one) => say(`step_${one.key}`, { channel: state.channel ?? 0 }));
      const written = steps.map((one) => (index) => digits(one.values[index], one.grain));
      const title = say(`steps_table_${kind}`, {
        count: like.width,
        height: like.height,
        width: like.width,
      });
      return disclosed(`steps-${kind}-${place}`, title, () =>
        kind === 'cells'
          ? [[say('row'), say('column'), ...names], cellRows(like, written)]
          : [
              [say(kind === 'channels' ? 'channel' : 'unit'), ...names],
              Array.from({ length: like.width }, (_, index) => [
                String(index),
                ...written.map((write) => write(index)),
              ]),
            ],
      );
    });
  }

  return {
    element,
    draw() {
      const layer = viewer.layer();
      const { state, say, model } = viewer;
      element.hidden = !layer;
      if (!layer) return;
      const key = [
        model.id,
        layer.name,
        state.channel,
        String(state.pin),
        state.colours,
        state.smooth,
        viewer.language,
        viewer.dark(),
      ].join();
      if (drawn === key) return;
      drawn = key;
      title.textContent = say('mechanism_title', { kind: layer.title, layer: layer.name });
      fill(text, rich(say(`mechanism_${layer.kind}`)), ' ', h('em', {}, say('not_grad_cam')));
      const parts = chain(layer);
      fill(list, parts.map(card));
      note.textContent = layer.steps.length
        ? say(
            state.channel !== null
              ? 'mechanism_note'
              : layer.map
                ? 'mechanism_pick'
                : 'mechanism_pick_channel',
          )
        : say('mechanism_no_steps');
      fill(tables, numbered(parts));
    },
  };
}
