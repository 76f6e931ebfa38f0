// What a page of the lesson speaks of, on the page: an outline, and the way there.
import { useEffect } from '../vendor/preact-hooks.js';

const OUTLINE = '{ outline: 3px solid var(--av-lesson); outline-offset: 3px; border-radius: 4px; }';
const MARGIN = 16; // px, between a part and the ends of what can be seen
const OWN_WAY = ['wheel', 'touchmove', 'pointerdown', 'keydown']; // by which people go elsewhere

/** Outline the ``parts``, selectors, for as long as this is shown; they need not be there yet. */
export function useMarks(parts) {
  const rule = parts.map((part) => `.attnviz ${part}`).join(', ');
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    if (rule) sheet.replaceSync(`${rule} ${OUTLINE}`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    };
  }, [rule]);
}

/** Scroll so that the ``parts`` of ``element`` can be seen beside or above the ``panel``, and again whenever something
 * changes its size, until a person goes elsewhere. What this gives ends that. */
export function keepInSight(element, parts, panel) {
  const observer = new ResizeObserver(() => bringIntoSight(element, parts, panel));
  const stop = () => {
    observer.disconnect();
    for (const name of OWN_WAY) document.removeEventListener(name, stop);
  };
  for (const name of OWN_WAY) document.addEventListener(name, stop);
  for (const each of [element, ...foundIn(element, parts)]) observer.observe(each);
  return stop;
}

const foundIn = (element, parts) => parts.flatMap((part) => [...element.querySelectorAll(part)]);

/** Scroll so that all parts are in the middle of what can be seen, or else the first; not at all if they are in sight. */
function bringIntoSight(element, parts, panel) {
  const boxes = foundIn(element, parts)
    .map((part) => part.getBoundingClientRect())
    .filter(({ height }) => height > 0);
  if (!boxes.length) return;
  const staying = stayingStrip(element);
  if (staying && foundIn(element, parts)[0] === staying) return scrollBy(-window.scrollY); // above all else
  const top = (staying ? staying.offsetHeight : 0) + MARGIN;
  const bottom = footOf(panel) - MARGIN;
  const whole = spanOf(boxes);
  const span = whole[1] - whole[0] <= bottom - top ? whole : spanOf(boxes.slice(0, 1));
  if (span[0] >= top && span[1] <= bottom) return;
  const room = Math.max(0, bottom - top - (span[1] - span[0]));
  scrollBy(span[0] - top - room / 2);
}

function scrollBy(away) {
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  window.scrollBy({ top: Math.round(away), behavior: isCalm ? 'instant' : 'smooth' });
}

const spanOf = (boxes) => [
  Math.min(...boxes.map(({ top }) => top)),
  Math.max(...boxes.map(({ bottom }) => bottom)),
];

/** The strip, where it stays at the top of the window. */
function stayingStrip(element) {
  const strip = element.querySelector('.av-strip');
  return strip && getComputedStyle(strip).position === 'sticky' ? strip : null;
}

/** Where the page can no longer be seen: at the top of the panel where it lies at the foot, else of the window. */
function footOf(panel) {
  const { top, left } = panel.getBoundingClientRect();
  return left < innerWidth / 4 ? top : innerHeight;
}
