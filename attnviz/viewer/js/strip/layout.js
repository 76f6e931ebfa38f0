// How wide a strip's items are, how their pictures stand in them, and which names fit below.
import { clamp } from '../numbers/scale.js';

const NARROWEST = 44; // px, of an item's content
const WIDEST = 420; // px
const ON_PHONES = 96; // px: there the strip scrolls
const PHONE = 600; // px of room
const BESIDE = 118; // px, from which an item has its profile beside its map
const RANGE = 76; // px, that a range takes beside the name
const TALL = 58; // px, of a map
const PROFILE = 20; // px, below a map
const AROUND = 8; // px, an item's padding and border, as in the CSS
const GAP = 12; // px, between stages, as in the CSS
const MAPS_SHARE = 0.66; // of an item with its profile beside
export const FONT = '600 14px system-ui, sans-serif'; // of names, as in the CSS

/** What fits into ``room`` pixels for layers of a photo of ``ratio`` (width by height): an item's ``width``, the sizes
 * [width, height] of its ``map`` (null if no layer has one) and its ``profile``, whether they stand ``isBeside`` each
 * other, whether there is a place for the range (``hasRange``). */
export function layoutOf(room, layers, ratio) {
  const stages = new Set(layers.map((layer) => layer.stage)).size;
  const gaps = (stages - 1) * GAP + (layers.length - stages);
  const fitting = Math.floor((room - 4 - gaps) / layers.length) - AROUND;
  const width = room < PHONE ? ON_PHONES : clamp(fitting, NARROWEST, WIDEST);
  if (!layers.some(({ map }) => map)) return withoutMaps(width, layers);
  const isBeside = width >= BESIDE;
  const most = isBeside ? Math.floor(width * MAPS_SHARE) : width;
  const across = Math.min(most, Math.round(TALL * ratio));
  const map = [across, Math.max(12, Math.min(TALL, Math.round(across / ratio)))];
  const profile = isBeside ? [width - across - 6, TALL] : [width, PROFILE];
  return { width, map, profile, isBeside, hasRange: width >= widest(layers) + RANGE };
}

/** A layout with all the room for the profiles. */
function withoutMaps(width, layers) {
  const hasRange = width >= widest(layers) + RANGE;
  return { width, map: null, profile: [width, TALL], isBeside: false, hasRange };
}

/** The width in pixels of the widest name. */
function widest(layers) {
  const context = document.createElement('canvas').getContext('2d');
  context.font = FONT;
  return Math.max(...layers.map(({ name }) => context.measureText(name).width));
}

/** The layers' names, or what tells them from each other if one is wider than ``width``. */
export function namesFor(layers, width) {
  const names = layers.map((layer) => layer.name);
  return widest(layers) > width ? distinctParts(names) : names;
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
