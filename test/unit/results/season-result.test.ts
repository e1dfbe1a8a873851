import { describe, expect, it } from 'vitest';
import { type BoardDefinition, boardDefinition } from '../../../contract/board.ts';
import { Players } from '../../../contract/players.ts';
import { seasonResult } from '../../../contract/results.ts';
import { parseSeason, toResult } from '../../../results/season-result.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 29, 6);
const SOURCE = { namespace: 'games', name: 'arcade' };

const BOARD = boardDefinition.parse({
  name: 'teams',
  title: 'Top Teams',
  topic: 'arcade-teams',
  digest: 'd1',
  size: 3,
  period: { kind: 'season', lengthMillis: HOUR, latestArrivalMillis: HOUR / 2 },
  identity: ['team_id'],
  columns: [{ name: 'total', label: 'Total', type: 'integer' }],
});
const BY_VALUE: BoardDefinition = {
  ...BOARD,
  by: { name: 'country', label: 'Country', maxValues: 10 },
};

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const seasonOf = (board: BoardDefinition, key: unknown) => parseSeason(SOURCE, board, bytes(key));

/** What the topic has for a board of these totals, the last first. */
const record = (totals: number[], digest = 'd1') => {
  const rows = totals.map((total, i) => ({ rnk: i + 1, team_id: `t${i}`, team_name: null, total }));
  return bytes({ season_start: START, digest, rows: rows.reverse() });
};

function resultOf(board: BoardDefinition, key: object, value: Buffer | null, players = new Players()) {
  return toResult(SOURCE, board, seasonOf(board, key)!, value, players);
}

describe('a result', () => {
  it('is a CloudEvent with the ranks of the board', () => {
    const result = resultOf(BOARD, { season_start: START }, record([9, 7, 7, 1]));
    expect(result).toEqual({
      specversion: '1.0',
      id: 'games/arcade/teams/2026-11-29T06:00:00.000Z',
      source: '/apis/gameanalytics.dev/v1alpha1/namespaces/games/gameanalytics/arcade',
      type: 'dev.gameanalytics.season.closed.v1',
      subject: 'teams',
      time: '2026-11-29T07:30:00.000Z',
      datacontenttype: 'application/json',
      data: {
        board: 'teams',
        title: 'Top Teams',
        season: {
          start: '2026-11-29T06:00:00.000Z',
          end: '2026-11-29T07:00:00.000Z',
          frozenAt: '2026-11-29T07:30:00.000Z',
        },
        rows: [
          { rank: 1, team_id: 't0', team_name: null, total: 9 },
          { rank: 2, team_id: 't1', team_name: null, total: 7 },
          { rank: 3, team_id: 't2', team_name: null, total: 7 },
        ],
      },
    });
    expect(seasonResult.parse(result)).toEqual(result);
  });

  it('has shared ranks where the board has', () => {
    const result = resultOf({ ...BOARD, rankedBy: 'total' }, { season_start: START }, record([9, 7, 7]));
    expect(result?.data.rows.map(({ rank }) => rank)).toEqual([1, 2, 2]);
  });

  it('is without hidden players, whose places go to others', () => {
    const players = new Players();
    players.apply('t1', '{"hidden":true}');
    players.apply('t2', '{"erased":true}');
    players.apply('t3', 'hidden');
    const board = { ...BOARD, player: 'team_id' };
    const rows = resultOf(board, { season_start: START }, record([9, 8, 7, 6, 5, 4]), players)?.data.rows;
    expect(rows?.map(({ rank, team_id }) => [rank, team_id])).toEqual([
      [1, 't0'],
      [2, 't3'],
      [3, 't4'],
    ]);
  });

  it('is one for each value, which its id has without a slash of its own', () => {
    const result = resultOf(BY_VALUE, { season_start: START, value: 'a/b é' }, record([9]));
    expect(result).toMatchObject({
      id: 'games/arcade/teams/a%2Fb%20%C3%A9/2026-11-29T06:00:00.000Z',
      subject: 'teams/a%2Fb%20%C3%A9',
      data: { value: 'a/b é' },
    });
  });

  it('has a season that is a day of a time zone', () => {
    const calendar = { every: 'Day', timeZone: 'Europe/Berlin' } as const;
    const period = { kind: 'season', calendar, latestArrivalMillis: HOUR } as const;
    const start = Date.UTC(2026, 9, 24, 22);
    expect(seasonOf({ ...BOARD, period }, { season_start: start })).toMatchObject({
      endMillis: start + 25 * HOUR,
      frozenMillis: start + 26 * HOUR,
    });
  });

  it.each([
    ['of another definition', record([9], 'd2')],
    ['without rows', record([])],
    ['that is deleted', null],
    ['that is no JSON', Buffer.from('{')],
    ['whose rows have no rank', bytes({ digest: 'd1', rows: [{ total: 1 }] })],
  ])('is none of a board %s', (_, value) => {
    expect(resultOf(BOARD, { season_start: START }, value)).toBeUndefined();
  });

  it.each([
    ['has no key', BOARD, undefined],
    ['has no number as the season', BOARD, { season_start: '0' }],
    ['is too far away to be a time', BOARD, { season_start: 8.64e15 }],
    ['has a value where the board is not by value', BOARD, { season_start: START, value: 'NO' }],
    ['has no value where it is', BY_VALUE, { season_start: START }],
    ['is of seasons that never end', { ...BOARD, period: { kind: 'season' as const } }, { season_start: 0 }],
  ])('is none of a record that %s', (_, board, key) => {
    expect(parseSeason(SOURCE, board, key === undefined ? null : bytes(key))).toBeUndefined();
  });
});
