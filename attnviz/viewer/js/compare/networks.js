// One photo in several networks, stage by stage.
import { Checks, Choice, toggled } from '../controls/controls.js';
import { useWidth } from '../drawing/surface.js';
import { clamp } from '../numbers/scale.js';
import { FoldedTable } from '../numbers/tables.js';
import { h } from '../vendor/preact.js';
import {
  Absence,
  ComparedScales,
  FirstClasses,
  numbersHead,
  numbersRow,
  SmallMap,
  SmallWeights,
} from './shared.js';

export const MOST_NETWORKS = 4;

/** The comparison of networks, where that is what ``viewer`` shows. */
export function NetworksComparison({ viewer }) {
  return viewer.state.tab === 'networks' ? h(Panel, { viewer }) : null;
}

function Panel({ viewer }) {
  const { state, say, trace, set } = viewer;
  const [element, room] = useWidth();
  const compared = viewer.compared.networks;
  const [traces, entries] = [compared.traces(), compared.entries()];
  const title = say('networks_title', { photo: trace.photo.name });
  const options = viewer.networks
    .filter(({ isReady, name }) => isReady || state.networks.includes(name))
    .map((network) => [network.name, network.title]);
  const pick = (name, isOn) => {
    set({ networks: toggled(state.networks, name, isOn, MOST_NETWORKS) });
    compared.open();
  };
  const width = clamp((room - 90) / Math.max(2, entries.length) - 14, 120, 260);
  return h(
    'section',
    { class: 'av-panel', ref: element },
    h('h2', {}, title),
    h(Checks, {
      label: say('networks_pick'),
      options,
      chosen: state.networks,
      most: MOST_NETWORKS,
      onChoose: pick,
    }),
    h('div', { class: 'av-controls' }, h(BlockChoice, { viewer })),
    h('p', { class: 'av-note' }, say('networks_note', { most: MOST_NETWORKS })),
    h(ComparedScales, { viewer, traces }),
    h(
      'div',
      { class: 'av-grid', role: 'region', tabIndex: 0, 'aria-label': title },
      room > 0 && h(StagesTable, { viewer, entries, traces, width }),
    ),
    h(LayersTable, { say, traces }),
  );
}

/** Which layer of a stage is shown. */
function BlockChoice({ viewer: { say, state, set } }) {
  const options = ['last', 'first'].map((name) => [name, say(`block_${name}`)]);
  const onChoose = (block) => set({ block });
  return h(Choice, {
    label: say('blocks'),
    options,
    value: state.block,
    onChoose,
    'data-control': 'block',
  });
}

/** A table with a column for each network and a row for each stage. */
function StagesTable({ viewer, entries, traces, width }) {
  const { say } = viewer;
  const layers = traces.flatMap((trace) => trace.layers);
  const stages = [...new Set(layers.map(({ stage }) => stage).filter(Boolean))].sort();
  const heads = entries.map((entry) => networkHead(viewer, entry));
  const rows = stages.map((stage) => {
    const head = h('th', { scope: 'row' }, say('stage', { number: stage }));
    const cells = entries.map(({ trace }) => stageCell(viewer, trace, stage, width, traces));
    return h('tr', {}, head, cells);
  });
  const head = h('thead', {}, h('tr', {}, h('td'), heads));
  return h('table', { class: 'av-compare' }, head, h('tbody', {}, rows));
}

function networkHead(viewer, { request, trace, error }) {
  const name =
    trace?.network.title ??
    viewer.networks.find((network) => network.name === request.network)?.title ??
    request.network;
  const said = trace ? h(FirstClasses, { viewer, trace, count: 3 }) : h(Absence, { viewer, error });
  return h('th', { scope: 'col' }, name, said);
}

function stageCell(viewer, trace, stage, width, traces) {
  const { say, state } = viewer;
  if (!trace) return h('td', {});
  const layers = trace.layers.filter((layer) => layer.stage === stage);
  const layer = layers.at(state.block === 'last' ? -1 : 0);
  if (!layer) return h('td', { class: 'av-empty' }, say('no_layer_here'));
  const shape = layer.map ? `${layer.height} × ${layer.width}` : say('channels_only');
  return h(
    'td',
    {},
    h(SmallMap, { viewer, trace, layer, width, traces }),
    h(SmallWeights, { viewer, trace, layer, width }),
    h('div', { class: 'av-item-name' }, `${layer.name} · ${shape}`),
  );
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
