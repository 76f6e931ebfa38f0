// One layer's channel weights as bars, in three orders; the strongest by name, a search, numbers, a table.
import { ranked, weightsOf } from './analysis.js';
import { BarsChart } from './bars_chart.js';
import { changes } from './changes.js';
import { choice } from './controls.js';
import { fill, h } from './dom.js';
import { digits, percent } from './format.js';
import { foldedTable } from './tables.js';

const MOST_NAMED = [5, 10, 20, 50];

/** The channel weights of ``viewer``'s layer: {element, draw}. */
export function barsPanel(viewer) {
  const title = h('h3');
  const readout = h('p', { class: 'av-readout' });
  const chart = new BarsChart(viewer, readout);
  const chips = h('div', { class: 'av-chips' });
  const controls = h('div', { class: 'av-controls' });
  const numbers = h('p', { class: 'av-note av-numbers' });
  const tables = h('div');
  const stage = h('div', { class: 'av-canvas', 'data-guide': 'bars' }, chart.element);
  const parts = [title, stage, readout, chips, controls, numbers, tables];
  const element = h('section', { class: 'av-panel' }, parts);
  const changed = changes();
  chart.followWidth(element);

  function draw() {
    const { trace, state, language } = viewer;
    const layer = viewer.layer();
    const weights = layer && weightsOf(layer);
    element.hidden = !weights;
    if (!weights) return;
    const isOther = changed('layer', trace.id, layer.name, language, state.order, state.top);
    if (isOther) renew(layer, weights);
    for (const chip of chips.querySelectorAll('button'))
      chip.setAttribute('aria-pressed', String(Number(chip.dataset.channel) === state.channel));
    chart.draw(layer, isOther);
  }

  /** Another layer, trace, language or order. */
  function renew(layer, weights) {
    const { say } = viewer;
    title.textContent = say(titleKey(layer), { layer: layer.name, count: weights.length });
    fill(chips, channelChips(viewer, weights));
    fill(controls, orderChoice(viewer), topChoice(viewer, weights), channelSearch(viewer, weights));
    numbers.textContent = numbersText(viewer, layer);
    fill(tables, weightsTable(viewer, weights));
  }

  return { element, draw };
}

function titleKey(layer) {
  if (layer.paths) return 'bars_title_paths';
  return layer.averaged ? 'bars_title_mean' : 'bars_title';
}

/** The strongest channels, or the most surprising, as buttons that choose them. */
function channelChips(viewer, weights) {
  const { say, state } = viewer;
  const isSurprise = state.order === 'surprise';
  const channels = ranked(weights, isSurprise ? 'surprise' : 'size')
    .filter((channel) => !Number.isNaN(weights[channel]))
    .slice(0, state.top);
  const chips = channels.map((channel) => {
    const on = { click: () => viewer.set({ channel }) };
    const properties = { type: 'button', class: 'av-chip', 'data-channel': channel, on };
    return h('button', properties, `${channel}: ${digits(weights[channel])}`);
  });
  return [h('span', {}, say(isSurprise ? 'most_surprising' : 'strongest')), chips].flat();
}

function orderChoice(viewer) {
  const options = ORDERS.map((name) => [name, viewer.say(`order_${name}`)]);
  const onChange = (order) => viewer.set({ order });
  return choice(viewer.say('order'), options, viewer.state.order, onChange, {
    'data-control': 'order',
  });
}

/** How many channels are named. */
function topChoice(viewer, weights) {
  const options = MOST_NAMED.filter((top) => top <= weights.length || top === MOST_NAMED[0]);
  const texts = options.map((top) => [String(top), String(top)]);
  const onChange = (top) => viewer.set({ top: Number(top) });
  return choice(viewer.say('top'), texts, String(viewer.state.top), onChange, {
    'data-control': 'top',
  });
}

/** A field to choose a channel by its number. */
function channelSearch(viewer, weights) {
  const { say, state } = viewer;
  const count = weights.length;
  const onInput = () => {
    const channel = Number(input.value);
    const isEmpty = input.value === '';
    const isChannel = !isEmpty && Number.isInteger(channel) && channel >= 0 && channel < count;
    input.setAttribute('aria-invalid', String(!isEmpty && !isChannel));
    if (isChannel) viewer.set({ channel });
  };
  const limits = { min: 0, max: count - 1, step: 1, placeholder: `0–${count - 1}` };
  const on = { input: onInput };
  const input = h('input', { type: 'number', ...limits, 'data-control': 'find', on });
  if (state.channel !== null) input.value = state.channel;
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

function weightsTable({ say, state }, weights) {
  return foldedTable('bars', say('bars_table', { count: weights.length }), () => [
    [say('channel'), say('weight')],
    ranked(weights, state.order).map((channel) => [
      String(channel),
      digits(weights[channel], 0, 4),
    ]),
  ]);
}
