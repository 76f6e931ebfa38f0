// One photo's channel weights against another's: a scatter plot, and the channels that differ most.
import { ranked, weightsOf, weightsRange } from './analysis.js';
import { choice } from './controls.js';
import { fill, h } from './dom.js';
import { digits } from './format.js';
import { scatterPlot } from './scatter.js';
import { foldedTable, table } from './tables.js';

const NAMED = 10; // channels that differ most
const WIDEST = 380; // px, of the plot

/** The comparison of two photos: {element, draw}. */
export function pairPanel(viewer) {
  const element = h('div', { class: 'av-pair' });
  const pointed = { channel: null }; // stays while the plot is made anew

  /** Draw two of these, [{trace, layer}], or ask for a second photo. */
  function draw(withLayer, width) {
    const { say } = viewer;
    const both = withLayer.filter(({ layer }) => weightsOf(layer));
    if (both.length < 2) {
      fill(element, h('p', { class: 'av-note' }, say('pair_hint')));
      return;
    }
    const pair = pairOf(viewer.state, both);
    const readout = h('p', { class: 'av-readout' }, say('scatter_hint'));
    const canvas = scatterPlot(viewer, pair, pointed, readout, Math.min(WIDEST, width - 10));
    const choices = h('div', { class: 'av-controls' }, photoChoices(viewer, both, pair));
    const plot = h('div', {}, canvas, readout);
    const most = h('div', {}, mostDifferent(say, pair));
    fill(element, choices, h('div', { class: 'av-columns' }, plot, most), pairTable(say, pair));
  }

  return { element, draw };
}

/** Photos a and b, their weights (C,), the differences b - a, the channels by their size and those to name. */
function pairOf(state, both) {
  const [a, b] = ['a', 'b'].map((side, index) => {
    return both.find(({ trace }) => trace.asked.photo === state[side]) ?? both[index];
  });
  const [first, second] = [a, b].map(({ layer }) => weightsOf(layer));
  const differences = first.map((value, channel) => second[channel] - value);
  const order = ranked(differences.map(Math.abs), 'size');
  const named = order.filter((channel) => !Number.isNaN(differences[channel])).slice(0, NAMED);
  const range = weightsRange([a.layer, b.layer], state.scale);
  return { a: a.trace, b: b.trace, first, second, differences, order, named, range };
}

function photoChoices({ say, set }, both, pair) {
  const options = both.map(({ trace }) => [trace.asked.photo, trace.photo.name]);
  return ['a', 'b'].map((side) => {
    const onChange = (photo) => set({ [side]: photo });
    const properties = { 'data-control': side };
    return choice(say(`photo_${side}`), options, pair[side].asked.photo, onChange, properties);
  });
}

const pairHead = (say) => [say('channel'), say('photo_a'), say('photo_b'), say('difference')];

function pairRows({ first, second, differences }, channels) {
  return channels.map((channel) => {
    const values = [first, second, differences].map((array) => digits(array[channel]));
    return [String(channel), ...values];
  });
}

function mostDifferent(say, pair) {
  const { named } = pair;
  return table(
    say('most_different', { count: named.length }),
    pairHead(say),
    pairRows(pair, named),
  );
}

function pairTable(say, pair) {
  const title = say('pair_table', { count: pair.first.length });
  return foldedTable('pair', title, () => [pairHead(say), pairRows(pair, pair.order)]);
}
