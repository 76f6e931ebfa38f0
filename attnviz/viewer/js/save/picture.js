// What is on the screen as one picture: an element's canvases, twice as fine as a plain screen shows them, its texts and
// its bars of one colour.
import { titleOf } from '../changes/edits.js';

const RATIO = 2; // pixels of the picture a CSS pixel
const MARGIN = 12; // CSS pixels around
const FOOT = 22; // CSS pixels, for what it is of
const FOOT_FONT = '13px system-ui, sans-serif';
const NO_PICTURE = [
  'select, input, textarea, details, label, [hidden]',
  '.av-menu, .av-controls, .av-checks, .av-picks, .av-take-figure, .av-arrivals',
].join();

const HINTS = ['readout_hint', 'bars_hint', 'spread_pointed_none', 'scatter_hint', 'networks_how'];

/** A canvas with all that ``element`` shows, on a ``ground``, and a line that says what it is ``of``; controls, figures within it
 * and ``hints`` at what one can do are left out. */
export function pictureOf(element, { ground, of, hints }) {
  const isShown = (part) => isPictured(part, element);
  const { left, top, width } = element.getBoundingClientRect();
  const parts = Array.from(element.querySelectorAll('*')).filter(isShown);
  const bottom = Math.max(...parts.map((part) => part.getBoundingClientRect().bottom), top);
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil((width + 2 * MARGIN) * RATIO);
  canvas.height = Math.ceil((bottom - top + 2 * MARGIN + FOOT) * RATIO);
  const context = canvas.getContext('2d');
  context.scale(RATIO, RATIO);
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(MARGIN - left, MARGIN - top);
  for (const part of parts) drawGround(context, part);
  for (const part of parts) if (part instanceof HTMLCanvasElement) drawCanvas(context, part);
  for (const text of textsOf(element).filter(({ data }) => !hints.includes(data)))
    if (isShown(text.parentElement)) drawText(context, text);
  drawFoot(context, of, left, bottom, getComputedStyle(element).color);
  return canvas;
}

function isPictured(part, element) {
  const figure = part.closest('[data-figure]');
  const isOfAnother = figure && figure !== element && element.contains(figure);
  return part.checkVisibility() && !part.closest(NO_PICTURE) && !isOfAnother;
}

function drawFoot(context, text, left, bottom, colour) {
  context.font = FOOT_FONT;
  context.fillStyle = colour;
  context.globalAlpha = 0.75;
  context.textBaseline = 'alphabetic';
  context.fillText(text, left, bottom + FOOT);
}

/** A bar or a chip of one colour. */
function drawGround(context, part) {
  const { backgroundColor } = getComputedStyle(part);
  if (part instanceof HTMLCanvasElement || /, 0\)$|transparent/.test(backgroundColor)) return;
  const { left, top, width, height } = part.getBoundingClientRect();
  context.fillStyle = backgroundColor;
  context.fillRect(left, top, width, height);
}

function drawCanvas(context, canvas) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  if (!width || !canvas.width) return;
  context.drawImage(canvas.pictureAt?.(RATIO) ?? canvas, left, top, width, height);
}

function textsOf(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode);
  return texts;
}

/** Word by word, so that lines break as on the screen. */
function drawText(context, text) {
  const { color, fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(
    text.parentElement,
  );
  context.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  context.fillStyle = color;
  context.textBaseline = 'middle';
  const range = document.createRange();
  for (const { index, 0: word } of text.data.matchAll(/\S+/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const [first] = range.getClientRects();
    if (first) context.fillText(word, first.left, first.top + first.height / 2);
  }
}

/** What pictureOf is told: the colour of the page, what is looked at, and what is only a hint. */
export function aboutPicture({ element, say, state, trace }) {
  const looked = {
    explore: [trace.photo.name, titleOf(say, trace), state.layer],
    networks: [trace.photo.name],
    photos: [trace.network.title, state.layer],
  }[state.tab];
  return {
    ground: getComputedStyle(element).backgroundColor,
    of: [...looked.filter(Boolean), 'attnviz'].join(' · '),
    hints: HINTS.map((key) => say(key)),
  };
}
