// How wide a strip's thumbnails are, and which names fit below them.
import { clamp } from './scale.js';

const NARROWEST = 44; // px, of a thumbnail
const WIDEST = 92; // px
const PHONE = 600; // px of room, below which the strip scrolls
// px between stages, around a thumbnail, and of names, as in the CSS
const ROOMY = { gap: 14, around: 8, font: 12, isTight: false };
const TIGHT = { gap: 8, around: 6, font: 11, isTight: true };
const ROOMY_ENOUGH = 70; // px, of a thumbnail

/** {look, width}: as wide as all layers fit beside each other in ``room`` pixels, with less around them where that is
 * narrow. */
export function layoutOf(room, layers) {
  const stages = new Set(layers.map((layer) => layer.stage)).size;
  const widthIn = ({ gap, around }) => {
    const gaps = (stages - 1) * gap + (layers.length - stages);
    return Math.floor((room - 4 - gaps) / layers.length) - around;
  };
  const look = room >= PHONE && widthIn(ROOMY) < ROOMY_ENOUGH ? TIGHT : ROOMY;
  return { look, width: room < PHONE ? WIDEST : clamp(widthIn(look), NARROWEST, WIDEST) };
}

/** The layers' names, or what tells them from each other if one is wider than ``width``. */
export function namesFor(layers, look, width) {
  const names = layers.map((layer) => layer.name);
  const context = document.createElement('canvas').getContext('2d');
  context.font = `600 ${look.font}px system-ui, sans-serif`;
  const isTooWide = names.some((name) => context.measureText(name).width > width);
  return isTooWide ? distinctParts(names) : names;
}

/** What tells names from each other: layer1.0, layer1.1 -> 1.0, 1.1. Numbers and words stay whole. */
function distinctParts(names) {
  const parts = names.map((name) => name.match(/\d+|[^\d.]+|\./g) ?? [name]);
  const isShared = (place) => {
    return parts.every((name) => name.length > 1 && name.at(place) === parts[0].at(place));
  };
  while (isShared(0)) for (const name of parts) name.shift();
  while (isShared(-1)) for (const name of parts) name.pop();
  return parts.map((name) => name.join('').replace(/^\.|\.$/g, ''));
}
