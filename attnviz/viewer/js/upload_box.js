// The box for a visitor's photo, which is Gradio's: it takes every file, and shows also what the browser can't draw.

const BOX = '#photo';
const ANY_PICTURE = 'image/x-unknown'; // the type of a file of which the browser knows none, or another

/** Take every file that is chosen for the box, or dropped on it: Gradio would refuse those that the browser does not
 * call pictures, such as HEIC on most computers, before the server can say what is wrong with them. Gives {show}, which
 * is to be called with every trace: an upload that the browser can't draw, or draws otherwise than it was read, is
 * shown as the trace's picture. */
export function uploadBox() {
  let shown = null; // the trace
  let broken = ''; // the address of what could not be drawn

  function draw() {
    const image = document.querySelector(`${BOX} img`);
    if (!image || !shown || shown.asked.example) return;
    const source = image.src.startsWith('data:') ? image.dataset.source : image.src;
    if (nameIn(source) !== shown.photo.name) return; // its trace is still to come
    if (source !== broken && !shown.remarks.length) return;
    image.dataset.source = source;
    image.src = shown.photo.picture;
  }

  function show(trace) {
    shown = trace;
    draw();
  }

  function noteBroken({ target }) {
    if (!target.matches?.(`${BOX} img`)) return;
    broken = target.src;
    draw();
  }

  // Before Gradio's own listeners
  document.addEventListener('change', takeChosen, true);
  document.addEventListener('drop', takeDropped, true);
  document.addEventListener('error', noteBroken, true); // these do not bubble
  return { show };
}

function takeChosen({ target }) {
  if (!target.matches?.(`${BOX} input[type=file]`) || areCalledPictures(target.files)) return;
  target.files = calledPictures(target.files).files;
}

/** A drop of what the browser does not call pictures becomes one of the same files, called so. */
function takeDropped(event) {
  const files = event.dataTransfer?.files ?? [];
  if (!event.target.closest?.(BOX) || areCalledPictures(files)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const again = { dataTransfer: calledPictures(files), bubbles: true, cancelable: true };
  event.target.dispatchEvent(new DragEvent('drop', again));
}

const isCalledPicture = (file) => file.type.startsWith('image/');

const areCalledPictures = (files) => Array.from(files).every(isCalledPicture);

/** The files as a DataTransfer, each with a type of pictures. */
function calledPictures(files) {
  const transfer = new DataTransfer();
  for (const file of files) {
    const { name, lastModified } = file;
    const type = isCalledPicture(file) ? file.type : ANY_PICTURE;
    transfer.items.add(new File([file], name, { type, lastModified }));
  }
  return transfer;
}

/** The name of the file at an address. */
function nameIn(address) {
  const { pathname } = new URL(address, document.baseURI);
  return decodeURIComponent(pathname.split('/').at(-1));
}
