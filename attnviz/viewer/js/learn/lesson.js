// The lesson's course: it opens a page by setting what is shown, and at its end gives back what was set before.
import { canChange } from '../changes/edits.js';
import { PAGES } from './pages.js';

/** How a page wants the map and the channels drawn, unless it says otherwise. */
const PLAIN = {
  tab: 'explore',
  way: 'dim',
  scale: 'fixed',
  order: 'size',
  wipe: 0,
  pin: null,
  around: null,
  bare: false,
  smooth: false,
  grid: false,
  gallery: false,
  present: false,
  switches: false,
  stairs: null,
};
const SET = [...Object.keys(PLAIN), 'layer', 'channel'];

/** The pages that can be shown with what the host has. */
export const pagesOf = (viewer) => PAGES.filter((page) => networkFor(viewer, page));

/** Open the first page. What is set now comes back at the end. */
export async function startLesson(viewer) {
  const { state, trace } = viewer;
  const { photo, network, view, edits = {} } = trace.asked;
  const set = Object.fromEntries(SET.map((name) => [name, state[name]]));
  const [first] = pagesOf(viewer);
  const before = { asked: { photo, network, view, edits }, set, scroll: window.scrollY };
  if (first) await openPage(viewer, first.name, { before });
}

/** Begin the lesson, or end it. */
export const toggleLesson = (viewer) =>
  viewer.state.learn ? closeLesson(viewer) : startLesson(viewer);

/** Open a page by its name: it sets network, photo, layer, channel and look, but for what is ``given``. */
export async function openPage(viewer, name, given = {}) {
  const page = PAGES.find((one) => one.name === name);
  const asked = page && networkFor(viewer, page);
  if (!asked) return viewer.set({ learn: null });
  const photo = photoFor(viewer, page) ?? asked.photo;
  const { lessonPhoto } = viewer.state;
  const isOnOther = page.isOnOutsider || page.example;
  const kept = isOnOther ? (lessonPhoto ?? viewer.trace.asked.photo) : null;
  const stateOf = (trace) => ({
    ...PLAIN,
    ...(fitting(page, trace) ? page.choose(trace) : {}),
    lessonPhoto: kept,
    learn: name,
    ...given,
  });
  const { edits = {} } = page;
  return viewer.open({ network: asked.network, photo, edits }, stateOf);
}

/** End the lesson, and show what was shown before it. */
export async function closeLesson(viewer) {
  const { before, lessonPhoto } = viewer.state;
  const closed = { learn: null, before: null, lessonPhoto: null };
  if (before) await viewer.open(before.asked, () => ({ ...before.set, ...closed }));
  else if (lessonPhoto) await viewer.open({ photo: lessonPhoto, edits: {} }, () => closed);
  if (viewer.state.learn) viewer.set(closed); // what was shown before is gone
  if (before) window.scrollTo(0, before.scroll);
}

/** The page of a step before or after the one that is shown; null beyond the ends. */
export function neighbour(viewer, step) {
  const pages = pagesOf(viewer);
  const here = pages.findIndex(({ name }) => name === viewer.state.learn);
  return pages[here + step] ?? null;
}

/** Whether a page can speak of the layer that is shown. */
export function isFitting(viewer, page) {
  const layer = viewer.layer();
  return layer !== null && page.kinds.includes(layer.kind) && page.fits(layer, viewer.trace);
}

/** Whether a page can speak of a layer of a trace, of that ``kind`` if one is said. */
const fitting = (page, trace, kind) =>
  trace.layers.some(
    (layer) =>
      (kind ? layer.kind === kind : page.kinds.includes(layer.kind)) && page.fits(layer, trace),
  );

/** The network that a page is shown in, {network, photo}: of the best kind that there is the one on the screen, else the
 * one from before the lesson, else one that comes with attnviz, else one whose capture is here; null if there is none. Of a
 * page with edits one that comes with attnviz, where such edits can be made. */
function networkFor(viewer, page) {
  if (page.edits) return networkToChange(viewer, page);
  for (const kind of page.kinds) {
    const found = networkOf(viewer, page, kind);
    if (found) return found;
  }
  return null;
}

function networkToChange(viewer, { edits, kinds }) {
  const all = Object.values(edits).flat();
  if (!canChange(viewer) || !all.every(({ edit }) => viewer.host.edits.includes(edit))) return null;
  const ours = comingWithUs(viewer, kinds[0]);
  return ours && { network: ours.name, photo: viewer.trace.asked.photo };
}

const comingWithUs = ({ networks }, kind) =>
  networks.find(
    ({ attention, group, isReady }) => attention === kind && group === 'embedded' && isReady,
  );

function networkOf(viewer, page, kind) {
  const { trace, state, captures } = viewer;
  const { photo } = trace.asked;
  if (fitting(page, trace, kind)) return trace.asked;
  const seen = captures.all().filter((other) => fitting(page, other, kind));
  const earlier = seen.find(({ asked }) => asked.network === state.before?.asked.network);
  if (earlier) return { network: earlier.asked.network, photo };
  const ours = comingWithUs(viewer, kind);
  if (ours) return { network: ours.name, photo };
  return (seen.find(({ asked }) => asked.photo === photo) ?? seen[0])?.asked ?? null;
}

/** The photo that a page is shown with: an example, or one that none of the classes fits, if it asks for such; else the one
 * that was shown before such a page; null for the one that is shown. */
function photoFor({ examples, state, trace }, page) {
  if (page.example) return examples.find(({ photo }) => photo.endsWith(`:${page.example}`))?.photo;
  if (!page.isOnOutsider) return state.lessonPhoto;
  const shown = examples.find(({ photo }) => photo === trace.asked.photo);
  return shown?.mark ? null : (examples.find(({ mark }) => mark)?.photo ?? null);
}
