// The visitor's own photos, and with them all that can be shown.
import { keyOfEdits, photosIn, withoutPhoto } from '../changes/edits.js';
import { bring } from './bring.js';
import { keptPhotos } from './kept.js';

/** The photos that this tab knows and the host still has, the newest first; those that only the host knows last. */
export function ownPhotos(there) {
  const kept = keptPhotos();
  const names = new Set(there.map(({ photo }) => photo));
  const known = new Set(kept.map(({ photo }) => photo));
  return [
    ...kept.filter(({ photo }) => names.has(photo)),
    ...there.filter(({ photo }) => !known.has(photo)),
  ];
}

/** Take the visitor's photos; the last is shown. */
export const addPhotos = (viewer, files) =>
  viewer.work.do({ key: 'sending', values: { name: '' } }, async (options) => {
    const { last, trouble } = await bring(viewer, files, options, (name) => {
      viewer.waiting = { key: 'sending', values: { name } };
      viewer.draw();
    });
    if (last) {
      await viewer.show(last);
      viewer.history?.follow();
      viewer.element.querySelector('.av-where')?.scrollIntoView({ block: 'nearest' });
    }
    if (trouble) throw trouble;
  });

/** Let go of one of the visitor's photos; if it is shown, the first example is. Its gates are no longer put in anywhere. */
export async function removePhoto(viewer, photo) {
  viewer.keep(viewer.mine.filter((other) => other.photo !== photo));
  await leave(viewer, photo);
  viewer.captures.forget(({ asked }) => takes(asked, photo));
  viewer.state.photos = viewer.state.photos.filter((other) => other !== photo);
  viewer.draw();
  await viewer.host.removePhoto(photo).catch(() => {}); // what the host no longer has is gone
}

/** Show something that a photo has no part in. */
async function leave(viewer, photo) {
  const before = viewer.edits();
  const edits = withoutPhoto(before, photo);
  const isChanged = keyOfEdits(edits) !== keyOfEdits(before);
  const first = { photo: viewer.examples[0].photo };
  if (viewer.trace.asked.photo === photo) await viewer.open({ ...first, edits });
  else if (isChanged) await viewer.change(edits);
  // what else is put in may be gone as well
  if (takes(viewer.trace.asked, photo)) await viewer.open({ ...first, edits: {} });
}

const takes = (asked, photo) => asked.photo === photo || photosIn(asked.edits).includes(photo);

/** Photos that can be compared: the visitor's own, and the examples, those of another network too that are chosen. */
export function allPhotos({ mine, examples, trace, state }) {
  const photos = new Map([...mine, ...examples].map((photo) => [photo.photo, photo]));
  for (const name of [trace?.asked.photo, ...state.photos])
    if (name && !photos.has(name)) photos.set(name, { photo: name, name: nameFrom(name) });
  return [...photos.values()];
}

/** What a photo of which only the host's name is known is called. */
const nameFrom = (photo) => photo.split(/[:/]/).at(-1);
