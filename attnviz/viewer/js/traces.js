// From a capture to a trace that can be drawn.
import { summary, weightsOf } from './analysis.js';
import { unpack } from './decoding.js';

const THUMBNAIL = 200; // px, the width of the small copy
let opened = 0;

/** A capture's trace, with a number of its own (``id``), its photo as ``image`` and as ``thumbnail``, and with each
 * layer the summaries of its map (``numbers``) and of its channel weights (``weightNumbers``, null without any). */
export async function openCapture(capture) {
  const image = new Image();
  image.src = capture.photo.picture;
  const [trace] = await Promise.all([unpack(capture), image.decode()]);
  for (const layer of trace.layers) {
    const weights = weightsOf(layer);
    layer.numbers = summary(layer.map?.values ?? [], layer.kind);
    layer.weightNumbers = weights && summary(weights, layer.kind);
  }
  return Object.assign(trace, { id: ++opened, image, thumbnail: thumbnailOf(image) });
}

/** The photo at the size of thumbnails, which are many. */
function thumbnailOf(image) {
  const ratio = Math.min(1, THUMBNAIL / image.naturalWidth);
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * ratio));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * ratio));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
