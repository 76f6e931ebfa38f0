// Formulas in mathematical type: trees, as Python's mechanisms/formula.py reads them, become MathML.
import { h } from '../vendor/preact.js';

const SCRIPTS = { row: 'mrow', sub: 'msub', sup: 'msup', subsup: 'msubsup', frac: 'mfrac' };
const PRIMES = /[′″]$/;
const ACCENTS = { '\u0303': '~', '\u0302': '^' };
const FIXED = { stretchy: 'false' };
const SIGN = { form: 'postfix', lspace: '0', rspace: '0' }; // of a prime
const VALUE = '@'; // begins the place of a number
const EQUALS = ['=', '≈'];
const BEFORE_NUMBERS = ['+', '·'];

/** A formula; ``numbers`` fills the places for numbers, see ``filled``. It can break before each "=". */
export function Formula({ tree, numbers }) {
  const shown = numbers ? filled(tree, numbers) : tree;
  const parts = atEquals(shown).map((part) => h('math', {}, element(part)));
  return h('span', { class: 'av-math' }, parts);
}

/** The parts of a row, of which each but the first begins with "=" or "≈". */
function atEquals(tree) {
  if (tree[0] !== 'row') return [tree];
  const rows = [['row']];
  for (const part of tree.slice(1)) {
    const isFirst = rows.length === 1 && !rows[0].includes('=') && !rows[0].includes('≈');
    if (EQUALS.includes(part) && !isFirst) rows.push(['row']);
    rows.at(-1).push(part);
  }
  return rows;
}

function element(tree) {
  if (typeof tree === 'string') return leaf(tree);
  const [kind, ...parts] = tree;
  if (kind === 'number') return h('mn', { class: 'av-number' }, parts[0]);
  return h(SCRIPTS[kind], {}, parts.map(element));
}

function leaf(text) {
  if (/^\d/.test(text)) return h('mn', {}, text);
  if (!/^\p{L}/u.test(text)) return h('mo', FIXED, text);
  const name = text.replace(PRIMES, '');
  const [letter, accent] = name.normalize('NFD');
  const letters =
    accent in ACCENTS
      ? h('mover', { accent: 'true' }, h('mi', {}, letter), h('mo', FIXED, ACCENTS[accent]))
      : h('mi', name.length > 1 ? { class: 'av-word' } : {}, name);
  return name === text ? letters : h('mrow', {}, letters, h('mo', SIGN, text.slice(name.length)));
}

/** A tree with numbers in its places. ``numbers`` gives of a place's name {text} of its number, or else the tree of the
 * ``symbol`` to stand there; and whether it ``isRounded`` so that it does not follow from the numbers beside it as they
 * are printed: "≈" stands before it then. An equation whose end is not known ends before. */
export function filled(tree, numbers) {
  if (typeof tree === 'string') return tree.startsWith(VALUE) ? placed(tree, numbers) : tree;
  const [kind, ...parts] = tree;
  if (kind !== 'row') return [kind, ...parts.map((part) => filled(part, numbers))];
  const known = withoutUnknownEnd(parts, numbers);
  return [
    'row',
    ...known.flatMap((part, place) => {
      if (part === '=') return [isRounded(known.slice(place + 1), numbers) ? '≈' : '='];
      const shown = filled(part, numbers);
      const isNegative = shown[0] === 'number' && shown[1].startsWith('−');
      return isNegative && BEFORE_NUMBERS.includes(known[place - 1]) ? ['(', shown, ')'] : [shown];
    }),
  ];
}

function placed(text, numbers) {
  const { text: number, symbol } = numbers(text.slice(VALUE.length));
  return number === null ? symbol : ['number', number];
}

function withoutUnknownEnd(parts, numbers) {
  const end = parts.at(-1);
  const isUnknown =
    typeof end === 'string' &&
    end.startsWith(VALUE) &&
    numbers(end.slice(VALUE.length)).text === null;
  return isUnknown && parts.at(-2) === '=' ? parts.slice(0, -2) : parts;
}

/** Whether the next number of a row is one that is rounded. */
function isRounded(parts, numbers) {
  const next = parts.find((part) => part === '=' || String(part).startsWith(VALUE));
  return next !== undefined && next !== '=' && numbers(next.slice(VALUE.length)).isRounded;
}

/** A formula as plain text, for those who can't see it. */
export function spoken(tree) {
  if (typeof tree === 'string') return tree;
  const [kind, ...parts] = tree;
  if (kind === 'number') return parts[0];
  if (kind === 'frac') return parts.map(spoken).join(' / ');
  const between = { sub: '_', sup: '^' }[kind] ?? (kind === 'subsup' ? '_' : ' ');
  return parts.map(spoken).join(between);
}
