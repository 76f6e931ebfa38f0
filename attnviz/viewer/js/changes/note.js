// What is to be known where a layer is shown whose gates were changed.
import { h } from '../vendor/preact.js';
import { doneTo } from './words.js';

/** A sentence of ``layer``, that its gates are not what it computes; nothing where they are. */
export function EditedNote({ viewer, layer }) {
  if (!viewer.trace.change?.edits[layer.name]) return null;
  const text = viewer.say('gates_replaced', {
    layer: layer.name,
    choice: doneTo(viewer, layer.name),
  });
  return h('p', { class: 'av-note av-remark', 'data-edited': layer.name }, text);
}
