// What: one layer's channel weights as a curve; those that it holds back most, those it lets through; one channel before
// and after.
import { pointingAt, usePointed, useShown } from '../app/pointing.js';
import { BadgeLines } from '../controls/badges.js';
import { Button, Choice } from '../controls/controls.js';
import { useWidth } from '../drawing/surface.js';
import { ranked, weightsOf } from '../numbers/analysis.js';
import { digits, percent } from '../numbers/format.js';
import { FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { channelsByChange, knownContent } from './change.js';
import { ChannelFigures } from './channel.js';
import { BarsChart, channelText } from './chart.js';
import { GalleryButton } from './gallery.js';

const MOST_NAMED = [4, 10, 20, 50];

/** The card of ``viewer``'s layer. */
export function WhatCard({ viewer }) {
  const layer = viewer.layer();
  const weights = layer && weightsOf(layer);
  const [element, width] = useWidth();
  const { say, tools } = viewer;
  if (!weights) return h('section', { class: 'av-card av-what', hidden: true, ref: element });
  const title = say(titleKey(layer), { layer: layer.name, count: weights.length });
  return h(
    'section',
    { class: 'av-card av-what', 'aria-labelledby': 'av-what-title' },
    h('h2', { id: 'av-what-title' }, title),
    h(TakeMenu, { viewer, figure: 'channels' }),
    h(
      'div',
      {
        class: 'av-measure av-canvas',
        ref: element,
        'data-part': 'bars',
        ...tools?.settingBars(viewer, layer),
      },
      h(BarsChart, { viewer, layer, width }),
      tools && h(tools.BarMarks, { viewer, layer, width }),
    ),
    h(ChannelReadOut, { viewer, layer }),
    tools && h(tools.ChannelPanel, { viewer, layer }),
    tools && h(tools.EditedNote, { viewer, layer }),
    h(BadgeLines, { viewer, layer, part: 'channels' }),
    h(ChannelRows, { viewer, layer, weights }),
    h(GalleryButton, { viewer, layer, weights }),
    h(ChannelFigures, { viewer, layer, width }),
    h(
      'details',
      { class: 'av-details', 'data-look': 'bars' },
      h('summary', {}, say('order_and_find')),
      h('div', { class: 'av-controls' }, h(Controls, { viewer, weights })),
      h('p', { class: 'av-note av-numbers' }, numbersText(viewer, layer)),
      h(WeightsTable, { viewer, weights }),
    ),
  );
}

function titleKey(layer) {
  if (layer.paths) return 'bars_title_paths';
  return layer.averaged ? 'bars_title_mean' : 'bars_title';
}

/** A line that says the weight of the channel that is pointed at, else of the chosen one. */
function ChannelReadOut({ viewer, layer }) {
  const channel = useShown(viewer, 'channel');
  return h('p', { class: 'av-readout' }, channelText(viewer, layer, channel));
}

/** Two rows of channels as buttons that choose them, held back and let through, and what they are ranked by. */
function ChannelRows({ viewer, layer, weights }) {
  const { say, state } = viewer;
  const pointed = usePointed(viewer, 'channel');
  const { held, through } = channelsByChange(layer);
  const adds = layer.kind === 'bam'; // which takes nothing away
  const row = (key, channels) => {
    if (!channels.length) return null; // all pass alike
    const chips = channels.slice(0, state.top).map((channel) => {
      const isChosen = channel === state.channel;
      const properties = {
        class: 'av-chip',
        'data-channel': channel,
        'data-pointed': channel === pointed ? '' : undefined,
        'aria-pressed': String(isChosen),
        ...pointingAt(viewer, { channel }),
      };
      const onClick = () => viewer.set({ channel });
      const text = `${channel}: ${digits(weights[channel], 0, 2)}`;
      return h(Button, { key: channel, ...properties, onClick }, text);
    });
    return h('div', { class: 'av-chips', 'data-row': key }, h('span', {}, say(key)), chips);
  };
  return [
    row(adds ? 'raised_most' : 'held_back', adds ? through : held),
    row(adds ? 'raised_least' : 'let_through', adds ? held : through),
    knownContent(layer) &&
      h('p', { class: 'av-note', 'data-rows-how': '' }, say(adds ? 'rows_how_bam' : 'rows_how')),
  ];
}

function Controls({ viewer, weights }) {
  const { say, state, set } = viewer;
  const orders = ORDERS.map((name) => [name, say(`order_${name}`)]);
  const tops = MOST_NAMED.filter((top) => top <= weights.length || top === MOST_NAMED[0]);
  return [
    h(Choice, {
      label: say('order'),
      options: orders,
      value: state.order,
      onChoose: (order) => set({ order }),
      'data-control': 'order',
    }),
    h(Choice, {
      label: say('top'),
      options: tops.map((top) => [String(top), String(top)]),
      value: String(state.top),
      onChoose: (top) => set({ top: Number(top) }),
      'data-control': 'top',
    }),
    h(ChannelSearch, { viewer, count: weights.length }),
  ];
}

/** A field to choose a channel by its number; it shows the chosen one's while nothing else is written in it. */
function ChannelSearch({ viewer, count }) {
  const { say, state, set } = viewer;
  const [written, setWritten] = useState(null);
  const isChannel = (text) => /^\d+$/.test(text) && Number(text) < count;
  const onInput = ({ currentTarget }) => {
    const { value } = currentTarget;
    setWritten(isChannel(value) ? null : value);
    if (isChannel(value)) set({ channel: Number(value) });
  };
  const shown = written ?? (state.channel === null ? '' : String(state.channel));
  const isWrong = Boolean(written);
  const limits = { min: 0, max: count - 1, step: 1, placeholder: `0–${count - 1}` };
  const properties = {
    'data-control': 'find',
    'aria-invalid': String(isWrong),
    onInput,
    onBlur: () => setWritten(null),
  };
  const input = h('input', { type: 'number', ...limits, ...properties, value: shown });
  return h('label', { class: 'av-field' }, h('span', {}, say('find')), input);
}

function numbersText({ say }, layer) {
  const { mean, std, least, greatest, highShare, lowShare, undefinedCount } = layer.weightNumbers;
  const text = say(layer.kind === 'bam' ? 'numbers_bam' : 'numbers', {
    mean: digits(mean),
    std: digits(std),
    least: digits(least),
    greatest: digits(greatest),
    high: percent(highShare),
    low: percent(lowShare),
  });
  return undefinedCount ? text + say('numbers_undefined', { count: undefinedCount }) : text;
}

function WeightsTable({ viewer, weights }) {
  const { say, state } = viewer;
  const content = () => [
    [say('channel'), say('weight')],
    ranked(weights, state.order).map((channel) => [
      String(channel),
      digits(weights[channel], 0, 4),
    ]),
  ];
  return h(FoldedTable, {
    name: 'bars',
    title: say('bars_table', { count: weights.length }),
    content,
  });
}
