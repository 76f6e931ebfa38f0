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

/** Whether a photo is small enough to be shown as it is. */
export const isSmall = ({ width, height }) => Math.max(width, height) <= SHOWN_SIDE;

/** A copy of a photo to be shown: {width, height} of the photo, and ``blob``, a JPEG. */
export async function smallCopy(photo) {
  const { width, height } = photo;
  const scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
  const sides = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = new OffscreenCanvas(...sides);
  const context = small.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvasOf(rgbOf(photo), width, height), 0, 0, ...sides);
  const blob = await small.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  return { width, height, blob };
}

/** All of a photo: its ``width`` and ``height``, its ``rgb``, three bytes a pixel, and ``blob``, a PNG. */
export async function wholePicture(photo) {
  const { width, height } = photo;
  const rgb = rgbOf(photo);
  const canvas = canvasOf(rgb, width, height);
  return { width, height, rgb, blob: await canvas.convertToBlob({ type: 'image/png' }) };
}

function rgbOf({ pixels, bands }) {
  if (bands === 3) return new Uint8Array(pixels);
  const rgb = new Uint8Array((pixels.length / bands) * 3);
  for (let from = 0, to = 0; to < rgb.length; from += bands, to += 3) {
    rgb[to] = pixels[from];
    rgb[to + 1] = pixels[from + 1];
    rgb[to + 2] = pixels[from + 2];
  }
  return rgb;
}

function canvasOf(rgb, width, height) {
  const image = new ImageData(width, height);
  image.data.fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    image.data[to] = rgb[from];
    image.data[to + 1] = rgb[from + 1];
    image.data[to + 2] = rgb[from + 2];
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}
