// A first look in five steps, tied to live parts of the page. It starts only when it is asked for.
import { Button } from '../controls/controls.js';
import { weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { useEffect, useImperativeHandle, useRef, useState } from '../vendor/preact-hooks.js';
import { withStrong } from './words.js';

const STEPS = ['says', 'strip', 'map', 'bars', 'mechanism']; // each names a part by its ``data-guide``

/** The guide of ``viewer``; ``handle`` is a ref that gets {start}. */
export function Guide({ viewer, handle }) {
  const [step, setStep] = useState(-1); // none is shown
  const next = useRef(null);
  const returnTo = useRef(null); // what had the focus
  const steps = STEPS.filter((name) => partOf(viewer, name));

  const close = () => setStep(-1);
  useImperativeHandle(handle, () => ({
    start() {
      returnTo.current = document.activeElement;
      viewer.set({ tab: 'explore' });
      setStep(0);
    },
  }));
  useEffect(() => {
    const part = partOf(viewer, steps[step]);
    if (step < 0) returnTo.current?.focus();
    if (!part) return null;
    part.classList.add('av-pointed');
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    part.scrollIntoView({ block: 'center', behavior: isCalm ? 'auto' : 'smooth' });
    next.current?.querySelector('.av-primary').focus({ preventScroll: true });
    return () => part.classList.remove('av-pointed');
  }, [step]);
  if (step < 0 || step >= steps.length) return null;

  const { say } = viewer;
  const isLast = step === steps.length - 1;
  const onKeyDown = ({ key }) => key === 'Escape' && close();
  return h(
    'div',
    { class: 'av-guide', role: 'dialog', 'aria-label': say('guide_title'), onKeyDown },
    h('p', {}, withStrong(stepText(viewer, steps[step]))),
    h(
      'div',
      { class: 'av-guide-foot', ref: next },
      h('span', { class: 'av-note' }, `${step + 1} / ${steps.length}`),
      !isLast && h(Button, { onClick: close }, say('guide_skip')),
      step > 0 && h(Button, { onClick: () => setStep(step - 1) }, say('guide_back')),
      h(
        Button,
        { class: 'av-button av-primary', onClick: isLast ? close : () => setStep(step + 1) },
        say(isLast ? 'guide_done' : 'guide_next'),
      ),
    ),
  );
}

const partOf = (viewer, name) => viewer.element.querySelector(`[data-guide="${name}"]`);

/** A step's words, with numbers of what is on the page right now. */
function stepText(viewer, name) {
  const { say, trace, state } = viewer;
  const layer = viewer.layer();
  const { height = 0, width = 0, map } = layer ?? {};
  const weights = layer && weightsOf(layer);
  const channel = state.channel ?? 0;
  const [row, column] = state.pin ?? [Math.floor(height / 2), Math.floor(width / 2)];
  const [label, share] = trace.top[0] ?? [];
  return say(`guide_${name}`, {
    label: label === undefined ? '' : viewer.classText(label),
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
