// What is on the screen as one picture: an element's canvases, twice as fine as a plain screen shows them, its texts and
// its bars of one colour. What is a control is no part of it, and takes no room in it.
import { titleOf } from '../changes/edits.js';
import { linesOf, WORD } from '../drawing/canvas.js';

const RATIO = 2; // pixels of the picture a CSS pixel
const MARGIN = 12; // CSS pixels around
const FOOT = 22; // CSS pixels, for what it is of
const FOOT_FONT = '13px system-ui, sans-serif';
const NUMBERS = '.av-chip, .av-stair, .av-to-layer, .av-plain'; // buttons that show what there is to see
const NO_PICTURE = [
  `button:not(${NUMBERS}), select, input, textarea, details, label`,
  '.av-menu, .av-controls, .av-checks, .av-picks, .av-take-figure, .av-arrivals',
  '.av-ways, .av-setting, [data-figure]',
].join();

const HINTS = [
  'readout_hint',
  'bars_hint',
  'spread_pointed_none',
  'scatter_hint',
  'networks_how',
  'what_if_begin',
  'edit_stairs_click',
];

/** A canvas with all that ``element`` shows, on a ``ground``, and lines that say what it is ``of``; controls, figures within it
 * and ``hints`` at what one can do are left out. */
export function pictureOf(element, { ground, of, hints }) {
  const hinting = textsOf(element).filter(({ data }) => hints.includes(data));
  const others = [
    ...element.querySelectorAll(NO_PICTURE),
    ...hinting.map((text) => text.parentElement),
  ];
  return without(others, () => drawn(element, ground, of));
}

/** What ``act`` gives while these parts of the page take no room; nothing of that is seen. */
function without(parts, act) {
  const { scrollX: left, scrollY: top } = window;
  const before = parts.map(({ style }) => style.display);
  for (const { style } of parts) style.display = 'none';
  try {
    return act();
  } finally {
    for (const [place, { style }] of parts.entries()) style.display = before[place];
    window.scrollTo({ left, top, behavior: 'instant' }); // a shorter page may have moved
  }
}

function drawn(element, ground, of) {
  const isShown = (part) => part.checkVisibility();
  const { left, top, width } = element.getBoundingClientRect();
  const parts = Array.from(element.querySelectorAll('*')).filter(isShown);
  const bottom = Math.max(...parts.map((part) => part.getBoundingClientRect().bottom), top);
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  context.font = FOOT_FONT;
  const foot = of.flatMap((text) => linesOf(context, text, width));
  canvas.width = Math.ceil((width + 2 * MARGIN) * RATIO);
  canvas.height = Math.ceil((bottom - top + 2 * MARGIN + foot.length * FOOT) * RATIO);
  context.scale(RATIO, RATIO);
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(MARGIN - left, MARGIN - top);
  for (const part of parts) drawGround(context, part);
  for (const part of parts) if (part instanceof HTMLCanvasElement) drawCanvas(context, part);
  for (const text of textsOf(element)) if (isShown(text.parentElement)) drawText(context, text);
  drawFoot(context, foot, left, bottom, getComputedStyle(element).color);
  return canvas;
}

function drawFoot(context, lines, left, bottom, colour) {
  context.font = FOOT_FONT;
  context.fillStyle = colour;
  context.globalAlpha = 0.75;
  context.textBaseline = 'alphabetic';
  for (const [place, line] of lines.entries())
    context.fillText(line, left, bottom + (place + 1) * FOOT);
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
  for (const { index, 0: piece } of text.data.matchAll(WORD)) {
    const word = piece.trimEnd();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const [first] = range.getClientRects();
    if (first) context.fillText(word, first.left, first.top + first.height / 2);
  }
}

/** What pictureOf is told: the colour of the page, what is looked at, and what is only a hint. */
export function aboutPicture(viewer) {
  const { element, say, state, trace } = viewer;
  const changed = state.tab === 'explore' && trace.change && changeLine(viewer);
  const looked = {
    explore: [trace.photo.name, titleOf(say, trace), state.layer],
    networks: [trace.photo.name],
    photos: [trace.network.title, state.layer],
  }[state.tab];
  return {
    ground: getComputedStyle(element).backgroundColor,
    of: [[...looked.filter(Boolean), 'attnviz'].join(' · '), changed].filter(Boolean),
    hints: HINTS.map((key) => say(key)),
  };
}

/** What was done to the gates of the network that is shown. */
const changeLine = (viewer) =>
  [viewer.say('changed_network'), viewer.tools?.changesInWords(viewer)].filter(Boolean).join(' · ');
