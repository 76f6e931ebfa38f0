// The map's colour bar, as the colours look on the photo, with marks at its least and greatest number, and what they mean.
import { drawScale } from '../drawing/overlay.js';
import { Surface } from '../drawing/surface.js';
import { mapRange } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp, scale, ticks } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';

const BAR = 14; // px, its height

/** The bar of a layer's map, ``width`` pixels wide. */
export function MapScale({ viewer, layer, width }) {
  const { trace, state } = viewer;
  const range = mapRange(trace, layer, state.scale, viewer.scaleTraces());
  const draw = (context) => {
    drawScale(context, range, state, [width, BAR]);
    const place = scale(range, [0, width]);
    const { least, greatest } = layer.numbers;
    for (const value of [least, greatest]) drawMark(context, clamp(place(value), 3, width - 3));
  };
  const decimals = range[1] - range[0] >= 0.1 ? 2 : 4;
  const numbers = ticks(range).map((value) => h('span', {}, value.toFixed(decimals)));
  return h(
    'div',
    { class: 'av-scale' },
    h(Surface, { width, height: BAR, draw, class: 'av-bar-of-colours', 'aria-hidden': 'true' }),
    h('div', { class: 'av-ticks', style: { width: `${width}px` } }, numbers),
    h('p', { class: 'av-note av-legend' }, legendText(viewer, layer)),
  );
}

function drawMark(context, x) {
  context.fillStyle = '#fff';
  context.fillRect(x - 2.5, 0, 5, BAR);
  context.fillStyle = '#000';
  context.fillRect(x - 1, 0, 2, BAR);
}

function legendText({ say, state }, layer) {
  const { least, greatest, undefinedCount } = layer.numbers;
  const isDim = state.way === 'dim';
  const bam = isDim && state.scale === 'fixed' ? 'legend_bam_dim' : 'legend_bam';
  const factor = layer.kind === 'bam' ? bam : 'legend_gate';
  const meaning = say(layer.shares ? 'legend_share' : factor);
  const mean = layer.averaged ? say('legend_mean') : '';
  const scaleWords =
    state.scale === 'fixed'
      ? ''
      : say(isDim ? 'legend_scale_dim' : 'legend_scale', { scale: say(`scale_${state.scale}`) });
  const span = say('legend_span', { least: digits(least), greatest: digits(greatest) });
  const grey = undefinedCount ? say('legend_grey') : '';
  return [meaning, mean, span, scaleWords, grey].join('');
}
