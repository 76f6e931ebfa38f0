// One photo in several networks, a column each, every gate on an axis of its own.
import { Checkbox, Choice } from '../controls/controls.js';
import { useWidth } from '../drawing/surface.js';
import { weightsOf } from '../numbers/analysis.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { rechosen } from './choosing.js';
import { comparedLayer } from './counterpart.js';
import {
  Absence,
  Arrivals,
  AsTheyAre,
  FirstClasses,
  GateBar,
  GateCurve,
  gateText,
  numbersHead,
  numbersRow,
  SmallMap,
} from './shared.js';

export const MOST_NETWORKS = 4;
const GAP = 14; // px, as in the CSS
const NARROWEST = 190; // px, of a column, as in the CSS
const AROUND = 28; // px, of its padding
const CURVE = 120; // px, its height: the same for all, so that spreads can be compared

/** The comparison of networks, where that is what ``viewer`` shows. */
export function NetworksComparison({ viewer }) {
  return viewer.state.tab === 'networks' ? h(Panel, { viewer }) : null;
}

function Panel({ viewer }) {
  const { say, trace } = viewer;
  const [element, room] = useWidth();
  const compared = viewer.compared.networks;
  const entries = compared.entries();
  const { isUnderWay } = compared.progress();
  const fitting = Math.floor((room + GAP) / (NARROWEST + GAP));
  const count = clamp(fitting, 1, Math.max(2, entries.length)); // of columns in a row
  const width = Math.floor(clamp((room - (count - 1) * GAP) / count - AROUND, 150, 420));
  const columns = entries.map((entry) =>
    h(Column, { key: entry.request.network, viewer, entry, width, isAwaited: isUnderWay }),
  );
  return h(
    'section',
    { class: 'av-panel av-comparison', ref: element, 'data-figure': 'networks' },
    h('h2', {}, say('networks_title', { photo: trace.photo.name })),
    h(TakeMenu, { viewer, figure: 'networks' }),
    h(NetworkChoices, { viewer }),
    h(AsTheyAre, { viewer }),
    h(Arrivals, { viewer, compared }),
    h('div', { class: 'av-columns-compared' }, room > 0 && columns),
    h('p', { class: 'av-note' }, say('networks_how')),
    h(LayersTable, { say, traces: compared.traces() }),
  );
}

/** The networks as boxes to tick; the one on the screen stays. */
function NetworkChoices({ viewer }) {
  const { say, state, networks, trace } = viewer;
  const boxes = networks
    .filter(({ isReady, name }) => isReady || state.networks.includes(name))
    .map(({ name, title }) => {
      const isShown = name === trace.asked.network;
      return h(Checkbox, {
        key: name,
        label: isShown ? say('on_the_screen', { name: title }) : title,
        name,
        value: state.networks.includes(name),
        disabled: isShown,
        onChoose: (isOn) => choose(viewer, name, isOn),
      });
    });
  return h('div', { class: 'av-checks', role: 'group', 'aria-label': say('networks_pick') }, boxes);
}

function choose(viewer, name, isOn) {
  viewer.set({ networks: rechosen(viewer.state.networks, name, isOn, MOST_NETWORKS) });
  viewer.compared.networks.open();
}

/** One network: what it finds the photo like, its layer, the layer's map and gates. */
function Column({ viewer, entry: { request, trace, error }, width, isAwaited }) {
  const title =
    trace?.network.title ??
    viewer.networks.find(({ name }) => name === request.network)?.title ??
    request.network;
  const layer = trace && comparedLayer(viewer, trace);
  return h(
    'article',
    { class: 'av-card av-compared', 'data-network-column': request.network },
    h('h3', {}, title),
    trace
      ? [
          h(FirstClasses, { viewer, trace, count: 2 }),
          layer
            ? h(LayerFigure, { viewer, trace, layer, width })
            : h('p', { class: 'av-empty' }, viewer.say('no_attention_here')),
        ]
      : h(Absence, { viewer, error, isAwaited }),
  );
}

function LayerFigure({ viewer, trace, layer, width }) {
  const { say } = viewer;
  const explore = () => viewer.explore({ network: trace.asked.network, layer: layer.name });
  const picture = [
    layer.map && h(SmallMap, { viewer, trace, layer, width }),
    layer.map && h(GateBar, { viewer, layer, width }),
    h(GateCurve, { viewer, trace, layer, width, height: CURVE }),
  ];
  const hasNothing = !layer.map && !weightsOf(layer);
  return [
    h(LayerChoice, { viewer, trace, layer }),
    h(
      'button',
      {
        type: 'button',
        class: 'av-to-layer',
        'data-explore': layer.name,
        'aria-label': say('explore_layer', { layer: layer.name, network: trace.network.title }),
        onClick: explore,
      },
      hasNothing ? say('channel_none') : picture,
    ),
    h('p', { class: 'av-note' }, [axisText(say, layer), gateText(viewer, layer)].join(' ')),
  ];
}

function axisText(say, layer) {
  if (layer.kind === 'bam') return say('axis_bam');
  return say(layer.map ? 'axis_gate' : 'axis_channels');
}

function LayerChoice({ viewer, trace, layer }) {
  const { network } = trace.asked;
  const isShown = network === viewer.trace.asked.network;
  const onChoose = (name) =>
    isShown
      ? viewer.set({ layer: name })
      : viewer.set({ compared: { ...viewer.state.compared, [network]: name } });
  return h(Choice, {
    label: viewer.say('layer'),
    options: trace.layers.map(({ name }) => [name, name]),
    value: layer.name,
    onChoose,
    'data-control': `layer-of-${network}`,
  });
}

function LayersTable({ say, traces }) {
  const content = () => {
    const rows = traces.flatMap(({ network, layers }) => {
      return layers.map((layer) => [network.title, ...numbersRow(layer)]);
    });
    return [[say('network'), ...numbersHead(say)], rows];
  };
  return h(FoldedTable, { name: 'networks', title: say('compare_table'), content });
}
