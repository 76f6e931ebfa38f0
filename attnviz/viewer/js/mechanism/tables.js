// A mechanism's numbers as tables: one for each kind and shape of its nodes, a column a node.
import { digits } from '../numbers/format.js';
import { cellRows, FoldedTable } from '../numbers/tables.js';
import { h } from '../vendor/preact.js';
import { spoken } from './formula.js';

/** The tables of a mechanism (see following.js). */
export function MechanismTables({ viewer, mechanism: { diagram, known } }) {
  const groups = new Map();
  for (const node of diagram.nodes) {
    const numbers = known.get(node.key);
    if (!numbers || (node.operation === 'same' && !node.array)) continue;
    const kind = numbers.shows === 'features' ? 'cells' : numbers.shows;
    const key = [kind, numbers.height, numbers.width].join('-');
    const place = [...groups.values()].filter((group) => group.kind === kind).length;
    if (!groups.has(key)) groups.set(key, { kind, place, columns: [] });
    groups.get(key).columns.push({ node, numbers });
  }
  return h(
    'div',
    {},
    Array.from(groups.values(), (group) =>
      h(NumbersTable, { key: `${group.kind}-${group.place}`, viewer, group }),
    ),
  );
}

function NumbersTable({ viewer, group: { kind, place, columns } }) {
  const { say } = viewer;
  const [{ numbers: first }] = columns;
  const { height, width } = first;
  const names = columns.map(({ node }) => spoken(node.formula));
  const texts = columns.map(
    ({ numbers: { values, grain } }) =>
      (index) =>
        digits(values[index], grain),
  );
  const title = say(`steps_table_${kind}`, { count: width, height, width });
  const content = () => {
    if (kind === 'cells') return [[say('row'), say('column'), ...names], cellRows(first, texts)];
    const rows = Array.from({ length: width }, (_, index) => [
      String(index),
      ...texts.map((textAt) => textAt(index)),
    ]);
    return [[say(kind === 'channels' ? 'channel' : 'unit'), ...names], rows];
  };
  return h(FoldedTable, { name: `steps-${kind}-${place}`, title, content });
}
