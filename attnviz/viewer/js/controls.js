// Controls with their labels, and what keys do.
import { fill, h } from './dom.js';

/** A labelled choice. ``options`` are [value, text]; ``onChange`` gets the chosen value. */
export function choice(label, options, value, onChange, properties = {}) {
  const select = h(
    'select',
    { ...properties, on: { change: () => onChange(select.value) } },
    options.map(([key, text]) => h('option', { value: key }, text)),
  );
  select.value = value;
  return h('label', { class: 'av-field' }, h('span', {}, label), select);
}

/** A labelled checkbox; ``onChange`` gets whether it is checked. */
export function checkbox(label, isChecked, onChange, properties = {}) {
  const on = { change: () => onChange(input.checked) };
  const input = h('input', { type: 'checkbox', ...properties, on });
  input.checked = isChecked;
  return h('label', { class: 'av-tick' }, input, label);
}

/** A labelled slider from 0 to 1 that says its number; ``onChange`` gets it. */
export function slider(label, value, onChange, properties = {}) {
  const output = h('output', {}, value.toFixed(2));
  const onInput = () => {
    output.textContent = Number(input.value).toFixed(2);
    onChange(Number(input.value));
  };
  const limits = { min: 0, max: 1, step: 0.01 };
  const input = h('input', { type: 'range', ...limits, ...properties, on: { input: onInput } });
  input.value = value;
  return h('label', { class: 'av-field' }, h('span', {}, label, ' ', output), input);
}

/** A button in the viewer's look. */
export function button(text, onClick, properties = {}) {
  const all = { type: 'button', class: 'av-button', ...properties, on: { click: onClick } };
  return h('button', all, text);
}

/** Fill a group with one checkbox for each of ``options``, [value, text], of which at most ``most`` can be chosen.
 * ``onChange`` gets a value and whether it is checked now. While a checkbox has the focus, the group stays. */
export function fillChecks(group, options, chosen, most, onChange) {
  const isFull = chosen.length >= most;
  if (group.contains(document.activeElement)) {
    for (const input of group.querySelectorAll('input')) input.disabled = !input.checked && isFull;
    return;
  }
  const boxes = options.map(([value, text]) => {
    const box = checkbox(text, chosen.includes(value), () => onChange(value, input.checked), {
      value,
    });
    const input = box.firstChild;
    input.disabled = !input.checked && isFull;
    return box;
  });
  fill(group, boxes);
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
