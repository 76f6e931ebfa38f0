// A switch for each layer of the strip: its gates as they are, as usual, or off; and by how much each layer changed.
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { canChange, CHOICES, choiceOf, hasEdits, isChanging, PATCH, stateOf } from './edits.js';
import { canPatch, PhotoChoice, takingGates } from './patching.js';
import { takes } from './setting.js';
import { doneTo, photoName } from './words.js';

const ASK = 'ask'; // for another photo
const WITH_ARROW = 60; // px of a switch that has room for the browser's arrow

/** Whether there is anything to show below the strip. */
export const hasSwitches = (viewer) => Boolean(viewer.trace.change) || isChanging(viewer);

/** The cells below the items of ``stages``, [{stage, layers}], each as wide as the item above it. */
export function Switches({ viewer, stages, layout }) {
  const groups = stages.map(({ stage, layers }) =>
    h(
      'div',
      { class: 'av-stage av-stage-layers', key: `${stage}-${layers[0].name}` },
      layers.map((layer) => h(Cell, { key: layer.name, viewer, layer, width: layout.width + 8 })),
    ),
  );
  const label = viewer.say('what_if');
  return h('div', { class: 'av-switches', role: 'group', 'aria-label': label }, groups);
}

function Cell({ viewer, layer, width }) {
  const hasSwitch = isChanging(viewer) && layer.formula !== 'none';
  return h(
    'div',
    {
      class: 'av-switch-cell',
      style: { width: `${width}px` },
      ...takingGates(viewer, layer),
    },
    hasSwitch && h(Switch, { viewer, layer, width }),
    viewer.trace.change && h(Moved, { viewer, layer }),
  );
}

function Switch({ viewer, layer, width }) {
  const { say } = viewer;
  const [isAsking, setAsking] = useState(false); // which other photo
  const edits = viewer.edits();
  const chosen = choiceOf(edits, layer.name);
  const offered = CHOICES.filter((choice) => choice === 'own' || takes(viewer, choice));
  if (canPatch(viewer)) offered.push(ASK);
  const names = offered.includes(chosen) ? offered : [...offered, chosen];
  const textOf = (name) => {
    if (name === PATCH) return photoName(viewer, edits[layer.name][0].photo);
    return say(name === ASK ? 'edit_patch' : `gates_${name}`);
  };
  const onChange = ({ currentTarget }) => {
    const { value } = currentTarget;
    if (value === ASK) setAsking(true);
    else viewer.change(withChoice(edits, layer.name, value));
  };
  const onClose = () => {
    setAsking(false);
    viewer.draw(); // the switch goes back to what there is
  };
  return [
    h(
      'select',
      {
        class: `av-switch${width < WITH_ARROW ? ' av-narrow' : ''}`,
        'data-switch': layer.name,
        'data-choice': chosen,
        'aria-label': say('gates_of', { layer: layer.name }),
        title: doneTo(viewer, layer.name, edits),
        value: isAsking ? ASK : chosen,
        onChange,
      },
      names.map((name) =>
        h(
          'option',
          { value: name, selected: name === chosen, disabled: !offered.includes(name) },
          textOf(name),
        ),
      ),
    ),
    isAsking && h(PhotoChoice, { viewer, layer, onClose }),
  ];
}

/** What became of a layer, in words; empty where that is not known. */
export function changeInWords({ say, trace }, layer) {
  const state = stateOf(trace, layer);
  const size = trace.change?.moved?.[layer.name] ?? NaN;
  return state ? say(`moved_${state}`, { layer: layer.name, size: digits(size) }) : '';
}

/** By how much a layer's factor changed. */
function Moved({ viewer, layer }) {
  const { say, trace } = viewer;
  const state = stateOf(trace, layer);
  if (!state) return null;
  const size = trace.change.moved?.[layer.name];
  const isKnown = size !== undefined && size !== null;
  const text = state === 'still' ? say('moved_not') : isKnown ? `Δ ${digits(size)}` : '';
  const title = changeInWords(viewer, layer);
  return h('span', { class: `av-moved av-${state}`, 'data-moved': state, title }, text);
}

/** Whether edits are made, and can be undone here. */
export const canReset = (viewer) => hasEdits(viewer.trace.change?.edits) && canChange(viewer);

/** The edits with another choice for a layer. */
function withChoice(edits, layer, choice) {
  const { [layer]: _, ...others } = edits ?? {};
  return choice === 'own' ? others : { ...others, [layer]: [{ edit: choice }] };
}
