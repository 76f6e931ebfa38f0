// How a layer's gates came about, step after step in the order of computing, with this photo's numbers.
import { withStrong } from '../app/words.js';
import { weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { cellRows, FoldedTable } from '../numbers/tables.js';
import { h } from '../vendor/preact.js';
import { isHidden, isMap, StepCard } from './step_card.js';
import { stepsOf } from './steps.js';

/** The mechanism of ``viewer``'s layer. */
export function MechanismPanel({ viewer }) {
  const { state, say } = viewer;
  const layer = viewer.layer();
  if (!layer) return null;
  const steps = stepsOf(layer, state.channel);
  const cards = steps.map((step) => h(StepCard, { key: step.key, viewer, step, layer }));
  return h(
    'section',
    {
      class: 'av-panel av-mechanism',
      'data-guide': 'mechanism',
      'aria-labelledby': 'av-mechanism-title',
    },
    h(
      'h2',
      { id: 'av-mechanism-title' },
      say('mechanism_title', { kind: layer.title, layer: layer.name }),
    ),
    h(
      'p',
      { class: 'av-prose' },
      withStrong(say(`mechanism_${layer.kind}`)),
      ' ',
      h('em', {}, say('not_grad_cam')),
    ),
    h('ol', { class: 'av-steps' }, cards),
    h('p', { class: 'av-note' }, say(noteKey(layer, state.channel))),
    h('div', {}, stepTables(viewer, layer, steps)),
  );
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
  return Array.from(groups.values(), (group, place) => {
    return h(StepTable, { key: `${group.kind}-${place}`, viewer, group, place });
  });
}

function kindOf(step, channels) {
  if (isMap(step)) return 'cells';
  return step.width === channels && !isHidden(step) ? 'channels' : 'units';
}

/** A table of steps of one shape, a column a step. */
function StepTable({ viewer, group: { kind, steps }, place }) {
  const { say, state } = viewer;
  const [{ height, width }] = steps;
  const names = steps.map(({ key }) => say(`step_${key}`, { channel: state.channel ?? 0 }));
  const columns = steps.map(({ values, grain }) => {
    return (index) => digits(values[index], grain);
  });
  const title = say(`steps_table_${kind}`, { count: width, height, width });
  const content = () => {
    if (kind === 'cells')
      return [[say('row'), say('column'), ...names], cellRows({ height, width }, columns)];
    const rows = Array.from({ length: width }, (_, index) => [
      String(index),
      ...columns.map((textAt) => textAt(index)),
    ]);
    return [[say(kind === 'channels' ? 'channel' : 'unit'), ...names], rows];
  };
  return h(FoldedTable, { name: `steps-${kind}-${place}`, title, content });
}
