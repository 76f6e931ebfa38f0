// A colour means a number. The tables are matplotlib's own, 256 colours each.
import { h, sized } from './dom.js';
import { blended, digits } from './numbers.js';

const UNDEFINED = 128; // the grey of what can't be known, as in render.py
const tables = {};
const packs = {};

/** The 256 colours of a colour map, RGB bytes. LUTS comes with the page, see assets.py. */
export function coloursOf(name) {
  tables[name] ??= Uint8Array.from(atob(LUTS[name]), (letter) => letter.charCodeAt(0));
  return tables[name];
}

export const colourMaps = () => Object.keys(LUTS);

/** The same as one number a colour, as image data holds them; the last one is that of what is undefined. */
function packed(name) {
  packs[name] ??= Uint32Array.from({ length: 257 }, (_, place) => {
    const [red, green, blue] =
      place < 256
        ? coloursOf(name).subarray(3 * place, 3 * place + 3)
        : [UNDEFINED, UNDEFINED, UNDEFINED];
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian, as all machines with browsers are
  });
  return packs[name];
}

/** A canvas of ``width`` by ``height`` pixels in the colours of the values that ``valueAt`` gives. */
function painted(width, height, [low, high], name, valueAt) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = packed(name);
  const scale = 256 / (high - low);
  for (let i = 0; i < pixels.length; i++) {
    const value = valueAt(i);
    const place = Math.floor((value - low) * scale);
    pixels[i] = colours[Number.isNaN(value) ? 256 : place < 0 ? 0 : place > 255 ? 255 : place];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A map, one pixel a cell, as a canvas. */
export const cells = (map, range, name) =>
  painted(map.width, map.height, range, name, (i) => map.values[i]);

/** A map blended between its cells' centres, ``width`` by ``height`` pixels, as a canvas. */
export function smoothed(map, range, name, width, height) {
  return painted(width, height, range, name, (i) =>
    blended(
      map,
      ((Math.floor(i / width) + 0.5) / height) * map.height,
      (((i % width) + 0.5) / width) * map.width,
    ),
  );
}

/** Draw a map into a rectangle, each cell one flat piece or blended. */
export function drawMap(context, map, range, look, x, y, width, height) {
  context.save();
  if (look.smooth) {
    const ratio = Math.min(1, 1200 / Math.max(width, height));
    context.imageSmoothingEnabled = true;
    context.drawImage(
      smoothed(
        map,
        range,
        look.colours,
        Math.max(1, Math.round(width * ratio)),
        Math.max(1, Math.round(height * ratio)),
      ),
      x,
      y,
      width,
      height,
    );
  } else {
    context.imageSmoothingEnabled = false;
    context.drawImage(cells(map, range, look.colours), x, y, width, height);
  }
  context.restore();
}

/** The photo, scaled to a width and height, with a layer's map on just the part that it covers. ``from`` is where the map begins (0 to 1). */
export function drawOverlay(context, model, layer, range, look, width, height, from = 0) {
  const across = width / model.photo.width;
  const down = height / model.photo.height;
  context.drawImage(width > 120 ? model.image : model.thumbnail, 0, 0, width, height);
  const [left, top, right, bottom] = model.seen.box;
  context.save();
  context.beginPath();
  context.rect(Math.max(left * across, from * width), top * down, width, (bottom - top) * down);
  context.clip();
  context.beginPath();
  context.rect(left * across, top * down, (right - left) * across, (bottom - top) * down);
  context.clip();
  if (layer?.map) {
    const [l, t, r, b] = layer.box;
    context.globalAlpha = look.opacity;
    drawMap(
      context,
      layer.map,
      range,
      look,
      l * across,
      t * down,
      (r - l) * across,
      (b - t) * down,
    );
  }
  context.restore();
  if (left > 0 || top > 0 || right < model.photo.width || bottom < model.photo.height) {
    // what the network did not see is dimmed
    context.save();
    context.fillStyle = 'rgba(20, 20, 30, 0.6)';
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(left * across, top * down, (right - left) * across, (bottom - top) * down);
    context.fill('evenodd');
    context.restore();
  }
}

/** The cell of a layer's map under a point of the photo, [row, column]; null outside of what the network saw. */
export function cellAt(model, layer, x, y) {
  const [left, top, right, bottom] = model.seen.box;
  const [l, t, r, b] = layer.box;
  if (x < left || y < top || x >= right || y >= bottom) return null;
  const row = Math.floor(((y - t) / (b - t)) * layer.height);
  const column = Math.floor(((x - l) / (r - l)) * layer.width);
  return [Math.min(layer.height - 1, row), Math.min(layer.width - 1, column)];
}

/** Where a cell lies on the photo: [left, top, width, height] in pixels of the photo. */
export function cellBox(layer, row, column) {
  const [l, t, r, b] = layer.box;
  const width = (r - l) / layer.width;
  const height = (b - t) / layer.height;
  return [l + column * width, t + row * height, width, height];
}

/** A small colour bar with its two numbers. */
export function ramp([low, high], name, across) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  paintRamp(sized(canvas, across, 6), name, across, 6);
  return h(
    'div',
    { class: 'av-ramp', style: { width: `${across}px` } },
    canvas,
    h(
      'div',
      { class: 'av-ticks' },
      h('span', {}, digits(low, 0, 2)),
      h('span', {}, digits(high, 0, 2)),
    ),
  );
}

/** The colours of a map from left to right. */
export function paintRamp(context, name, across, tall) {
  context.imageSmoothingEnabled = false;
  context.drawImage(
    painted(256, 1, [0, 256], name, (i) => i),
    0,
    0,
    across,
    tall,
  );
}
