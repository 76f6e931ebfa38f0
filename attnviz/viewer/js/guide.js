// A first visit in five steps, tied to live parts of the page; and the answers to what people ask.
import { fill, h, rich } from './dom.js';
import { digits, ranked, weightsOf } from './numbers.js';

const SEEN = 'attnviz-guide-seen';
const STEPS = ['says', 'strip', 'map', 'bars', 'mechanism'];
export const QUESTIONS = ['gradcam', 'half', 'small', 'edges', 'which', 'class'];

export function guide(viewer) {
  const text = h('p');
  const count = h('span', { class: 'av-note' });
  const next = h('button', { type: 'button', class: 'av-button av-primary' });
  const skip = h('button', { type: 'button', class: 'av-button' });
  const element = h(
    'div',
    { class: 'av-guide', role: 'dialog', hidden: true },
    text,
    h('div', { class: 'av-guide-foot' }, count, skip, next),
  );
  let step = -1;

  /** The step's words, with numbers of what is on the page right now. */
  function words() {
    const { say, model } = viewer;
    const layer = viewer.layer();
    const values = layer && weightsOf(layer);
    const best = values ? (viewer.state.channel ?? ranked(values, 'size')[0]) : 0;
    const map = layer?.map;
    const middle = map
      ? Math.floor(layer.height / 2) * layer.width + Math.floor(layer.width / 2)
      : 0;
    return say(`guide_${STEPS[step]}`, {
      label: model.top[0]?.[0] ?? '',
      share: model.top[0] ? `${Math.round(100 * model.top[0][1])}%` : '',
      count: model.layers.length,
      layer: layer?.name ?? '',
      row: Math.floor((layer?.height ?? 0) / 2) + 1,
      column: Math.floor((layer?.width ?? 0) / 2) + 1,
      value: map ? digits(map.values[middle]) : '',
      height: layer?.height ?? 0,
      width: layer?.width ?? 0,
      channel: best,
      weight: values ? digits(values[best]) : '',
    });
  }

  const target = () => viewer.element.querySelector(`[data-guide="${STEPS[step]}"]`);
  function leave() {
    for (const each of viewer.element.querySelectorAll('.av-pointed'))
      each.classList.remove('av-pointed');
  }

  function show(now) {
    leave();
    step = now;
    if (step >= STEPS.length || step < 0) {
      close();
      return;
    }
    if (!target() || target().closest('[hidden]')) {
      show(step + 1);
      return;
    }
    const { say } = viewer;
    element.hidden = false;
    element.setAttribute('aria-label', say('guide_title'));
    fill(text, rich(words()));
    count.textContent = `${step + 1} / ${STEPS.length}`;
    next.textContent = say(step === STEPS.length - 1 ? 'guide_done' : 'guide_next');
    skip.textContent = say('guide_skip');
    skip.hidden = step === STEPS.length - 1;
    target().classList.add('av-pointed');
    target().scrollIntoView({
      block: 'center',
      behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
    });
    next.focus({ preventScroll: true });
  }

  function close() {
    leave();
    step = -1;
    element.hidden = true;
    try {
      localStorage.setItem(SEEN, '1');
    } catch {
      /* private windows may refuse: then it comes again */
    }
  }

  next.addEventListener('click', () => show(step + 1));
  skip.addEventListener('click', close);
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  return {
    element,
    start: () => {
      viewer.set({ tab: 'explore' });
      show(0);
    },
    draw() {
      if (step >= 0) fill(text, rich(words()));
    },
    first() {
      if (!wasSeen()) show(0);
    },
  };
}

/** Whether this browser saw the guide; a private window that keeps nothing is not asked again and again. */
function wasSeen() {
  try {
    return Boolean(localStorage.getItem(SEEN));
  } catch {
    return true;
  }
}

/** "How to read this": a dialog with the questions that people ask. */
export function help(viewer) {
  const body = h('div', { class: 'av-prose' });
  const title = h('h2');
  const close = h('button', { type: 'button', class: 'av-button av-primary' });
  const dialog = h(
    'dialog',
    { class: 'av-help' },
    title,
    body,
    h('form', { method: 'dialog' }, close),
  );
  close.addEventListener('click', () => dialog.close());
  return {
    element: dialog,
    open() {
      const { say } = viewer;
      title.textContent = say('help');
      dialog.setAttribute('aria-label', say('help'));
      close.textContent = say('close');
      fill(
        body,
        QUESTIONS.flatMap((name) => [
          h('h3', {}, say(`ask_${name}`)),
          h('p', {}, rich(say(`answer_${name}`))),
        ]),
      );
      dialog.showModal();
    },
  };
}
