// A small colour bar with its two numbers.
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { drawScale } from './overlay.js';
import { Surface } from './surface.js';

const TALL = 8; // px

/** The colours of ``range`` [low, high], ``width`` pixels wide, as they look with an ``opacity`` on a grey photo. */
export function ColourBar({ range, colours, width, opacity = 1 }) {
  const [least, greatest] = range.map((value) => h('span', {}, digits(value, 0, 2)));
  return h(
    'div',
    { class: 'av-ramp', style: { width: `${width}px` } },
    h(Surface, {
      width,
      height: TALL,
      draw: (context) =>
        drawScale(context, range, { way: 'colours', colours, opacity }, [width, TALL]),
      inputs: [String(range), colours, opacity],
      'aria-hidden': 'true',
    }),
    h('div', { class: 'av-ticks' }, least, greatest),
  );
}
