// Files that the browser saves, and what goes to the clipboard.

/** Save what is at an address, under a name. */
export function download(address, name = '') {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

/** Save a Blob as a file of this name, which is said. */
export function saveBlob(viewer, blob, name) {
  const address = URL.createObjectURL(blob);
  download(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it a while later
  viewer.tell({ key: 'saved_as', values: { name } });
}

/** Save the canvas that ``draw()`` gives as a PNG file; where that can't be done, it is said. */
export async function savePicture(viewer, draw, name) {
  try {
    saveBlob(viewer, await pngOf(draw()), `${name}.png`);
  } catch {
    notDrawn(viewer);
  }
}

/** Copy the canvas that ``draw()`` gives, which is said, or why that can't be done. */
export async function copyPicture(viewer, draw) {
  let canvas = null;
  try {
    canvas = draw();
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': pngOf(canvas) })]);
    viewer.tell({ key: 'picture_copied' });
  } catch {
    if (canvas) viewer.tell({ key: 'picture_not_copied' });
    else notDrawn(viewer);
  }
}

const notDrawn = (viewer) => viewer.tell({ key: 'picture_not_drawn', isTrouble: true });

/** What a canvas shows, as a PNG file. */
export function pngOf(canvas) {
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png');
  });
}
