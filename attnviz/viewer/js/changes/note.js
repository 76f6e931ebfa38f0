// What is to be known where a layer is shown whose gates were changed.
import { h } from '../vendor/preact.js';
import { choiceOf } from './edits.js';

/** A sentence of ``layer``, that its gates are not what it computes; nothing where they are. */
export function EditedNote({ viewer: { say, trace }, layer }) {
  const edits = trace.change?.edits;
  if (!edits?.[layer.name]) return null;
  const choice = say(`gates_${choiceOf(edits, layer.name)}`);
  const text = say('gates_replaced', { layer: layer.name, choice });
  return h('p', { class: 'av-note av-remark', 'data-edited': layer.name }, text);
}
