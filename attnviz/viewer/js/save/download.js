// Files that the browser saves, and what goes to the clipboard.

/** Save what is at an address, under a name. */
export function download(address, name = '') {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

/** Save what a canvas shows as a PNG file. */
export async function downloadPicture(canvas, name) {
  const address = URL.createObjectURL(await pngOf(canvas));
  download(address, `${name}.png`);
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it a while later
}

/** Copy what a canvas shows. Throws where the browser does not let the page. */
export async function copyPicture(canvas) {
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': pngOf(canvas) })]);
}

/** What a canvas shows, as a PNG file. */
export function pngOf(canvas) {
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png');
  });
}
