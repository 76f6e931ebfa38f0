// What was done to a layer's gates, in words.
import { digits } from '../numbers/format.js';
import { choiceOf, OTHER, PATCH } from './edits.js';

/** What was done to a layer of the trace that is shown, or is by other ``edits``; '' of one that is as it is. */
export function doneTo(viewer, layer, edits = shownEdits(viewer)) {
  const choice = choiceOf(edits, layer);
  if (choice !== OTHER && choice !== PATCH) return viewer.say(`gates_${choice}`);
  return edits[layer].map((edit) => inWords(viewer, edit)).join(', ');
}

/** A saved page knows no names of photos but their files'. */
const shownEdits = ({ trace: { asked, change } }) => asked.edits ?? change?.edits;

/** All changed layers with what was done, the first ``most`` of them where they are many. */
export function changesInWords(viewer, most = Infinity) {
  const names = Object.keys(viewer.trace.change.edits);
  const done = names.slice(0, most).map((layer) => `${layer} ${doneTo(viewer, layer)}`);
  const rest = names.length - done.length;
  return [...done, rest > 0 && viewer.say('and_more', { count: rest })].filter(Boolean).join(' · ');
}

function inWords(viewer, edit) {
  const { say } = viewer;
  if (edit.edit === PATCH) return say('edit_gates_of', { photo: photoName(viewer, edit.photo) });
  if (edit.edit === 'set') return setInWords(say, edit);
  return say(edit.part || !isNamed(edit) ? 'gates_other' : `gates_${edit.edit}`);
}

const isNamed = ({ edit }) => ['usual', 'off'].includes(edit);

function setInWords(say, { channel = [], cells = [] }) {
  const words = [];
  if (channel.length === 1) {
    const [[number, value]] = channel;
    words.push(say('edit_channel_set', { channel: number, value: digits(value, 0, 2) }));
  } else if (channel.length) words.push(say('edit_channels_set', { count: channel.length }));
  if (cells.length) words.push(say('edit_cells_set', { count: cells.length }));
  return words.join(', ');
}

/** What a photo is called, by the host's name of it or its file's. */
export function photoName(viewer, photo) {
  const known = viewer.photos().find((one) => one.photo === photo);
  return known?.title ?? known?.name ?? photo.split(/[:/]/).at(-1);
}
