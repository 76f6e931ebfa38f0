// Elements without markup: whatever comes from outside becomes text.

/** An element with properties (``on``: listeners by event, ``style``: CSS properties, all others attributes: true is
 * an empty one, false, null and undefined none) and children: nodes or texts, also in lists. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, style = {}, ...attributes } = properties;
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [name, text] of Object.entries(style)) element.style.setProperty(name, text);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (isGiven(value)) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter(isGiven));
  return element;
}

const isGiven = (value) => value !== null && value !== undefined && value !== false;

/** Our own texts, which have **strong** parts, as nodes. */
export function withStrong(text) {
  return text
    .split('**')
    .map((part, index) => (index % 2 ? h('strong', {}, part) : document.createTextNode(part)));
}

/** Replace an element's children. A control that has the focus keeps it, by its ``data-control``; tables that are
 * open stay open where they were scrolled to, by their ``data-table``. */
export function fill(element, ...children) {
  const { activeElement } = document;
  const control = element.contains(activeElement) ? activeElement.dataset.control : null;
  const openTables = Array.from(element.querySelectorAll('details[open]'), (details) => {
    const { scrollTop, scrollLeft } = details.lastChild;
    return { name: details.dataset.table, top: scrollTop, left: scrollLeft };
  });
  element.replaceChildren(...children.flat().filter(isGiven));
  for (const { name, top, left } of openTables) {
    const again = element.querySelector(`[data-table="${CSS.escape(name)}"]`);
    again?.dispatchEvent(new CustomEvent('reopen', { detail: { top, left } }));
  }
  if (!control) return;
  const focused = element.querySelector(`[data-control="${CSS.escape(control)}"]`);
  focused?.focus({ preventScroll: true });
}
