import type { Page } from 'playwright-core';
import type { BoardDefinition, Column } from '../../contract/board.ts';

/**
 * The texts of a board's rows, each with the rank first, as a page shows them; without times, which it shows
 * as ages.
 */
export function shownRows(page: Page, board: string): Promise<string[][]> {
  // Looked for and read in one go: between two, rows may change places.
  return page
    .locator(`#board-${board}`)
    .evaluate((shown) =>
      [...shown.querySelectorAll('tbody tr')].map((row) =>
        [...row.querySelectorAll('.rank, bdi')].map((cell) => cell.textContent ?? ''),
      ),
    );
}

/**
 * The rows that the dashboard's API has for a board, in the texts that a page should show; ages pass and are
 * left out.
 */
export async function servedRows(url: string, board: BoardDefinition): Promise<string[][]> {
  const response = await fetch(`${url}/api/boards/${board.name}`);
  const { rows } = (await response.json()) as { rows: Record<string, string | number>[] };
  return rows.map((row) => [
    String(row.rank),
    ...board.columns.flatMap(({ name, type }) => (type === 'time' ? [] : [textOf(row[name], type)])),
  ]);
}

type ShownAs = Exclude<Column['type'], 'time'>;

const DECIMALS = { integer: 0, decimal: 2, factor: 2, percent: 1 };

function textOf(value: string | number | undefined, as: ShownAs): string {
  if (as === 'text' || typeof value !== 'number') return String(value);
  const digits = DECIMALS[as];
  const text = value.toLocaleString('en', {
    style: as === 'percent' ? 'percent' : 'decimal',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return as === 'factor' ? `${text}×` : text;
}
