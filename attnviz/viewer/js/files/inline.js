// Captures as plain values that JSON holds: their arrays as base64 of single precision, and back.

const AT_ONCE = 32_768; // bytes that become letters together

/** A capture whose layers' arrays are texts; ``photo`` is what is added to its photo: its ``picture``, an address that holds it,
 * and whose it is, its ``credit``. */
export const withTexts = (capture, photo) =>
  withArrays({ ...capture, logits: undefined, photo: { ...capture.photo, ...photo } }, textOf);

/** The same with numbers again; a capture that has none as texts stays as it is. */
export const withNumbers = (capture) => (capture.arrays ? capture : withArrays(capture, numbersOf));

/** A capture with the values of each of its layers' arrays changed. */
function withArrays(capture, change) {
  const changed = (part) => (isArray(part) ? { ...part, values: change(part.values) } : part);
  const layers = capture.layers.map((layer) => ({
    ...Object.fromEntries(Object.entries(layer).map(([key, part]) => [key, changed(part)])),
    steps: layer.steps.map(changed),
  }));
  return { ...capture, layers };
}

/** Whether a part of a layer is an array {values, …}, and no list, which has values too. */
const isArray = (part) =>
  part !== null && typeof part === 'object' && Object.hasOwn(part, 'values');

function textOf(values) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let letters = '';
  for (let at = 0; at < bytes.length; at += AT_ONCE)
    letters += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return btoa(letters);
}

function numbersOf(text) {
  if (typeof text !== 'string') return text;
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}
