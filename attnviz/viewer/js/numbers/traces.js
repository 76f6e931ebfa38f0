// From a capture to a trace that can be drawn.
import { summary, weightsOf } from './analysis.js';
import { badgesOf } from './badges.js';
import { unpack } from './decoding.js';

const THUMBNAIL = 200; // px, the width of the small copy
let opened = 0;

/** A capture's trace, with a number of its own (``id``), its photo as ``image``, small as ``thumbnail``, and ``grey``, and with each
 * layer the summaries of its map (``numbers``) and of its channel weights (``weightNumbers``, null without any), and its
 * ``badges``. */
export async function openCapture(capture) {
  const image = new Image();
  image.src = capture.photo.picture;
  const [trace] = await Promise.all([unpacked(capture), image.decode()]);
  return withPicture(trace, image, [image.naturalWidth, image.naturalHeight]);
}

/** The same of a camera's frame, whose picture is a canvas. */
export async function openFrame(capture, canvas) {
  return withPicture(await unpacked(capture), canvas, [canvas.width, canvas.height]);
}

const unpacked = async (capture) => (capture.arrays ? unpack(capture) : { ...capture });

/** A trace with all that ``openCapture`` gives it; ``image`` has that size. */
function withPicture(trace, image, size) {
  for (const layer of trace.layers) {
    const weights = weightsOf(layer);
    layer.numbers = summary(layer.map?.values ?? [], layer.kind);
    // gates that were set say nothing of the layer
    layer.badges = trace.change?.edits[layer.name] ? [] : badgesOf(layer);
    layer.weightNumbers = weights && summary(weights, layer.kind);
  }
  Object.assign(trace, { id: ++opened, image, thumbnail: smallCopy(image, size) });
  let grey = null; // made when the map is first drawn in colours
  return Object.defineProperty(trace, 'grey', { get: () => (grey ??= greyCopy(image, size)) });
}

/** The photo at the size of thumbnails, which are many. */
function smallCopy(image, [width, height]) {
  const ratio = Math.min(1, THUMBNAIL / width);
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The photo in grey: its luminance by BT.601. */
function greyCopy(image, [width, height]) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = pixels;
  for (let place = 0; place < data.length; place += 4) {
    const luminance = 0.299 * data[place] + 0.587 * data[place + 1] + 0.114 * data[place + 2];
    data[place] = data[place + 1] = data[place + 2] = luminance;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}
