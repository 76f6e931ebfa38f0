// Canvases: sharp ones, and the page's colours on them.
import { scale } from '../numbers/scale.js';

export const FONT = '14px system-ui, sans-serif';

/** What a line can break behind: in Chinese each sign, else what ends in spaces. */
export const WORD = /[\u3000-\u9fff\uff00-\uffef]|[^\s\u3000-\u9fff\uff00-\uffef]+\s*|\s+/g;

const screenRatio = () => Math.min(window.devicePixelRatio || 1, 2);

/** The context of a canvas, cleared and made ``width`` by ``height`` CSS pixels of ``ratio`` pixels each, as sharp as this
 * screen unless it is given. */
export function contextOf(canvas, width, height, ratio = screenRatio()) {
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

/** The colours of a theme for canvases; styles/theme.css has the same under the names of its variables. */
const INKS = {
  light: {
    text: '#1b2333',
    subdued: '#556070',
    line: '#dfe4ec',
    accent: '#3f55c6',
    below: '#8a95a8',
    mine: '#c2185b',
  },
  dark: {
    text: '#e9edf5',
    subdued: '#aab4c6',
    line: '#37435a',
    accent: '#93a5f7',
    below: '#6f7c92',
    mine: '#ff7eb0',
  },
};

/** A theme's colour by its name: text, subdued, line, accent (numbers), below (numbers under zero), mine (what was chosen). */
export function ink(theme, name) {
  return INKS[theme][name];
}

/** A text in lines of at most ``width`` in a context's font. */
export function linesOf(context, text, width) {
  const lines = [''];
  for (const word of text.match(WORD) ?? []) {
    const longer = lines.at(-1) + word;
    if (lines.at(-1) && context.measureText(longer.trimEnd()).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
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
