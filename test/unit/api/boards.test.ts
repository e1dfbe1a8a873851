import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BOARD_TYPES, getBoardType } from '../../../api/boards/types.ts';
import { SEASON_START } from '../../../contract/board.ts';
import { resource } from '../../../testkit/resources/resource.ts';

/** The columns of a SELECT by its last one, which names them. */
function selected(sql: string): string[] {
  const [, list = ''] = /(?:^|\n)SELECT\s((?:(?!\nSELECT\s)[\s\S])*)\nFROM \w+$/.exec(sql.trim()) ?? [];
  let plain = list.replace(/--.*/g, '');
  while (/\([^()]*\)/.test(plain)) plain = plain.replace(/\([^()]*\)/g, '');
  return plain.split(',').map((item) => /(\w+)\s*$/.exec(item)?.[1] ?? '');
}

const defaults = resource({}).spec.leaderboards;

describe.each(BOARD_TYPES.filter(({ template }) => template))('$name', ({ name, template }) => {
  const file = `sql/${template}.sql.hbs`;

  it('has a SELECT in sql/ and a board by default', () => {
    expect(existsSync(file)).toBe(true);
    expect(defaults.map(({ type }) => type)).toContain(name);
  });

  it('has the columns of its SELECT, in their order', () => {
    const board = defaults.find(({ type }) => type === name)!;
    const { period, columns } = getBoardType(board).shape(board);
    const before = period?.kind === 'season' ? [SEASON_START] : ['window_start', 'window_end'];
    expect(selected(readFileSync(file, 'utf8'))).toEqual([
      ...before,
      ...columns.map((column) => column.name),
    ]);
  });
});

it('fields of the same name are the same field in all types', () => {
  const all = BOARD_TYPES.flatMap(({ fields }) => Object.entries(fields));
  for (const [name, field] of all)
    expect(new Set(all.filter(([other]) => other === name).map(([, one]) => one)), name).toEqual(
      new Set([field]),
    );
});

it('columns that identify a row, and the bar, are columns of the board', () => {
  for (const board of defaults) {
    const { columns, identity, bar } = getBoardType(board).shape(board);
    expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining([...identity, bar]));
  }
});
