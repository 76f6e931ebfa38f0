// Controls with their labels, and what keys do.
import { h } from '../vendor/preact.js';

/** A labelled choice. ``options`` are [value, text]; ``onChoose`` gets the chosen value. All other properties are the
 * select element's. */
export function Choice({ label, options, value, onChoose, ...properties }) {
  const onChange = ({ currentTarget }) => onChoose(currentTarget.value);
  const rows = options.map(([key, text]) =>
    h('option', { value: key, selected: key === value }, text),
  );
  const select = h('select', { ...properties, value, onChange }, rows);
  return h('label', { class: 'av-field' }, h('span', {}, label), select);
}

/** A labelled checkbox; ``onChoose`` gets whether it is checked. */
export function Checkbox({ label, value, onChoose, ...properties }) {
  const onChange = ({ currentTarget }) => onChoose(currentTarget.checked);
  const input = h('input', { type: 'checkbox', ...properties, checked: value, onChange });
  return h('label', { class: 'av-tick' }, input, label);
}

/** A labelled slider from 0 to 1 that says its number; ``onChoose`` gets it. */
export function Slider({ label, value, onChoose, ...properties }) {
  const onInput = ({ currentTarget }) => onChoose(Number(currentTarget.value));
  const limits = { min: 0, max: 1, step: 0.01 };
  const input = h('input', { type: 'range', ...limits, ...properties, value, onInput });
  const output = h('output', {}, value.toFixed(2));
  return h('label', { class: 'av-field' }, h('span', {}, label, ' ', output), input);
}

/** A button in the app's look. */
export function Button({ children, ...properties }) {
  return h('button', { type: 'button', class: 'av-button', ...properties }, children);
}

/** A group with one checkbox for each of ``options``, [value, text], of which at most ``most`` can be chosen; ``onChoose``
 * gets a value and whether it is checked now. */
export function Checks({ label, options, chosen, most, onChoose }) {
  const isFull = chosen.length >= most;
  const boxes = options.map(([value, text]) => {
    const isChosen = chosen.includes(value);
    return h(Checkbox, {
      key: value,
      label: text,
      name: value,
      value: isChosen,
      disabled: !isChosen && isFull,
      onChoose: (isOn) => onChoose(value, isOn),
    });
  });
  return h('div', { class: 'av-checks', role: 'group', 'aria-label': label }, boxes);
}

/** The values with one more, if ``isOn`` and there are less than ``most``, or without it. */
export function toggled(values, value, isOn, most) {
  return isOn ? [...values, value].slice(0, most) : values.filter((other) => other !== value);
}

/** The step that an arrow key asks for in a list: -1 or 1, minus or plus Infinity for Home and End; null for any other
 * key. */
export function stepOf({ key, altKey, ctrlKey, metaKey }) {
  if (altKey || ctrlKey || metaKey) return null;
  const steps = {
    ArrowLeft: -1,
    ArrowUp: -1,
    ArrowRight: 1,
    ArrowDown: 1,
    Home: -Infinity,
    End: Infinity,
  };
  return steps[key] ?? null;
}
