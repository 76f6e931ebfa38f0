// Photos that a visitor brings: they are sent and computed one after another, and what can't be shown is given back.
import { requestOf } from '../changes/edits.js';
import { thumbnailOf } from './kept.js';

/** Bring ``files`` to ``viewer``'s host. Gives the ``last`` trace that could be made, and the first ``trouble``, an error,
 * that one of them was: both null if there is none. ``onFile`` is called with the name of each and how many there are. */
export async function bring(viewer, files, options, onFile) {
  const brought = { last: null, trouble: null };
  for (const [index, file] of files.entries()) {
    onFile(files.length > 1 ? `${file.name} (${index + 1} / ${files.length})` : file.name);
    try {
      brought.last = await bringOne(viewer, file, options);
    } catch (error) {
      options.signal.throwIfAborted();
      brought.trouble ??= error;
    }
  }
  return brought;
}

async function bringOne(viewer, file, options) {
  const photo = await viewer.host.addPhoto(file, options);
  const trace = await viewer.captures
    .get(requestOf({ ...viewer.trace.asked, photo: photo.photo }), options)
    .catch((error) => givenBack(viewer.host, photo, error));
  viewer.keep([{ ...photo, thumbnail: thumbnailOf(trace.image) }, ...viewer.mine]);
  return trace;
}

/** Let go of a photo that can't be shown, and throw why. */
async function givenBack(host, { photo }, error) {
  await host.removePhoto(photo).catch(() => {});
  throw error;
}
