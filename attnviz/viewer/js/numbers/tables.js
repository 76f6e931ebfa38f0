// Numbers as tables: what a picture shows, for those who can't see it or want the number.
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';

/** A table under a title that opens it; its rows are made while it is open. ``content`` gives its head, a list of texts,
 * and its rows, lists of texts; ``name`` tells it from others. */
export function FoldedTable({ name, title, content, caption = title }) {
  const [isOpen, setOpen] = useState(false);
  const onToggle = ({ currentTarget }) => setOpen(currentTarget.open);
  const table = isOpen && h(Table, { caption, content: content(), control: `in-table-${name}` });
  const summary = h('summary', { 'data-control': `table-${name}` }, title);
  return h('details', { class: 'av-details', 'data-table': name, onToggle }, summary, table);
}

/** A table: ``content`` is its head, a list of texts, and its rows, lists of texts, the first a heading; it scrolls
 * inside itself. */
export function Table({ caption, content: [head, rows], control }) {
  const headings = head.map((text) => h('th', { scope: 'col' }, text));
  const lines = rows.map(([first, ...cells]) => {
    const numbers = cells.map((text) => h('td', {}, text));
    return h('tr', {}, h('th', { scope: 'row' }, first), numbers);
  });
  const box = { class: 'av-table', tabIndex: 0, role: 'region' };
  return h(
    'div',
    { ...box, 'aria-label': caption, 'data-control': control },
    h(
      'table',
      {},
      h('caption', {}, caption),
      h('thead', {}, h('tr', {}, headings)),
      h('tbody', {}, lines),
    ),
  );
}

/** Rows for maps of one shape, a row a cell: its row and column, and what each of ``columns`` says of its index. */
export function cellRows({ height, width }, columns) {
  return Array.from({ length: height * width }, (_, index) => [
    String(Math.floor(index / width) + 1),
    String((index % width) + 1),
    ...columns.map((textAt) => textAt(index)),
  ]);
}
