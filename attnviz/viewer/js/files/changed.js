// What was changed of a network, as a zip's manifest says it.
import { hasEdits } from '../changes/edits.js';

/** Edits whose photos are called by their files' names. */
export function withNames(edits, nameOf) {
  const named = (edit) => (edit.photo ? { ...edit, photo: nameOf(edit.photo) } : edit);
  return Object.fromEntries(Object.entries(edits).map(([layer, each]) => [layer, each.map(named)]));
}

/** A photo in the manifest. */
export const photoEntry = ({ name, width, height, sha256 }) => ({
  name,
  width,
  height,
  rgb_sha256: sha256,
});

/** What edits changed, and the photos whose gates they put in, by their files: ``others``, [{name, photo, file}]. */
export function changedBy(edits, others) {
  if (!hasEdits(edits)) return { edits: null };
  const files = new Map(others.map(({ name, file }) => [name, file]));
  const changed = { layers: withNames(edits, (name) => files.get(name)), recompute: true };
  if (!others.length) return { edits: changed };
  const photos = others.map(({ file, photo }) => [file, photoEntry(photo)]);
  return { edits: changed, others: Object.fromEntries(photos) };
}
