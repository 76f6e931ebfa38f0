// A picture that the browser decoded becomes a photo: upright, on white, at most two megapixels.
import { shrunk } from '../pixels/shrinking.js';
import { turned } from '../pixels/turning.js';

const SHOWN_SIDE = 1200; // px, the longer side of a photo's copy that is shown
const QUALITY = 0.88; // of that JPEG

/** The Picture of an ImageBitmap that is still to be turned by EXIF's ``orientation``, 1 to 8. */
export function takenPhoto(bitmap, orientation) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.fillStyle = 'white'; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return turned(shrunk({ pixels: data, width, height, bands: 4 }), orientation);
}

/** A copy of a photo to be shown: {width, height} of the photo, and ``blob``, a JPEG. */
export async function smallCopy({ pixels, width, height, bands }) {
  const data = new ImageData(width, height);
  for (let from = 0, to = 0; to < data.data.length; from += bands, to += 4) {
    data.data.set(pixels.subarray(from, from + 3), to);
    data.data[to + 3] = 255;
  }
  const scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
  const [shownWidth, shownHeight] = [width, height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  );
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').putImageData(data, 0, 0);
  const small = new OffscreenCanvas(shownWidth, shownHeight);
  const context = small.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, 0, 0, shownWidth, shownHeight);
  return {
    width,
    height,
    blob: await small.convertToBlob({ type: 'image/jpeg', quality: QUALITY }),
  };
}
