// One channel: its features before the gate, the gate, and after, on one scale. The features are asked for once.
import { requestOf } from '../changes/edits.js';
import { useShown } from '../app/pointing.js';
import { CellFrame, cellUnder, onGrid } from '../drawing/cell_frame.js';
import { ColourBar } from '../drawing/colour_bar.js';
import { drawMap } from '../drawing/heatmap.js';
import { Surface } from '../drawing/surface.js';
import { summary } from '../numbers/analysis.js';
import { channelFactor } from '../numbers/factors.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { cellRows, FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';

const KEPT = 40; // channels whose features are not asked for again
const TALLEST = 96; // px, of a picture
const ROOMY = { window: 900, tallest: 170 }; // px: in a window so high pictures may be taller
const NARROWEST = 60; // px
const REST = 150; // ms, that the pointer rests on a channel until its features are asked for
const SIGNS = 72; // px, of the two signs between three pictures, with the gaps
const kept = new WeakMap(); // by trace: a Map from a channel's key to the promise of its features

/** The channel of a layer that is pointed at, else the chosen one, in a place ``width`` pixels wide. What is shown stays
 * until another channel's features are here. */
export function ChannelFigures({ viewer, layer, width }) {
  const { say, host, trace, state } = viewer;
  const wanted = useShown(viewer, 'channel');
  const [answer, setAnswer] = useState({}); // {place, channel, features} or {place, channel, error}
  const place = [trace.id, layer.name].join();
  const without = withoutFeatures(viewer, layer);
  useEffect(() => {
    if (without) return null;
    let isWanted = true;
    const ask = () =>
      featuresOf({ host, trace }, layer, wanted).then(
        (features) => isWanted && setAnswer({ place, channel: wanted, features }),
        (error) => isWanted && setAnswer({ place, channel: wanted, error }),
      );
    const timer = setTimeout(ask, wanted === state.channel ? 0 : REST);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [place, wanted, Boolean(without)]);
  const { channel = state.channel, features, error } = answer.place === place ? answer : {};
  const title =
    channel === null
      ? say('channel_title_none')
      : say('channel_title', { channel, layer: layer.name });
  const text = without || (error ? viewer.errorText(error) : say('waiting'));
  return h(
    'div',
    { class: 'av-channel-part', 'data-part': 'channel', 'data-figure': 'channel' },
    h('h3', {}, title),
    features && !without && h(TakeMenu, { viewer, figure: 'channel' }),
    features && !without
      ? h(Figures, { viewer, layer, channel, width, ...features })
      : h('p', { class: 'av-note', role: 'status' }, text),
  );
}

/** Why there are no features to show; empty if there are. */
function withoutFeatures({ say, host, state }, layer) {
  if (layer.formula === 'none') return say('channel_none');
  if (!host.features) return say('channel_offline');
  return state.channel === null ? say('channel_hint') : '';
}

/** The promise of a channel's features; one that fails is asked for again. */
export function featuresOf({ host, trace }, layer, channel) {
  if (!kept.has(trace)) kept.set(trace, new Map());
  const channels = kept.get(trace);
  const key = `${layer.name} ${channel}`;
  if (!channels.has(key)) {
    const promise = host.features({ ...requestOf(trace.asked), layer: layer.name, channel });
    promise.catch(() => channels.delete(key));
    channels.set(key, promise);
    if (channels.size > KEPT) channels.delete(channels.keys().next().value);
  }
  return channels.get(key);
}

function Figures({ viewer, layer, channel, width, before, after }) {
  const { say, state } = viewer;
  const factor = channelFactor(layer, channel);
  const range = featuresRange(before, after);
  const most = clamp((width - SIGNS) / 3, NARROWEST, 300);
  const tallest = window.innerHeight >= ROOMY.window ? ROOMY.tallest : TALLEST;
  const tall = Math.min(tallest, (most * before.height) / before.width);
  const size = [Math.round((tall * before.width) / before.height), Math.round(tall)];
  const look = { colours: state.colours, smooth: state.smooth };
  const featureLook = { ...look, colours: range[0] < 0 ? 'coolwarm' : look.colours };
  const gate = factor.map
    ? h(MapFigure, {
        viewer,
        title: say('the_gate'),
        map: factor.map,
        range: factor.range,
        look,
        size,
      })
    : h(FactorFigure, { say, factor });
  return [
    h(
      'div',
      { class: 'av-channel' },
      h(MapFigure, { viewer, title: say('before'), map: before, range, look: featureLook, size }),
      h('span', { class: 'av-sign-between', 'aria-hidden': 'true' }, '×'),
      gate,
      h('span', { class: 'av-sign-between', 'aria-hidden': 'true' }, '='),
      h(MapFigure, { viewer, title: say('after'), map: after, range, look: featureLook, size }),
    ),
    h('p', { class: 'av-note' }, channelNote(viewer, factor, range, before)),
    h(ChannelTable, { say, before, factor, after }),
  ];
}

/** [low, high] for the features before and after the gate: from 0, or on both sides of it if some are negative. */
function featuresRange(before, after) {
  const ranges = [before, after].map(({ values }) => summary(values));
  const reach = Math.max(...ranges.flatMap(({ least, greatest }) => [-least, greatest])) || 1;
  return [ranges.some(({ least }) => least < 0) ? -reach : 0, reach];
}

/** A map with its colour bar and its range in words. */
function MapFigure({ viewer, title, map, range, look, size }) {
  const { say, pointing } = viewer;
  const { least, greatest } = summary(map.values);
  const span = say('span', { low: digits(least), high: digits(greatest) });
  const [width, height] = size;
  return h(
    'figure',
    { style: { width: `${width}px` } },
    h(
      'div',
      {
        class: 'av-framed',
        onPointerMove: (event) => pointing.point({ cell: cellUnder(event, map) }),
        onPointerLeave: () => pointing.point({ cell: null }),
      },
      h(Surface, {
        width,
        height,
        draw: (context) => drawMap(context, map, range, look, [0, 0, width, height]),
        inputs: [map, String(range), look.colours, look.smooth],
        role: 'img',
        'aria-label': `${title}: ${span}`,
      }),
      h(CellFrame, { viewer, boxOf: onGrid(map) }),
    ),
    h(ColourBar, { range, colours: look.colours, width }),
    h('figcaption', {}, title, h('br'), h('span', { class: 'av-span' }, span)),
  );
}

function FactorFigure({ say, factor: { number, average } }) {
  const text = h('div', { class: 'av-factor-number' }, digits(number ?? average));
  return h('figure', { class: 'av-factor' }, text, h('figcaption', {}, say('the_gate')));
}

function channelNote({ say }, { map, number, average }, [low, high], { height, width }) {
  const key = average === undefined ? 'channel_note' : 'channel_note_mean';
  return say(map ? 'channel_note_map' : key, {
    low: digits(low),
    high: digits(high),
    height,
    width,
    factor: digits(number ?? average ?? NaN),
  });
}

/** Features and gate as a table, cell by cell. */
function ChannelTable({ say, before, factor: { map }, after }) {
  const gate = map ? [map] : [];
  const names = [say('before'), ...gate.map(() => say('the_gate')), say('after')];
  const content = () => {
    const columns = [before, ...gate, after].map(
      ({ values }) =>
        (index) =>
          digits(values[index]),
    );
    return [[say('row'), say('column'), ...names], cellRows(before, columns)];
  };
  return h(FoldedTable, { name: 'channel', title: say('channel_table'), content });
}
