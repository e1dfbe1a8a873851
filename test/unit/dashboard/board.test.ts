import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board } from '../../../dashboard/boards/board.ts';
import { boardDefinition } from '../../../dashboard/boards/definition.ts';
import type { RawRecord } from '../../../dashboard/boards/record.ts';
import {
  allTime,
  boardOf,
  HOUR,
  NOW,
  record,
  SEASON,
  standings,
  streakers,
  TOP_TEAMS_JSON,
  team,
  topTeams,
  vacant,
} from './fixtures.ts';

describe('a board', () => {
  it('shows the last write of each rank, by rank', () => {
    const board = boardOf(topTeams, [team(2, 'b', 5), team(1, 'x', 9), team(1, 'a', 10)]);
    expect(standings(board)).toEqual(['1:a', '2:b']);
  });

  it('removes a row by its tombstone, and survives a tombstone for nothing', () => {
    const board = boardOf(topTeams, [team(1, 'a', 10), team(2, 'b', 5), vacant(2), vacant(3), vacant(1, 0)]);
    expect(standings(board)).toEqual(['1:a']);
  });

  it('ignores ranks beyond its size', () => {
    const board = boardOf(topTeams, [team(3, 'c', 1)]);
    expect(board.apply(team(4, 'd', 1), NOW)).toBe('ignored');
    expect(standings(board)).toEqual(['3:c']);
  });

  it('is keyed by rank alone when it has no period', () => {
    const board = boardOf(allTime, [record({ rnk: 1 }, { team_id: 'a', team_name: 'A', total_score: 1 })]);
    expect(standings(board)).toEqual(['1:a']);
    expect(board.view(NOW).period).toBeNull();
  });

  it('counts its data as updated now, at most, by the newest record', () => {
    const board = boardOf(allTime, [
      record({ rnk: 1 }, null, NOW - 5000),
      record({ rnk: 1 }, null, NOW - 9000),
    ]);
    expect(board.view(NOW).updatedMillis).toBe(NOW - 5000);
    board.apply(record({ rnk: 1 }, null, NOW + HOUR), NOW);
    expect(board.view(NOW).updatedMillis).toBe(NOW);
  });
});

describe('a board of seasons', () => {
  it('shows the newest season that has begun and has rows', () => {
    const board = boardOf(topTeams, [team(1, 'last', 1, SEASON - HOUR), team(1, 'now', 1), vacant(2)]);
    expect(standings(board)).toEqual(['1:now']);
    board.apply(vacant(1), NOW);
    expect(standings(board)).toEqual(['1:last']);
  });

  it('shows the newest one without an end when seasons have no known length', () => {
    const endless = boardDefinition.parse({
      ...TOP_TEAMS_JSON,
      period: { kind: 'season', column: 'season_start', lengthMillis: null },
    });
    const board = boardOf(endless, [team(1, 'old', 9, 0), team(1, 'a', 10)]);
    expect(standings(board)).toEqual(['1:a']);
    expect(board.view(NOW).period).toBeNull();
  });

  it('is not hijacked by a season from a broken clock', () => {
    const board = boardOf(topTeams, [team(1, 'now', 1), team(1, 'far', 1, SEASON + 9000 * HOUR)]);
    expect(standings(board)).toEqual(['1:now']);
  });

  it('says whether the season is over', () => {
    const board = boardOf(topTeams, [team(1, 'a', 1)]);
    const season = { kind: 'season', startMillis: SEASON, endMillis: SEASON + HOUR };
    expect(board.view(SEASON + HOUR - 1).period).toEqual({ ...season, over: false });
    expect(board.view(SEASON + HOUR).period).toEqual({ ...season, over: true });
  });

  it('has the last season that is over, also while none is running', () => {
    const board = boardOf(topTeams, [team(1, 'last', 1, SEASON - HOUR), team(1, 'now', 1)]);
    const last = (now: number) => board.view(now, 'last').rows.map((row) => row.values.get('team_id'));
    expect(last(NOW)).toEqual(['last']);
    expect(board.view(NOW, 'last').period).toMatchObject({ endMillis: SEASON, over: true });
    expect(last(NOW + HOUR)).toEqual(['now']);
    expect(boardOf(topTeams, [team(1, 'now', 1)]).view(NOW, 'last')).toMatchObject({
      period: null,
      rows: [],
    });
  });

  it('goes over to a season written ahead of its time once that begins', () => {
    const board = boardOf(topTeams, [team(1, 'now', 1), team(1, 'next', 1, SEASON + HOUR)]);
    expect(standings(board, SEASON + HOUR)).toEqual(['1:next']);
  });

  it('keeps the current and the last season and forgets old ones, in whatever order they come', () => {
    const seasons = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 100, 200, 300], { minLength: 10 });
    fc.assert(
      fc.property(seasons, (agesInHours) => {
        // 100 and more: hours ahead of the clock.
        const starts = agesInHours.map((hours) =>
          hours < 100 ? SEASON - hours * HOUR : SEASON + hours * HOUR,
        );
        const board = boardOf(
          topTeams,
          starts.map((start) => team(1, String(start), 1, start)),
        );
        expect(standings(board)).toEqual([`1:${SEASON}`]);
        board.apply(vacant(1), NOW);
        expect(standings(board)).toEqual([`1:${SEASON - HOUR}`]);
        for (const age of [1, 2]) board.apply(vacant(1, SEASON - age * HOUR), NOW);
        expect(standings(board)).toEqual([]);
      }),
    );
  });
});

