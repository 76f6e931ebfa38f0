// The whole page takes photos that are dropped on it or pasted.
import { h } from '../vendor/preact.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';

/** Listens for drops and pastes; while a file is over the page it says so. */
export function DropTarget({ viewer }) {
  const [isOver, setOver] = useState(false);
  const canTake = Boolean(viewer.host.addPhoto);
  useEffect(() => (canTake ? listen(viewer, setOver) : null), []);
  if (!isOver) return null;
  return h('div', { class: 'av-drop' }, h('p', {}, viewer.say('drop_here')));
}

function listen(viewer, setOver) {
  const handlers = {
    dragover(event) {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault(); // else the browser leaves the page for the file
      setOver(true);
    },
    dragleave: (event) => !event.relatedTarget && setOver(false),
    drop(event) {
      setOver(false);
      const files = Array.from(event.dataTransfer?.files ?? []);
      if (!files.length) return;
      event.preventDefault();
      viewer.addPhotos(files);
    },
    paste(event) {
      const files = Array.from(event.clipboardData?.files ?? []);
      if (!files.length) return;
      event.preventDefault();
      viewer.addPhotos(files);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) document.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers))
      document.removeEventListener(name, handler);
  };
}
