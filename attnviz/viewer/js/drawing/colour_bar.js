// A small colour bar with its two numbers.
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { drawColours } from './heatmap.js';
import { Surface } from './surface.js';

const TALL = 8; // px

/** The colours of ``range`` [low, high], ``width`` pixels wide. */
export function ColourBar({ range, colours, width }) {
  const [least, greatest] = range.map((value) => h('span', {}, digits(value, 0, 2)));
  return h(
    'div',
    { class: 'av-ramp', style: { width: `${width}px` } },
    h(Surface, {
      width,
      height: TALL,
      draw: (context) => drawColours(context, colours, width, TALL),
      inputs: [colours],
      'aria-hidden': 'true',
    }),
    h('div', { class: 'av-ticks' }, least, greatest),
  );
}
