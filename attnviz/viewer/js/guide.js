// A first visit in five steps, tied to live parts of the page.
import { ranked, weightsOf } from './analysis.js';
import { button } from './controls.js';
import { fill, h, withStrong } from './dom.js';
import { digits } from './format.js';

const SEEN = 'attnviz-guide-seen'; // in the browser's storage
const STEPS = ['says', 'strip', 'map', 'bars', 'mechanism']; // each names a part by its ``data-guide``

/** The guide of ``viewer``: {element, start, startOnce, draw}. */
export function guide(viewer) {
  const text = h('p');
  const count = h('span', { class: 'av-note' });
  const next = button('', () => show(step + 1), { class: 'av-button av-primary' });
  const skip = button('', close);
  const foot = h('div', { class: 'av-guide-foot' }, count, skip, next);
  const element = h('div', { class: 'av-guide', role: 'dialog', hidden: true }, text, foot);
  let step = -1; // none is shown

  const part = () => viewer.element.querySelector(`[data-guide="${STEPS[step]}"]`);

  function draw() {
    if (step >= 0) fill(text, withStrong(stepText(viewer, STEPS[step])));
  }

  /** Show a step; one whose part is not on the page is left out, and after the last the guide closes. */
  function show(number) {
    unmark(viewer.element);
    step = number;
    if (step >= STEPS.length) close();
    else if (!part() || part().closest('[hidden]')) show(step + 1);
    else showStep();
  }

  function showStep() {
    const { say } = viewer;
    const isLast = step === STEPS.length - 1;
    element.hidden = false;
    element.setAttribute('aria-label', say('guide_title'));
    draw();
    count.textContent = `${step + 1} / ${STEPS.length}`;
    next.textContent = say(isLast ? 'guide_done' : 'guide_next');
    skip.textContent = say('guide_skip');
    skip.hidden = isLast;
    part().classList.add('av-pointed');
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    part().scrollIntoView({ block: 'center', behavior: isCalm ? 'auto' : 'smooth' });
    next.focus({ preventScroll: true });
  }

  function close() {
    unmark(viewer.element);
    step = -1;
    element.hidden = true;
    remember();
  }

  function start() {
    viewer.set({ tab: 'explore' });
    show(0);
  }

  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  return { element, draw, start, startOnce: () => wasSeen() || show(0) };
}

/** A step's words, with numbers of what is on the page right now. */
function stepText(viewer, name) {
  const { say, trace, state } = viewer;
  const layer = viewer.layer();
  const { height = 0, width = 0, map } = layer ?? {};
  const weights = layer && weightsOf(layer);
  const channel = weights ? (state.channel ?? ranked(weights, 'size')[0]) : 0;
  const [row, column] = [Math.floor(height / 2), Math.floor(width / 2)];
  const [label, share] = trace.top[0] ?? [];
  return say(`guide_${name}`, {
    label: label ?? '',
    share: label === undefined ? '' : `${Math.round(100 * share)}%`,
    count: trace.layers.length,
    layer: layer?.name ?? '',
    row: row + 1,
    column: column + 1,
    value: map ? digits(map.values[row * width + column]) : '',
    height,
    width,
    channel,
    weight: weights ? digits(weights[channel]) : '',
  });
}

function unmark(element) {
  for (const part of element.querySelectorAll('.av-pointed')) part.classList.remove('av-pointed');
}

/** Whether this browser saw the guide. One that keeps nothing, as in a private window, is not shown it by itself. */
function wasSeen() {
  try {
    return Boolean(localStorage.getItem(SEEN));
  } catch {
    return true;
  }
}

function remember() {
  try {
    localStorage.setItem(SEEN, '1');
  } catch {
    /* a private window may refuse: then the guide comes again */
  }
}
