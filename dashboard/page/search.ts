import type { BoardDefinition } from '../../contract/board.ts';
import type { Row } from '../boards/record.ts';

/** Finds players and teams by a part of their name; the page's script does the same. */
export function isFound({ columns }: BoardDefinition, row: Row, search: string): boolean {
  if (search === '') return false;
  const sought = fold(search);
  return columns.some(
    ({ name, type }) => type === 'text' && fold(String(row.values.get(name) ?? '')).includes(sought),
  );
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
