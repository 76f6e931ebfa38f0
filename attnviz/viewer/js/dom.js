// Elements without markup: whatever comes from outside becomes text.

/** An element with properties (``class``, ``on``: events, ``style``, ``aria-…`` and other attributes) and children: nodes or texts. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on')
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, listener);
    else if (name === 'style')
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Our own texts, which have **strong** parts, as nodes. */
export function rich(text) {
  return text
    .split('**')
    .map((part, index) => (index % 2 ? h('strong', {}, part) : document.createTextNode(part)));
}

/** Replace an element's children; a control (``data-control``) that has the focus keeps it, and tables that are open stay open where they were scrolled to. */
export function fill(element, ...children) {
  const control = element.contains(document.activeElement)
    ? document.activeElement.dataset.control
    : null;
  const open = Array.from(element.querySelectorAll('details[open]'), (each) => [
    each.dataset.table,
    each.lastChild.scrollTop,
    each.lastChild.scrollLeft,
  ]);
  element.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  for (const [name, top, left] of open)
    element
      .querySelector(`[data-table="${CSS.escape(name)}"]`)
      ?.dispatchEvent(new CustomEvent('reopen', { detail: { top, left } }));
  if (control)
    element
      .querySelector(`[data-control="${CSS.escape(control)}"]`)
      ?.focus({ preventScroll: true });
}

let ids = 0;
export const freshId = (name) => `av-${name}-${++ids}`;

/** A labelled choice. ``options`` are [value, text]; ``changed`` gets the value. */
export function choice(label, options, value, changed, properties = {}) {
  const select = h(
    'select',
    { ...properties, on: { change: () => changed(select.value) } },
    options.map(([key, text]) => h('option', { value: key }, text)),
  );
  select.value = value;
  return h('label', { class: 'av-field' }, h('span', {}, label), select);
}

export function tick(label, value, changed, properties = {}) {
  const input = h('input', {
    type: 'checkbox',
    ...properties,
    on: { change: () => changed(input.checked) },
  });
  input.checked = value;
  return h('label', { class: 'av-tick' }, input, label);
}

export function slide(label, value, changed, properties = {}) {
  const shown = h('output', {}, value.toFixed(2));
  const input = h('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.01,
    ...properties,
    on: {
      input: () => {
        shown.textContent = Number(input.value).toFixed(2);
        changed(Number(input.value));
      },
    },
  });
  input.value = value;
  return h('label', { class: 'av-field' }, h('span', {}, label, ' ', shown), input);
}

/** A canvas of its own CSS size, sharp on this screen. ``height`` null: as its CSS says. */
export function sized(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const across = Math.max(1, Math.round(width * ratio));
  const down = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

let inks = {};
/** Read the page's colours again: it went from light to dark, or back. */
export const forgetInks = () => {
  inks = {};
};

/** A colour of the page, by the name of its CSS variable; asking the browser each time would make it lay the page out each time. */
export function ink(element, name) {
  inks[name] ??= getComputedStyle(element).getPropertyValue(`--av-${name}`).trim();
  return inks[name];
}

/** A table that is made when it is opened, once. ``built`` gives its head, a list of texts, and its rows, lists of texts; ``name`` tells it from others. */
export function disclosed(name, title, built, caption = title) {
  const details = h(
    'details',
    {
      class: 'av-details',
      'data-table': name,
      on: {
        toggle: () => {
          if (details.open) build();
        },
        reopen: ({ detail: { top, left } }) => {
          // another one of this name was open, see fill
          details.open = true;
          build().scrollTo({ top, left, behavior: 'instant' });
        },
      },
    },
    h('summary', { 'data-control': `table-${name}` }, title),
  );
  function build() {
    if (details.children.length === 1)
      details.append(table(caption, ...built(), `in-table-${name}`));
    return details.lastChild;
  }
  return details;
}

/** A table: ``head`` is a list of texts, ``rows`` lists of texts; it scrolls inside itself. */
export function table(caption, head, rows, control) {
  return h(
    'div',
    {
      class: 'av-table',
      tabindex: 0,
      role: 'region',
      'aria-label': caption,
      'data-control': control,
    },
    h(
      'table',
      {},
      h('caption', {}, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((text) => h('th', { scope: 'col' }, text)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            row.map((text, index) => h(index ? 'td' : 'th', index ? {} : { scope: 'row' }, text)),
          ),
        ),
      ),
    ),
  );
}

/** Keep a listbox's arrow keys: calls ``moved`` with -1, 1, -Infinity or Infinity. */
export function arrows(event, moved) {
  const step = {
    ArrowLeft: -1,
    ArrowUp: -1,
    ArrowRight: 1,
    ArrowDown: 1,
    Home: -Infinity,
    End: Infinity,
  }[event.key];
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  moved(step);
}

/** Call ``drawn`` whenever the element's width changes; the number of pixels is given. */
export function watched(element, drawn) {
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now && now !== width) {
      width = now;
      drawn(now);
    }
  }).observe(element);
}
