// Which nodes of a mechanism's diagram were changed, and what their formulas then say.

/** A layer's ``diagram`` in a changed network: nodes whose numbers were set are ``isEdited``, and where the number of the
 * shown channel and cell was set, the example says so in place of how it would be computed. */
export function markedDiagram({ trace }, layer, diagram, { channel, cell }) {
  const edits = trace.change?.edits[layer.name];
  if (!edits) return diagram;
  const nodes = diagram.nodes.map((node) => {
    const those = edits.filter((edit) => arraysOf(edit, layer).includes(node.array));
    if (!those.length) return node;
    const isOfShown = those.some((edit) => sets(edit, node.array, channel, cell));
    return { ...node, isEdited: true, ...(isOfShown ? setTo(node) : {}) };
  });
  return { ...diagram, nodes };
}

/** The parts of a layer that an edit changes, as nodes name them. */
function arraysOf({ edit, part, channel = [], cells = [] }, layer) {
  if (layer.kind === 'bam' && part) return [`${part}_logits`];
  if (layer.averaged) return ['channel', 'spatial']; // means of one factor
  if (edit === 'set')
    return [channel.length && 'channel', cells.length && 'spatial'].filter(Boolean);
  return part ? [part] : ['channel', 'spatial'];
}

/** Whether an edit sets the number that is shown of a node. */
function sets({ edit, channel = [], cells = [] }, array, shown, cell) {
  if (edit !== 'set') return true;
  if (array === 'channel') return channel.some(([number]) => number === shown);
  return cells.some(([row, column]) => row === cell?.[0] && column === cell[1]);
}

/** The number is what it was set to, whatever led to it. */
function setTo({ key, symbol, sign }) {
  return { operation: '', of: [], example: ['row', symbol ?? sign, '≔', `@${key}`] };
}
