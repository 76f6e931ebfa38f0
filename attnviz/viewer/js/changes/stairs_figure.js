// The picture of stairs: a row a layer, and in it two bars from zero on one printed scale.
import { digits, percent } from '../numbers/format.js';
import { scale } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { keyOfEdits } from './edits.js';

const WAYS = ['alone', 'together'];
const STEPS = [1, 2, 5]; // between two ticks, times a power of ten
const MOST_TICKS = 6;

/** The figure of ``stairs``, see host.js; a click on a bar makes the edits that it stands for. */
export function StairsFigure({ viewer, how, stairs }) {
  const { say } = viewer;
  const { steps, before } = stairs;
  const marks = ticksOf(steps.flatMap((step) => WAYS.map((way) => step[way].scoreChange ?? 0)));
  const place = scale([marks[0], marks.at(-1)], [0, 100]);
  const rows = steps.map((step, number) => {
    const layers = {
      alone: [step.layer],
      together: steps.slice(0, number + 1).map(({ layer }) => layer),
    };
    return [
      h('span', { class: 'av-stairs-layer' }, step.layer),
      WAYS.map((way) =>
        h(Bar, {
          key: `${step.layer} ${way}`,
          viewer,
          way,
          layer: step.layer,
          edits: Object.fromEntries(layers[way].map((layer) => [layer, [{ edit: how }]])),
          before,
          said: step[way],
          marks,
          place,
        }),
      ),
    ];
  });
  return h(
    'div',
    { class: 'av-stairs-grid', 'data-figure-of': 'stairs' },
    h('span', {}),
    WAYS.map((way) => h('h3', { key: way }, say(`edit_stairs_${way}`))),
    rows,
    h('span', {}),
    WAYS.map((way) => h(Axis, { key: way, say, marks, place })),
  );
}

function Bar({ viewer, way, layer, edits, before, said, marks, place }) {
  const { say, classText } = viewer;
  const { scoreChange, share, answer, isOther } = said;
  const isMade = keyOfEdits(viewer.edits()) === keyOfEdits(edits);
  const now = isOther && answer ? classText(answer) : null;
  const shares = share === null ? null : `${percent(before.share)} → ${percent(share)}`;
  const text = [signed(scoreChange), shares, now && `▸ ${now}`].filter(Boolean).join(' · ');
  const [zero, end] = [place(0), place(scoreChange ?? 0)];
  const style = { left: `${Math.min(zero, end)}%`, width: `${Math.abs(end - zero)}%` };
  return h(
    'button',
    {
      type: 'button',
      class: `av-stair${now ? ' av-other' : ''}`,
      'data-stair': `${way} ${layer}`,
      'aria-pressed': String(isMade),
      'aria-label': `${say(`edit_stair_${way}`, { layer })}: ${text}`,
      title: say(`edit_stair_${way}`, { layer }),
      onClick: () => viewer.change(edits),
    },
    h(
      'span',
      { class: 'av-stair-bar' },
      marks.map((mark) =>
        h('i', { class: mark === 0 ? 'av-zero' : '', style: { left: `${place(mark)}%` } }),
      ),
      h('b', { style }),
    ),
    h('span', { class: 'av-stair-text' }, text),
  );
}

function Axis({ say, marks, place }) {
  return h(
    'div',
    { class: 'av-stairs-axis' },
    h(
      'div',
      { class: 'av-stairs-ticks' },
      marks.map((mark) =>
        h(
          'span',
          { class: mark === 0 ? 'av-zero' : '', style: { left: `${place(mark)}%` } },
          String(mark).replace('-', '−'),
        ),
      ),
    ),
    h('p', {}, say('edit_stairs_axis')),
  );
}

/** Round numbers around all values and zero. */
function ticksOf(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const least = (high - low || 1) / (MOST_TICKS - 2);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * (STEPS.find((one) => one * power >= least) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  const round = (value) => Number(value.toPrecision(6));
  return Array.from({ length: last - first + 1 }, (_, place) => round((first + place) * step));
}

const signed = (value) => (value === null ? '–' : `${value > 0 ? '+' : ''}${digits(value, 0, 2)}`);
