// Changed gates in a page without a server: what has to be here for them, and what is said of them.
import { photosIn } from '../changes/edits.js';
import { Fault } from '../engine/fault.js';

/** The kinds of edits that the engine makes. */
export const EDITS = ['usual', 'off', 'set', 'patch', 'flat', 'scale', 'shuffle'];

const FEW = 100; // photos, see interventions/reference.py
const NAMED = 5; // layers that a sentence names
const MOST_PHOTOS = 8; // whose gates are put in: so many can be open beside the one that is shown

/** Whether edits ask what is usual. */
export const asksUsual = (edits) =>
  Object.values(edits ?? {}).some((each) => each.some(({ edit }) => edit === 'usual'));

/** The photos whose gates edits put in. Throws a Fault for more than can be open at once. */
export function patchesIn(edits) {
  const photos = [...new Set(photosIn(edits))];
  if (photos.length > MOST_PHOTOS) throw new Fault('fault_patches', { most: MOST_PHOTOS });
  return photos;
}

/** What is to be known of a changed network, [[key, values]] of remarks. ``notes``: see worker/changing.js; ``photos``: over how many
 * what is usual was taken. */
export function remarksOn(edits, notes, { name, photos, nameOf }) {
  const off = Object.keys(edits).filter((layer) => edits[layer].some(({ edit }) => edit === 'off'));
  const remarks = [
    ['network_changed', { name, layers: some(Object.keys(edits)) }],
    ...notes.withoutCells.map((layer) => ['usual_without_cells', { layer }]),
    ...notes.resized.map(([layer, photo]) => ['patch_resized', { layer, name: nameOf(photo) }]),
  ];
  if (off.length) remarks.push(['edit_off_with_norms', { layers: some(off) }]);
  if (asksUsual(edits) && photos < FEW)
    remarks.push(['reference_of_few', { count: photos, few: FEW }]);
  const texts = remarks.map((remark) => JSON.stringify(remark));
  return remarks.filter((_, place) => texts.indexOf(texts[place]) === place); // each is said once
}

const some = (names) => names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ' …' : '');
