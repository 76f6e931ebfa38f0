// A slider for what a gate is set to.
import { h } from '../vendor/preact.js';
import { rounded } from './setting.js';

/** ``onPropose(value)`` is called while it is moved, ``onSettle`` when it is let go. */
export function ValueSlider({ range, label, value, onPropose, onSettle }) {
  const [low, high] = range;
  const shown = Number.isNaN(value) ? low : rounded(value, range);
  const input = h('input', {
    type: 'range',
    min: low,
    max: high,
    step: 0.01,
    value: shown,
    'data-control': 'value',
    onInput: ({ currentTarget }) => onPropose(rounded(Number(currentTarget.value), range)),
    onChange: onSettle,
  });
  return h(
    'label',
    { class: 'av-field' },
    h('span', {}, label, ' ', h('output', {}, shown.toFixed(2))),
    input,
  );
}
