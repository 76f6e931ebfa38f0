// Numbers as tables: what a picture shows, for those who can't see it or want the number.
import { h } from './dom.js';

/** A table under a title that opens it; it is made when it is first opened. ``content`` gives its head, a list of texts,
 * and its rows, lists of texts; ``name`` tells it from others, see ``fill``. */
export function foldedTable(name, title, content, caption = title) {
  const summary = h('summary', { 'data-control': `table-${name}` }, title);
  const onToggle = () => {
    if (details.open) made();
  };
  const onReopen = ({ detail: { top, left } }) => {
    details.open = true;
    made().scrollTo({ top, left, behavior: 'instant' });
  };
  const on = { toggle: onToggle, reopen: onReopen };
  const details = h('details', { class: 'av-details', 'data-table': name, on }, summary);
  function made() {
    if (details.lastChild === summary)
      details.append(table(caption, ...content(), `in-table-${name}`));
    return details.lastChild;
  }
  return details;
}

/** A table: ``head`` is a list of texts, ``rows`` lists of texts, the first a heading; it scrolls inside itself. */
export function table(caption, head, rows, control) {
  const headings = head.map((text) => h('th', { scope: 'col' }, text));
  const lines = rows.map(([first, ...cells]) => {
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, first),
      cells.map((text) => h('td', {}, text)),
    );
  });
  const content = h(
    'table',
    {},
    h('caption', {}, caption),
    h('thead', {}, h('tr', {}, headings)),
    h('tbody', {}, lines),
  );
  const box = { class: 'av-table', tabindex: 0, role: 'region' };
  return h('div', { ...box, 'aria-label': caption, 'data-control': control }, content);
}

/** Rows for maps of one shape, a row a cell: its row and column, and what each of ``columns`` says of its index. */
export function cellRows({ height, width }, columns) {
  return Array.from({ length: height * width }, (_, index) => [
    String(Math.floor(index / width) + 1),
    String((index % width) + 1),
    ...columns.map((textAt) => textAt(index)),
  ]);
}
