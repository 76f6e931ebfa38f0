// How the app begins, and begins anew.
import { hasEdits, requestOf } from '../changes/edits.js';
import { ownPhotos } from '../photos/own.js';
import { readAddress } from './address.js';
import { keepHistory, keptView } from './history.js';
import { ENGLISH, spokenLanguage } from './languages.js';
import { partOf } from './later.js';
import { FORGOTTEN } from './state.js';

/** Begin: with what the address, or this entry of the history, asks for, and the host has. ``page`` is that of ``mount``,
 * see viewer.js. */
export async function begin(viewer, page) {
  const asked = page.hasAddress ? readAddress(location.href) : { state: {} };
  const kept = page.hasAddress ? keptView() : null;
  viewer.language = spokenLanguage(asked.language ?? page.language ?? ENGLISH);
  viewer.draw();
  const { photo, network, view, edits } = kept?.asked ?? asked;
  const wanted = { photo, network, view, language: viewer.language };
  try {
    await showFirst(viewer, await viewer.host.start(wanted), kept?.state ?? asked.state, edits);
    if (page.hasAddress) viewer.history = keepHistory(viewer);
    viewer.compared.open();
  } catch (error) {
    viewer.tell(error);
  }
}

/** Show what the host opens with, in a state and with edits. */
async function showFirst(viewer, opening, { learn, ...state }, edits) {
  const { captures, compared } = viewer;
  viewer.offer(opening);
  viewer.keep(ownPhotos(opening.mine ?? []));
  const trace = await changed(viewer, await captures.open(opening.capture), edits);
  compared.beside = opening.beside ?? [];
  if (opening.note) viewer.notice = { said: opening.note };
  if (opening.trouble) viewer.notice = { said: opening.trouble, isTrouble: true };
  await viewer.show(trace, { ...opening.state, ...state });
  for (const request of compared.beside) await captures.get(request);
  if (compared.beside.length) viewer.draw();
  if (learn) await (await partOf(viewer, 'lesson'))?.openPage(viewer, learn, state);
}

/** The trace with these edits, or as it is where they can't be made, which is said. */
async function changed(viewer, trace, edits) {
  if (!hasEdits(edits)) return trace;
  if (!viewer.host.edits) {
    viewer.notice = { key: 'changes_not_here' };
    return trace;
  }
  return viewer.captures.get(requestOf({ ...trace.asked, edits })).catch((error) => {
    viewer.tell(error);
    return trace;
  });
}

/** Delete all that the visitor brought, and begin anew, with the photo and the network that are shown if they stay. */
export const beginAnew = (viewer) =>
  viewer.work.do({ key: 'waiting' }, async () => {
    await viewer.host.forget();
    viewer.captures.forget();
    viewer.compared.forget();
    viewer.keep([]);
    Object.assign(viewer.state, FORGOTTEN);
    const { photo, network, view, example } = viewer.trace.asked;
    const isOwn = viewer.networks.some(({ name, group }) => name === network && group === 'yours');
    const staying = { photo: example ? photo : undefined, network: isOwn ? undefined : network };
    const opening = await viewer.host.start({ ...staying, view, language: viewer.language });
    viewer.offer(opening);
    await viewer.show(await viewer.captures.open(opening.capture));
    viewer.history?.follow();
    viewer.notice = { key: 'deleted' };
  });
