// The visitor's own photos that this tab knows, with small copies of them: they survive a reload, the host says which of
// them it still has.

const NAME = 'attnviz-photos'; // in the tab's storage
const SIDE = 112; // px, of a thumbnail
export const MOST_KEPT = 50;

/** What the tab knows of them, the newest first: [{photo, name, thumbnail}]. */
export function keptPhotos() {
  try {
    const photos = JSON.parse(sessionStorage.getItem(NAME) ?? '[]');
    return Array.isArray(photos) ? photos : [];
  } catch {
    return [];
  }
}

export function keepPhotos(photos) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(photos));
  } catch {
    // a tab that keeps nothing, or has no room left: they are in the page all the same
  }
}

/** A picture's small copy, cut to a square, as an address. */
export function thumbnailOf(image) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const side = Math.min(width, height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  const from = [(width - side) / 2, (height - side) / 2, side, side];
  context.drawImage(image, ...from, 0, 0, SIDE, SIDE);
  return canvas.toDataURL('image/jpeg', 0.8);
}
