// How a layer's gates came about, step after step in the order of computing, with this photo's numbers.
import { weightsOf } from './analysis.js';
import { changes } from './changes.js';
import { fill, h, withStrong } from './dom.js';
import { digits } from './format.js';
import { isHidden, isMap, stepCard } from './step_card.js';
import { stepsOf } from './steps.js';
import { cellRows, foldedTable } from './tables.js';

/** The mechanism of ``viewer``'s layer: {element, draw}. */
export function mechanismPanel(viewer) {
  const title = h('h3');
  const text = h('p', { class: 'av-prose' });
  const list = h('ol', { class: 'av-steps' });
  const note = h('p', { class: 'av-note' });
  const tables = h('div');
  const properties = { class: 'av-panel av-mechanism', 'data-guide': 'mechanism' };
  const element = h('section', properties, title, text, list, note, tables);
  const changed = changes();

  function draw() {
    const { state, say, trace, language } = viewer;
    const { channel, pin, colours, smooth } = state;
    const layer = viewer.layer();
    element.hidden = !layer;
    if (!layer) return;
    const look = [channel, String(pin), colours, smooth, language, viewer.dark()];
    if (!changed('look', trace.id, layer.name, ...look)) return;
    title.textContent = say('mechanism_title', { kind: layer.title, layer: layer.name });
    const warning = h('em', {}, say('not_grad_cam'));
    fill(text, withStrong(say(`mechanism_${layer.kind}`)), ' ', warning);
    const steps = stepsOf(layer, channel);
    fill(
      list,
      steps.map((step) => stepCard(viewer, step)),
    );
    note.textContent = say(noteKey(layer, channel));
    fill(tables, stepTables(viewer, layer, steps));
  }

  return { element, draw };
}

function noteKey(layer, channel) {
  if (!layer.steps.length) return 'mechanism_no_steps';
  if (channel !== null) return 'mechanism_note';
  return layer.map ? 'mechanism_pick' : 'mechanism_pick_channel';
}

/** Tables of steps, one for each kind and shape: a number for each channel, for each hidden unit, for each cell. */
function stepTables(viewer, layer, steps) {
  const channels = weightsOf(layer)?.length;
  const groups = new Map();
  for (const step of steps) {
    const kind = kindOf(step, channels);
    const key = [kind, step.height, step.width].join('-');
    if (!groups.has(key)) groups.set(key, { kind, steps: [] });
    groups.get(key).steps.push(step);
  }
  return Array.from(groups.values(), (group, place) => stepTable(viewer, group, place));
}

function kindOf(step, channels) {
  if (isMap(step)) return 'cells';
  return step.width === channels && !isHidden(step) ? 'channels' : 'units';
}

/** A table of steps of one shape, a column a step. */
function stepTable({ say, state }, { kind, steps }, place) {
  const [{ height, width }] = steps;
  const names = steps.map(({ key }) => say(`step_${key}`, { channel: state.channel ?? 0 }));
  const columns = steps.map(({ values, grain }) => {
    return (index) => digits(values[index], grain);
  });
  const title = say(`steps_table_${kind}`, { count: width, height, width });
  return foldedTable(`steps-${kind}-${place}`, title, () => {
    if (kind === 'cells')
      return [[say('row'), say('column'), ...names], cellRows({ height, width }, columns)];
    const rows = Array.from({ length: width }, (_, index) => [
      String(index),
      ...columns.map((textAt) => textAt(index)),
    ]);
    return [[say(kind === 'channels' ? 'channel' : 'unit'), ...names], rows];
  });
}
