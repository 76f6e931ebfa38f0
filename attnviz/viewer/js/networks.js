// One photo in several networks, stage by stage.
import { collection } from './collection.js';
import {
  absenceText,
  comparedScales,
  firstClasses,
  numbersHead,
  numbersRow,
  smallMap,
  smallWeights,
} from './comparison.js';
import { choice, fillChecks, toggled } from './controls.js';
import { fill, h } from './dom.js';
import { clamp } from './scale.js';
import { foldedTable } from './tables.js';

export const MOST_NETWORKS = 4;

/** The comparison of networks: {element, draw, open, traces, forget}. */
export function networksPanel(viewer) {
  const title = h('h3');
  const picker = h('div', { class: 'av-checks', role: 'group' });
  const options = h('div', { class: 'av-controls' });
  const note = h('p', { class: 'av-note' });
  const scales = h('div');
  const grid = h('div', { class: 'av-grid', role: 'region', tabindex: 0 });
  const tables = h('div');
  const parts = [title, picker, options, note, scales, grid, tables];
  const element = h('section', { class: 'av-panel' }, parts);
  const compared = collection(viewer);

  const want = () => {
    const { state, trace } = viewer;
    compared.want(state.networks.map((network) => ({ ...trace.asked, network })));
  };

  function pick(name, isOn) {
    viewer.set({ networks: toggled(viewer.state.networks, name, isOn, MOST_NETWORKS) });
    want();
  }

  function draw() {
    const { state, say, trace, host } = viewer;
    const traces = compared.traces();
    const entries = compared.entries();
    title.textContent = say('networks_title', { photo: trace.photo.name });
    picker.setAttribute('aria-label', say('networks_pick'));
    fillChecks(picker, host.networks(), state.networks, MOST_NETWORKS, pick);
    fill(options, blockChoice(viewer));
    fill(note, say('networks_note', { most: MOST_NETWORKS }));
    fill(scales, comparedScales(viewer, traces));
    grid.setAttribute('aria-label', title.textContent);
    const room = (element.clientWidth - 90) / Math.max(2, entries.length) - 14;
    fill(grid, stagesTable(viewer, entries, traces, clamp(room, 120, 260)));
    fill(tables, layersTable(say, traces));
  }

  function open() {
    compared.put(viewer.trace);
    want();
  }

  return { element, draw, open, traces: compared.traces, forget: compared.forget };
}

/** Which layer of a stage is shown. */
function blockChoice({ say, state, set }) {
  const options = ['last', 'first'].map((name) => [name, say(`block_${name}`)]);
  const properties = { 'data-control': 'block' };
  return choice(say('blocks'), options, state.block, (block) => set({ block }), properties);
}

/** A table with a column for each network and a row for each stage. */
function stagesTable(viewer, entries, traces, width) {
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
  const name = trace?.network.title ?? request.network;
  if (trace) return h('th', { scope: 'col' }, name, firstClasses(viewer, trace, 3));
  const properties = error ? { class: 'av-trouble' } : { class: 'av-waiting', role: 'status' };
  return h('th', { scope: 'col' }, name, h('p', properties, absenceText(viewer, error)));
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
    smallMap(viewer, trace, layer, width, traces),
    smallWeights(viewer, layer, width),
    h('div', { class: 'av-item-name' }, `${layer.name} · ${shape}`),
  );
}

function layersTable(say, traces) {
  return foldedTable('networks', say('compare_table'), () => {
    const rows = traces.flatMap(({ network, layers }) => {
      return layers.map((layer) => [network.title, ...numbersRow(layer)]);
    });
    return [[say('network'), ...numbersHead(say)], rows];
  });
}
