import { expect, it } from 'vitest';
import { advised, rankKey } from '../../../../local/sql-check/advice.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

const COLUMNS = [
  { name: 'rnk', type: 'BIGINT' },
  { name: 'team_id', type: 'STRING' },
];
const SEASONS = [{ name: 'season_start', type: 'BIGINT' }, ...COLUMNS];

function queryBoard(columns: object[]) {
  const board = { name: 'own', type: 'Query', size: 5, columns, query: 'SELECT 1' };
  return resource({ leaderboards: [board] }).spec.leaderboards[0]!;
}

const NO_UPSERT_KEY = 'the sink has an upsert key that differs from the primary key of the table';

it('columns that do not match are named as both sides have them', () => {
  const message =
    'Column types do not match. Cause: Different number of columns. Query schema: [rnk: BIGINT NOT NULL] Sink schema: [rnk: BIGINT, team_id: STRING]';
  expect(advised(message, queryBoard(COLUMNS))).toBe(
    'its result does not have the board’s columns (Different number of columns): it is [rnk: BIGINT], and columns says [rnk: BIGINT, team_id: STRING]',
  );
});

it('a rank that Flink cannot see to be unique is to be made by ROW_NUMBER, up to the size of the board', () => {
  const advice = advised(NO_UPSERT_KEY, queryBoard(COLUMNS));
  expect(advice).toContain('one row for each rnk: ');
  expect(advice).toContain('ROW_NUMBER() OVER (ORDER BY …) AS rnk');
  expect(advice).toContain('WHERE rnk <= 5');
});

it('a board of seasons is ranked within each', () => {
  const advice = advised(NO_UPSERT_KEY, queryBoard(SEASONS));
  expect(advice).toContain('one row for each season_start and rnk: ');
  expect(advice).toContain('OVER (PARTITION BY season_start ORDER BY …)');
  expect(rankKey(queryBoard(SEASONS))).toEqual(['season_start', 'rnk']);
});

it('an end that comes too early is called that', () => {
  expect(advised('Encountered "<EOF>" at line 3', queryBoard(COLUMNS))).toBe(
    'it ends where SQL has more to say',
  );
});

it('another message stays as it is', () => {
  expect(advised('Object ‘scores’ not found', queryBoard(COLUMNS))).toBe('Object ‘scores’ not found');
});
