// Tables as CSV files, as export/tables.py writes them.

const DIGITS = 6; // of a number
const NEEDS_QUOTES = /[",\n\r]/;
const FORMULA = /^[\s\p{C}]*[=+\-−@]|^[\t\r\n]/u; // a spreadsheet runs a cell that begins so

/** The bytes of a table: numbers to six digits, empty where unknown; texts that a spreadsheet would run quoted. */
export function table(header, rows) {
  const lines = [header, ...rows].map((row) => row.map(cell).join(','));
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

function cell(value) {
  if (typeof value !== 'string') return numberText(value);
  const text = FORMULA.test(value.normalize('NFKC')) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const numberText = (value) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : '';
