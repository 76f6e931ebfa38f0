// What is changed of a network's gates, as requests carry it: {layer: [edit, …]}, the JSON of Python's
// interventions/edit_json.py.

/** What a switch can make of a layer's gates: its own, the mean over photos, factor 1. */
export const CHOICES = ['own', 'usual', 'off'];
export const PATCH = 'patch'; // another photo's
export const OTHER = 'other'; // where a layer has edits that no choice stands for

const EVERY = 'all'; // in place of a layer's name
const LONGEST = 6000; // characters in an address
const EXAMPLE = 'example:'; // begins the name of an example photo
const MOVED = 1e-6; // mean size of a change of a factor beyond which a layer is said to have changed

/** What of a request says which pass is meant; edits only where there are some. */
export function requestOf({ photo, network, view, edits }) {
  return hasEdits(edits) ? { photo, network, view, edits } : { photo, network, view };
}

/** Whether there are any. */
export const hasEdits = (edits) => Boolean(edits) && Object.keys(edits).length > 0;

/** The edits as a text that is the same for the same ones. Layers' order counts where there are edits of all beside theirs. */
export function keyOfEdits(edits) {
  const made = edits ?? {};
  const layers = EVERY in made ? Object.entries(made) : inOrder(made);
  return JSON.stringify(layers.map(([layer, each]) => [layer, each.map(inOrder)]));
}

const inOrder = (object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));

/** Which choice a layer's edits are: one of CHOICES, PATCH or OTHER. */
export function choiceOf(edits, layer) {
  const each = edits?.[layer];
  if (!each?.length) return 'own';
  const [{ edit, photo, ...more }] = each;
  if (each.length > 1 || Object.keys(more).length) return OTHER;
  return (photo ? edit === PATCH : CHOICES.includes(edit)) ? edit : OTHER;
}

/** Edits as they stand in an address: one that its name says all of is that name. Null for none, and for those that an
 * address can't have: too many, or with a photo of the visitor's own. */
export function writeEdits(edits) {
  if (!hasEdits(edits) || photosIn(edits).some((photo) => !photo.startsWith(EXAMPLE))) return null;
  const short = Object.entries(edits).map(([layer, each]) => {
    const choice = choiceOf(edits, layer);
    return [layer, CHOICES.includes(choice) ? choice : each];
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

function isEdit(edit) {
  const { channel = [], cells = [], photo = '' } = edit ?? {};
  const hasNumbers = [channel, cells].every(
    (each) => Array.isArray(each) && each.every((one) => Array.isArray(one) && one.every(isKnown)),
  );
  return typeof edit?.edit === 'string' && typeof photo === 'string' && hasNumbers;
}

const isKnown = (value) => Number.isFinite(value);

/** The photos whose gates are put in place of others, by their names. */
export const photosIn = (edits) =>
  Object.values(edits ?? {})
    .flat()
    .map(({ photo }) => photo)
    .filter(Boolean);

/** The edits but for those that put in a photo's gates. */
export function withoutPhoto(edits, photo) {
  const left = Object.entries(edits ?? {}).map(([layer, each]) => [
    layer,
    each.filter((edit) => edit.photo !== photo),
  ]);
  return Object.fromEntries(left.filter(([, each]) => each.length));
}

/** What the network of a trace is called: with a word where its gates are changed. */
export function titleOf(say, { network, change }) {
  return change ? say('changed_title', { network: network.title }) : network.title;
}

/** Whether gates can be changed here. */
export const canChange = ({ host, isEmbedded }) => Boolean(host.edits?.length) && !isEmbedded;

/** Whether the means of changing gates are in sight. */
export const isChanging = (viewer) => viewer.state.switches && canChange(viewer);

/** What became of a layer in a changed network: 'edited', 'moved', 'still', or null where that is not known. */
export function stateOf({ change }, layer) {
  if (!change) return null;
  if (change.edits[layer.name]) return 'edited';
  const size = change.moved?.[layer.name];
  if (size === undefined || size === null) return null;
  return size > MOVED ? 'moved' : 'still';
}
