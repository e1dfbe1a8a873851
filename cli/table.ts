import { printable } from './printable.ts';

/** A column of a table for the terminal. */
export interface TableColumn {
  name: string;
  /** Numbers are aligned at their right. */
  isNumber: boolean;
}

const SEPARATOR = ' | ';

/** Rows below their columns' names, each column as wide as its widest value; null is NULL. */
export function formatTable(columns: TableColumn[], rows: (string | null)[][]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? 'NULL' : oneLine(cell))));
  const names = columns.map(({ name }) => oneLine(name));
  const widths = columns.map((_, i) =>
    [names, ...cells].reduce((widest, row) => Math.max(widest, displayWidth(row[i] ?? '')), 0),
  );
  const align = (row: string[], i: number, toRight: boolean) => {
    const padding = ' '.repeat((widths[i] ?? 0) - displayWidth(row[i] ?? ''));
    return toRight ? padding + row[i] : row[i] + padding;
  };
  const line = (row: string[], isHead = false) =>
    columns
      .map(({ isNumber }, i) => align(row, i, isNumber && !isHead))
      .join(SEPARATOR)
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  return [line(names, true), rule, ...cells.map((row) => line(row))].map((text) => `${text}\n`).join('');
}

/** A text that stays on its line, with control characters as they are written in JavaScript. */
export function oneLine(text: string): string {
  return printable(text.replaceAll('\n', '\\n'));
}

const GRAPHEMES = new Intl.Segmenter();
/** What a terminal shows in two cells: emoji, and the scripts of East Asia. */
const WIDE =
  /^[\p{Emoji_Presentation}\u{1100}-\u{115f}\u{2e80}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{20000}-\u{3fffd}]/u;

/** How many cells of a terminal a text takes. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return [...GRAPHEMES.segment(text)].reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0);
}

/** The beginning of a text that takes no more cells, with an ellipsis if it is not all of it. */
export function cutToWidth(text: string, most: number): string {
  const shown = oneLine(text);
  if (displayWidth(shown) <= most) return shown;
  let start = '';
  for (const { segment } of GRAPHEMES.segment(shown)) {
    if (displayWidth(start + segment) > most - 1) break;
    start += segment;
  }
  return `${start}…`;
}
