import type { Row, Value } from '../boards/record.ts';

/** What makes a spreadsheet take a text for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const SPECIAL = /[",\r\n]/;

/**
 * Rows as CSV (RFC 4180), the first line with the names of the columns. A text that a spreadsheet would take
 * for a formula begins with an apostrophe: names are user input, and someone else opens the file.
 *
 * @param columns their names; `rank` comes before them
 */
export function csv(columns: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map(({ rank, values }) => [rank, ...columns.map((name) => values.get(name))]);
  return [['rank', ...columns], ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

function cell(value: Value): string {
  if (typeof value !== 'string') return String(value ?? '');
  const text = FORMULA.test(value) ? `'${value}` : value;
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
