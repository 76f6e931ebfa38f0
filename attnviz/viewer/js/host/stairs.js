// Every layer changed in turn, alone and together with all before it, in a page without a server: see Stairs in host.js.
import { greatestOf, probabilityOf, topOf } from '../worker/answer.js';

/** The Stairs of a photo in a network with ``labels``. ``answer``, of edits, gives {logits, layers}: what the network says, and its layers'
 * names; ``report`` is told of layers that are done. */
export async function stairsOf({ how, labels, answer, report = () => {} }) {
  const own = await answer({});
  const best = greatestOf(own.logits);
  const said = ({ logits }) => ({
    answer: labelOf(logits, labels),
    isOther: greatestOf(logits) !== best,
    scoreChange: logits[best] - own.logits[best],
    share: probabilityOf(logits, best),
  });
  const steps = [];
  const together = {};
  for (const layer of own.layers) {
    const edits = { [layer]: [{ edit: how }] };
    Object.assign(together, edits);
    const alone = said(await answer(edits));
    const both = steps.length ? said(await answer({ ...together })) : alone;
    steps.push({ layer, alone, together: both });
    report({ done: steps.length, total: own.layers.length });
  }
  const before = { answer: labelOf(own.logits, labels), share: probabilityOf(own.logits, best) };
  return { how, before, steps, leftOut: [] };
}

const labelOf = (logits, labels) => topOf(logits, labels, 1)[0][0];
