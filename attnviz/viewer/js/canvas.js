// Canvases: sharp ones, the page's colours on them, and when to draw them again.
import { scale } from './scale.js';

export const HIGHLIGHT = '#e69f00'; // what is chosen; the same as in saved drawings
export const FONT = '11px system-ui, sans-serif';

/** The context of a canvas, cleared and made ``width`` by ``height`` CSS pixels, sharp on this screen. */
export function contextOf(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const across = Math.max(1, Math.round(width * ratio));
  const down = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

let inks = {}; // asking the browser each time would make it lay the page out each time

/** A colour of the page, by the name of its CSS variable. */
export function ink(element, name) {
  inks[name] ??= getComputedStyle(element).getPropertyValue(`--av-${name}`).trim();
  return inks[name];
}

/** Read the page's colours again: it went from light to dark, or back. */
export function forgetInks() {
  inks = {};
}

/** Channel weights (C,) as a small profile, the greatest first, on the range [low, high]. */
export function drawProfile(context, values, range, width, height, colour) {
  const known = values.filter((value) => !Number.isNaN(value));
  const sorted = known.sort().toReversed();
  const heightOf = scale(range, [0, height]);
  context.fillStyle = colour;
  for (let x = 0; x < width; x++) {
    const tall = heightOf(sorted[Math.floor((x / width) * values.length)]);
    if (tall > 0) context.fillRect(x, height - tall, 1, tall);
  }
}

/** Call ``draw`` with the element's width in pixels whenever that changes. */
export function onWidth(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (!now || now === width) return;
    width = now;
    draw(now);
  }).observe(element);
}
