// One channel: its features before the gate, the gate, and after, on one scale. The features are asked for once.
import { drawMap, ramp } from './colours.js';
import { disclosed, fill, h, sized, watched } from './dom.js';
import { bamFactor, cellRows, digits, weightsOf } from './numbers.js';

export function channelPanel(viewer) {
  const title = h('h3');
  const body = h('div', { class: 'av-channel' });
  const note = h('p', { class: 'av-note', role: 'status' });
  const tables = h('div');
  const element = h(
    'section',
    { class: 'av-panel', 'data-guide': 'channel' },
    title,
    body,
    note,
    tables,
  );
  const kept = new Map();
  let wanted = '';
  let shown = '';
  let width = 0;

  async function ask(key, layer, channel) {
    if (!kept.has(key)) {
      kept.set(key, viewer.host.channel(viewer.model, layer.name, channel));
      if (kept.size > 40) kept.delete(kept.keys().next().value);
    }
    try {
      const features = await kept.get(key);
      if (wanted === key) show(layer, channel, features);
    } catch (error) {
      kept.delete(key);
      if (wanted === key) only(viewer.told(error));
    }
  }

  /** Words in place of pictures. */
  function only(text) {
    fill(body);
    fill(tables);
    note.textContent = text;
  }

  /** What the features of this channel are multiplied by: a number, or a map. */
  function gateOf(layer, channel) {
    if (layer.spatial_logits && layer.channel_logits && layer.formula.startsWith('bam'))
      return { map: bamFactor(layer, channel), range: layer.limits };
    const own = layer.channel && !layer.averaged ? layer.channel.values[channel] : 1;
    const low = layer.limits[0];
    if (layer.averaged) return { average: layer.channel.values[channel], range: layer.limits };
    if (layer.spatial && layer.formula === 'product')
      return {
        own,
        map: { ...layer.map, values: layer.map.values.map((place) => own * place) },
        range: [low, layer.limits[1]],
      };
    if (layer.spatial && layer.formula === 'sum')
      return {
        map: { ...layer.map, values: layer.map.values.map((place) => own + place) },
        range: layer.limits,
      };
    return { own, range: layer.limits };
  }

  function show(layer, channel, { before, after }) {
    const { say, state } = viewer;
    const all = [...before.values, ...after.values];
    const reach = Math.max(...all.map(Math.abs)) || 1;
    const signed = Math.min(...all) < 0;
    const look = { colours: signed ? 'coolwarm' : state.colours, smooth: state.smooth, opacity: 1 };
    const range = [signed ? -reach : 0, reach];
    const gate = gateOf(layer, channel);
    const factor = gate.map
      ? figure(say('the_gate'), gate.map, gate.range, { ...look, colours: state.colours })
      : h(
          'figure',
          { class: 'av-factor' },
          h('div', {}, h('span', {}, `× ${digits(gate.own ?? gate.average)}`)),
          h('figcaption', {}, say('the_gate')),
        );
    fill(
      body,
      figure(say('before'), before, range, look),
      factor,
      figure(say('after'), after, range, look),
    );
    note.textContent = say(
      gate.map
        ? 'channel_note_map'
        : gate.average !== undefined
          ? 'channel_note_mean'
          : 'channel_note',
      {
        low: digits(range[0]),
        high: digits(range[1]),
        height: before.height,
        width: before.width,
        factor: digits(gate.own ?? gate.average ?? NaN),
      },
    );
    const parts = [
      [say('before'), before.values],
      ...(gate.map ? [[say('the_gate'), gate.map.values]] : []),
      [say('after'), after.values],
    ];
    fill(
      tables,
      disclosed('channel', say('channel_table'), () => [
        [say('row'), say('column'), ...parts.map(([name]) => name)],
        cellRows(
          before,
          parts.map(
            ([, values]) =>
              (place) =>
                digits(values[place]),
          ),
        ),
      ]),
    );
  }

  function figure(text, map, range, look) {
    const canvas = h('canvas', { role: 'img', 'aria-label': `${text}: ${spanOf(map)}` });
    const across = Math.min(210, Math.max(90, (width - 40) / 3));
    const context = sized(canvas, across, Math.min(300, (across * map.height) / map.width));
    drawMap(
      context,
      map,
      range,
      look,
      0,
      0,
      across,
      Math.min(300, (across * map.height) / map.width),
    );
    return h(
      'figure',
      {},
      canvas,
      ramp(range, look.colours, across),
      h('figcaption', {}, text, h('br'), h('small', {}, spanOf(map))),
    );
  }

  const spanOf = (map) => {
    let low = Infinity;
    let high = -Infinity;
    for (const value of map.values)
      if (!Number.isNaN(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    return viewer.say('span', { low: digits(low), high: digits(high) });
  };

  const panel = {
    element,
    forget() {
      kept.clear();
      shown = '';
    },
    draw() {
      const { state, say, model } = viewer;
      const layer = viewer.layer();
      element.hidden = !layer || !weightsOf(layer);
      if (element.hidden) return;
      const { channel } = state;
      title.textContent =
        channel === null
          ? say('channel_title_none')
          : say('channel_title', { channel, layer: layer.name });
      const key = [model.id, layer.name, channel].join();
      const look = [key, state.colours, state.smooth, viewer.language, width, viewer.dark()].join();
      if (shown === look) return;
      shown = look;
      wanted = key;
      if (layer.formula === 'none') {
        only(say('channel_none'));
        return;
      }
      if (!viewer.host?.channel) {
        only(say('channel_offline'));
        return;
      }
      if (channel === null) {
        only(say('channel_hint'));
        return;
      }
      if (!kept.has(key)) note.textContent = say('waiting');
      ask(key, layer, channel);
    },
  };
  watched(element, (now) => {
    width = now;
    if (viewer.model) panel.draw();
  });
  return panel;
}