describe('a board of instants', () => {
  const player = (rnk: number, user_id: string, as_of: number) =>
    record({ rnk }, { user_id, as_of, peak_hotness: 1 });

  const older = [1, 2, 3].map((rnk) => player(rnk, `old-${rnk}`, NOW - 5000));
  const OLDER = ['1:old-1', '2:old-2', '3:old-3'];

  const shownStandings = (board: Board, now = NOW) =>
    board.shown(now).rows.map(({ rank, values }) => `${rank}:${values.get('user_id')}`);

  it('shows only the rows of the newest instant', () => {
    const newer = [1, 2, 3].map((rnk) => player(rnk, `new-${rnk}`, NOW));
    const board = boardOf(streakers, [...older, ...newer]);
    expect(shownStandings(board)).toEqual(['1:new-1', '2:new-2', '3:new-3']);
    expect(board.shown(NOW).period).toEqual({ kind: 'instant', atMillis: NOW });
  });

  it('goes on showing an instant while the next one arrives row by row', () => {
    const board = boardOf(streakers, [...older, player(2, 'b', NOW), player(1, 'a', NOW)]);
    expect(shownStandings(board)).toEqual(OLDER);
    expect(board.shown(NOW).period).toEqual({ kind: 'instant', atMillis: NOW - 5000 });
    board.apply(player(3, 'c', NOW), NOW + 1000);
    expect(shownStandings(board, NOW + 1000)).toEqual(['1:a', '2:b', '3:c']);
  });

  it('shows a shorter instant once no more of it can be coming', () => {
    const board = boardOf(streakers, [...older, player(1, 'a', NOW), player(2, 'b', NOW)]);
    expect(shownStandings(board, NOW + 4999)).toEqual(OLDER);
    expect(shownStandings(board, NOW + 5000)).toEqual(['1:a', '2:b']);
    board.apply(player(1, 'c', NOW + 5000), NOW + 5000);
    expect(shownStandings(board, NOW + 5000)).toEqual(['1:a', '2:b']);
  });

  it('is not hijacked by an instant from a broken clock', () => {
    const board = boardOf(streakers, [player(1, 'a', NOW), player(2, 'far', NOW + HOUR)]);
    expect(standings(board)).toEqual(['1:a']);
  });
});

