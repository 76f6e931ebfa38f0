// One photo's channel weights against another's: a scatter plot, and the channels that differ most.
import { Choice } from '../controls/controls.js';
import { ranked, weightsOf, weightsRange } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { FoldedTable, Table } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { ScatterPlot } from './scatter.js';

const NAMED = 10; // channels that differ most
const WIDEST = 380; // px, of the plot

/** Two of these, [{trace, layer}], against each other; or a word that there are not two. */
export function Pair({ viewer, withLayer, room }) {
  const { say, state } = viewer;
  const both = withLayer.filter(({ layer }) => weightsOf(layer));
  if (both.length < 2)
    return h('div', { class: 'av-pair' }, h('p', { class: 'av-note' }, say('pair_hint')));
  const pair = pairOf(state, both);
  return h(
    'div',
    { class: 'av-pair av-comparison', 'data-figure': 'pair' },
    h('h3', {}, say('pair_title')),
    h(TakeMenu, { viewer, figure: 'pair', isVector: true }),
    h('div', { class: 'av-controls' }, h(PhotoChoices, { viewer, both, pair })),
    h(
      'div',
      { class: 'av-columns' },
      h(ScatterPlot, { viewer, pair, width: Math.min(WIDEST, room - 10) }),
      h(MostDifferent, { say, pair }),
    ),
    h(PairTable, { say, pair }),
  );
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

function PhotoChoices({ viewer: { say, set }, both, pair }) {
  const options = both.map(({ trace }) => [trace.asked.photo, trace.photo.name]);
  return ['a', 'b'].map((side) =>
    h(Choice, {
      key: side,
      label: say(`photo_${side}`),
      options,
      value: pair[side].asked.photo,
      onChoose: (photo) => set({ [side]: photo }),
      'data-control': side,
    }),
  );
}

const pairHead = (say) => [say('channel'), say('photo_a'), say('photo_b'), say('difference')];

function pairRows({ first, second, differences }, channels) {
  return channels.map((channel) => {
    const values = [first, second, differences].map((array) => digits(array[channel]));
    return [String(channel), ...values];
  });
}

function MostDifferent({ say, pair }) {
  const caption = say('most_different', { count: pair.named.length });
  return h(Table, {
    caption,
    content: [pairHead(say), pairRows(pair, pair.named)],
    control: 'most-different',
  });
}

function PairTable({ say, pair }) {
  const title = say('pair_table', { count: pair.first.length });
  const content = () => [pairHead(say), pairRows(pair, pair.order)];
  return h(FoldedTable, { name: 'pair', title, content });
}
