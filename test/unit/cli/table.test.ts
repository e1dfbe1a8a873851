import { describe, expect, it } from 'vitest';
import { formatResult } from '../../../cli/sql.ts';
import { formatTable } from '../../../cli/table.ts';

const lines = (text: string) => text.split('\n');

describe('a table', () => {
  const columns = [
    { name: 'team', isNumber: false },
    { name: 'total', isNumber: true },
    { name: 'note', isNumber: false },
  ];

  it('has columns as wide as their widest value, numbers at the right, and NULL for what is not there', () => {
    const rows = [
      ['Azure Otter', '5', null],
      ['Bee', '1200', "it's"],
    ];
    expect(lines(formatTable(columns, rows))).toEqual([
      'team        | total | note',
      '------------+-------+-----',
      'Azure Otter |     5 | NULL',
      "Bee         |  1200 | it's",
      '',
    ]);
  });

  it('keeps each row on its line, and its columns aligned, whatever text is in it', () => {
    const rows = [
      ['a\nb\u001b[2J', '1', 'x'],
      ['🏆日本', '2', 'y'],
      ['e\u0301', '3', 'z'],
    ];
    expect(lines(formatTable(columns, rows)).slice(2)).toEqual([
      'a\\nb\\u001b[2J |     1 | x',
      '🏆日本        |     2 | y',
      'e\u0301             |     3 | z',
      '',
    ]);
  });

  it('has a head and no row of nothing', () => {
    expect(lines(formatTable(columns, []))).toEqual(['team | total | note', '-----+-------+-----', '']);
  });
});

describe('the result of a statement', () => {
  const bigint = { name: 'n', type: 'BIGINT' };

  it('has its number of rows below it', () => {
    expect(formatResult({ columns: [bigint], rows: [['10'], ['9']] })).toBe('n\n--\n10\n 9\n(2 rows)\n');
    expect(formatResult({ columns: [bigint], rows: [['10']] })).toContain('(1 row)');
    expect(formatResult({ columns: [bigint], rows: [] })).toBe('n\n-\n(0 rows)\n');
  });

  it('is text of several lines as it is, without what would move the cursor', () => {
    const plan = {
      columns: [{ name: 'result', type: 'VARCHAR' }],
      rows: [['== AST ==\n+- Scan\u001b[2J\n']],
    };
    expect(formatResult(plan)).toBe('== AST ==\n+- Scan\\u001b[2J\n');
  });

  it('is empty when there is nothing but success', () => {
    expect(formatResult(undefined)).toBe('');
  });
});
