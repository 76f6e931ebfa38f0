// What is changed of a network's gates, as requests carry it: {layer: [edit, …]}, the JSON of Python's
// interventions/edit_json.py.

/** What a switch can make of a layer's gates: its own, the mean over photos, factor 1. */
export const CHOICES = ['own', 'usual', 'off'];
export const OTHER = 'other'; // where a layer has edits that no choice stands for

const LONGEST = 6000; // characters in an address

/** What of a request says which pass is meant; edits only where there are some. */
export function requestOf({ photo, network, view, edits }) {
  return hasEdits(edits) ? { photo, network, view, edits } : { photo, network, view };
}

/** Whether there are any. */
export const hasEdits = (edits) => Boolean(edits) && Object.keys(edits).length > 0;

/** The edits as a text that is the same for the same ones. */
export function keyOfEdits(edits) {
  const layers = Object.entries(edits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(layers);
}

/** Which choice a layer's edits are. */
export function choiceOf(edits, layer) {
  const each = edits?.[layer];
  if (!each?.length) return 'own';
  const [{ edit, ...more }] = each;
  const isPlain = each.length === 1 && !Object.keys(more).length && CHOICES.includes(edit);
  return isPlain ? edit : OTHER;
}

/** The edits with another choice for a layer. */
export function withChoice(edits, layer, choice) {
  const { [layer]: _, ...others } = edits ?? {};
  return choice === 'own' ? others : { ...others, [layer]: [{ edit: choice }] };
}

/** Edits as they stand in an address: one that its name says all of is that name. */
export function writeEdits(edits) {
  if (!hasEdits(edits)) return null;
  const short = Object.entries(edits).map(([layer, each]) => {
    const choice = choiceOf(edits, layer);
    return [layer, choice === OTHER ? each : choice];
  });
  const text = JSON.stringify(Object.fromEntries(short));
  return text.length > LONGEST ? null : text;
}

/** The edits that an address has; undefined for none or nonsense. */
export function readEdits(text) {
  const read = Object.entries(parsed(text.slice(0, LONGEST)) ?? {}).map(([layer, each]) => [
    layer,
    [each].flat().map((edit) => (typeof edit === 'string' ? { edit } : edit)),
  ]);
  const isWhole = read.every(([, each]) => each.length && each.every(isEdit));
  return read.length && isWhole ? Object.fromEntries(read) : undefined;
}

/** What a text of JSON says; null of what is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isEdit = (edit) => typeof edit?.edit === 'string';

/** What the network of a trace is called: with a word where its gates are changed. */
export function titleOf(say, { network, change }) {
  return change ? say('changed_title', { network: network.title }) : network.title;
}