describe('materialising', () => {
  const writes = fc.array(
    fc.record({
      rank: fc.integer({ min: 1, max: 5 }),
      season: fc.integer({ min: 0, max: 2 }),
      id: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: null }),
    }),
    { maxLength: 60 },
  );
  type Write = { rank: number; season: number; id: string | null };
  const toRecord = ({ rank, season, id }: Write): RawRecord =>
    id ? team(rank, id, 1, SEASON - season * HOUR) : vacant(rank, SEASON - season * HOUR);

  it('equals the last write per key, also when the topic was compacted before it was read', () => {
    fc.assert(
      fc.property(writes, (log) => {
        const last = new Map(log.map((write) => [`${write.season}/${write.rank}`, write]));
        const compacted = log.filter((write) => last.get(`${write.season}/${write.rank}`) === write);
        const rows = compacted.filter(({ id, rank }) => id !== null && rank <= topTeams.size);
        const newest = Math.min(...rows.map(({ season }) => season));
        const expected = rows
          .filter(({ season }) => season === newest)
          .map(({ rank, id }) => `${rank}:${id}`)
          .sort();
        expect(standings(boardOf(topTeams, log.map(toRecord)))).toEqual(expected);
        expect(standings(boardOf(topTeams, compacted.map(toRecord)))).toEqual(expected);
      }),
    );
  });

  it('takes any bytes without throwing, and shows no more than its size', () => {
    const bytes = fc.option(
      fc.oneof(
        fc.uint8Array().map((array) => Buffer.from(array)),
        fc.json().map((text) => Buffer.from(text)),
        fc
          .record({
            rnk: fc.anything(),
            season_start: fc.anything(),
            team_id: fc.anything(),
            total_score: fc.anything(),
          })
          .map((fields) =>
            Buffer.from(JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? 1 : value))),
          ),
      ),
      { nil: null },
    );
    const raw = fc.record({ key: bytes, value: bytes, timestampMillis: fc.integer() });
    fc.assert(
      fc.property(fc.array(raw), fc.constantFrom(topTeams, streakers, allTime), (records, definition) => {
        const board = boardOf(definition, records);
        expect(board.view(NOW).rows.length).toBeLessThanOrEqual(definition.size);
      }),
    );
  });

  it.each([
    ['a key that is no JSON', { ...team(1, 'x', 1), key: Buffer.from('{') }],
    ['no key', { ...team(1, 'x', 1), key: null }],
    ['a value that is no object', { ...team(1, 'x', 1), value: Buffer.from('[1]') }],
    ['a rank of zero', team(0, 'x', 1)],
    ['no season', record({ rnk: 1 }, { team_id: 'x', team_name: 'X', total_score: 1 })],
    ['a season no calendar holds', team(1, 'x', 1, 9e15)],
    ['no identity', record({ season_start: SEASON, rnk: 1 }, { team_name: 'X', total_score: 1 })],
    ['a missing column', record({ season_start: SEASON, rnk: 1 }, { team_id: 'x', total_score: 1 })],
    [
      'text for a number',
      record({ season_start: SEASON, rnk: 1 }, { team_id: 'x', team_name: 'X', total_score: '1' }),
    ],
  ])('counts a record with %s as malformed and leaves the board alone', (_, malformed) => {
    const board = boardOf(topTeams, [team(1, 'a', 1)]);
    expect(board.apply(malformed, NOW)).toBe('malformed');
    expect(standings(board)).toEqual(['1:a']);
  });

  it('cuts long text, and keeps rows apart that differ only beyond the cut', () => {
    const board = new Board(topTeams);
    board.apply(team(1, `${'n'.repeat(10_000)}1`, 1), NOW);
    board.apply(team(2, `${'n'.repeat(10_000)}2`, 1), NOW);
    const [first, second] = board.view(NOW).rows;
    expect(String(first?.values.get('team_name')).length).toBe(200);
    expect(first?.id).not.toBe(second?.id);
  });
});
