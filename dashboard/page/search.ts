import type { BoardDefinition } from '../boards/definition.ts';
import type { Row } from '../boards/record.ts';
import type { Panel } from './panel.ts';

/** Who is looked for, by a part of a name; the page's script looks in the same way. */
export function isFound({ columns }: BoardDefinition, row: Row, search: string): boolean {
  if (search === '') return false;
  const sought = fold(search);
  return columns.some(
    ({ name, type }) => type === 'text' && fold(String(row.values.get(name) ?? '')).includes(sought),
  );
}

/** How many rows of some panels are found, in words. */
export function foundIn(panels: readonly Panel[]): string {
  const count = panels.flatMap(({ rows }) => rows).filter(({ found }) => found).length;
  return count === 0 ? 'not on these boards' : `${count} found`;
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
