// Another photo's gates in place of a layer's own: chosen from a list, or by dropping a photo of the row on the layer.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useEffect, useRef } from '../vendor/preact-hooks.js';
import { isChanging, PATCH } from './edits.js';

const DRAGGED = 'application/x-attnviz-photo'; // what a photo of the row is when it is dragged: its name

/** Whether another photo's gates can be put in here. */
export const canPatch = (viewer) => isChanging(viewer) && viewer.host.edits.includes(PATCH);

/** Put another photo's gates in place of all that is done to a layer. */
function patch(viewer, layer, photo) {
  viewer.change({ ...viewer.edits(), [layer.name]: [{ edit: PATCH, photo }] });
}

/** A dialog with all photos but the one that is shown; ``onClose`` is called when it is over. */
export function PhotoChoice({ viewer, layer, onClose }) {
  const { say, trace } = viewer;
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const choose = (photo) => {
    dialog.current.close(); // which gives the focus back
    patch(viewer, layer, photo);
  };
  const others = viewer.photos().filter(({ photo }) => photo !== trace.asked.photo);
  return h(
    'dialog',
    {
      class: 'av-dialog av-patching',
      'data-patching': layer.name,
      'aria-labelledby': 'av-patching-title',
      ref: dialog,
      onClose,
    },
    h('h2', { id: 'av-patching-title' }, say('edit_patch_title', { layer: layer.name })),
    h('p', { class: 'av-note' }, say('edit_patch_note')),
    h(
      'div',
      { class: 'av-patching-photos' },
      others.map((each) => h(PhotoToTake, { key: each.photo, photo: each, onChoose: choose })),
    ),
    h(Button, { onClick: () => dialog.current.close() }, say('close')),
  );
}

function PhotoToTake({ photo: { photo, name, title, thumbnail }, onChoose }) {
  return h(
    'button',
    {
      type: 'button',
      class: 'av-button',
      'data-take-gates': photo,
      onClick: () => onChoose(photo),
    },
    thumbnail && h('img', { src: thumbnail, alt: '', width: 56, height: 56 }),
    title ?? name,
  );
}

/** What a photo of the row listens to, so that it can be dragged. */
export function givingGates(viewer, photo) {
  if (!canPatch(viewer)) return {};
  return {
    draggable: true,
    onDragStart: ({ dataTransfer }) => {
      dataTransfer.setData(DRAGGED, photo);
      dataTransfer.effectAllowed = 'copy';
    },
  };
}

/** What an element that stands for a layer listens to, so that photos can be dropped on it. */
export function takingGates(viewer, layer) {
  if (!canPatch(viewer) || layer.formula === 'none') return {};
  const isPhoto = ({ dataTransfer }) => dataTransfer.types.includes(DRAGGED);
  return {
    onDragOver: (event) => isPhoto(event) && event.preventDefault(),
    onDrop: (event) => {
      if (!isPhoto(event)) return;
      event.preventDefault();
      const photo = event.dataTransfer.getData(DRAGGED);
      if (photo !== viewer.trace.asked.photo) patch(viewer, layer, photo);
    },
  };
}
