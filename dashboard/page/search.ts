import type { BoardDefinition } from '../../contract/board.ts';
import type { Row } from '../boards/record.ts';

/** Who is looked for, by a part of a name; the page's script looks in the same way. */
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
