// What a gate is set to: a slider between two buttons that set it to the ends of its range.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { rounded } from './setting.js';

/** ``ends`` are the properties of the buttons, by the value that they set; ``onPropose(value)`` is called while the slider is
 * moved, ``onSettle`` when it is let go. */
export function ValueSlider({ range, label, value, ends, onPropose, onSettle }) {
  const [low, high] = range;
  const shown = Number.isNaN(value) ? low : rounded(value, range);
  const input = h('input', {
    type: 'range',
    min: low,
    max: high,
    step: 0.01,
    value: shown,
    'aria-label': label,
    'data-control': 'value',
    onInput: ({ currentTarget }) => onPropose(rounded(Number(currentTarget.value), range)),
    onChange: onSettle,
  });
  const [least, most] = range.map((end) => h(Button, ends(end), String(end)));
  return h(
    'div',
    { class: 'av-field av-value' },
    h('span', {}, label, ' ', h('output', {}, shown.toFixed(2))),
    least,
    input,
    most,
  );
}
