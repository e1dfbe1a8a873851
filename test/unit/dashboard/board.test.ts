import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import {
  allTime,
  boardOf,
  DIGEST,
  HOUR,
  instant,
  NOW,
  player,
  record,
  SEASON,
  season,
  standings,
  streakers,
  TOP_TEAMS_JSON,
  team,
  tombstone,
  topTeams,
} from './fixtures.ts';

describe('a board', () => {
  it('is what its last record says, by rank', () => {
    const rows = [
      { rnk: 2, ...team('b', 5) },
      { rnk: 1, ...team('a', 10) },
    ];
    const board = boardOf(topTeams, [
      season([team('x', 9), team('y', 8), team('z', 7)]),
      record({ season_start: SEASON }, { digest: DIGEST, rows }),
    ]);
    expect(standings(board)).toEqual(['1:a', '2:b']);
  });

  it('shows no ranks beyond its size', () => {
    const teams = ['a', 'b', 'c', 'd', 'e'].map((id, index) => team(id, 10 - index));
    expect(standings(boardOf(topTeams, [season(teams)]))).toEqual(['1:a', '2:b', '3:c']);
  });

  it('shows no more rows than it has ranks, whatever ranks they claim', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => ({ rnk: 1, ...team(String(index), 1) }));
    const board = boardOf(topTeams, [record({ season_start: SEASON }, { digest: DIGEST, rows })]);
    expect(board.view(NOW).rows).toHaveLength(3);
  });

  it('gives equal scores one rank where it is to, and the next one its own', () => {
    const shared = { ...topTeams, size: 5, rankedBy: 'total_score' };
    const scores = [10, 8, 8, 8, 5, 5];
    const teams = scores.map((score, index) => team('abcdef'[index]!, score));
    expect(standings(boardOf(shared, [season(teams)]))).toEqual(['1:a', '2:b', '2:c', '2:d', '5:e']);
    expect(standings(boardOf({ ...topTeams, size: 5 }, [season(teams)]))[1]).toEqual('2:b');
  });

  it('has one record when it has no period', () => {
    const board = boardOf(allTime, [season([team('a', 1)], 0)]);
    expect(standings(board)).toEqual(['1:a']);
    expect(board.view(NOW).period).toBeUndefined();
    expect(board.apply(season([team('b', 1)], SEASON), NOW)).toBe('malformed');
  });

  it('ignores records of another definition, which leave no trace', () => {
    const board = boardOf(topTeams, [season([team('a', 1)])]);
    const { view, revision } = { view: board.view(NOW), revision: board.revision };
    const foreign = { digest: 'd2', rows: [{ rnk: 1, ...team('b', 9) }] };
    expect(board.apply(record({ season_start: SEASON }, foreign, NOW + 1), NOW + 1)).toBe('ignored');
    expect(board.apply(record({ season_start: SEASON }, { rows: foreign.rows }), NOW)).toBe('ignored');
    expect(board.view(NOW)).toEqual(view);
    expect(board.revision).toBe(revision);
  });

  it('counts its data as updated now, at most, by the newest record', () => {
    const board = boardOf(allTime, [season([], 0, NOW - 5000), season([], 0, NOW - 9000)]);
    expect(board.view(NOW).updatedMillis).toBe(NOW - 5000);
    board.apply(season([], 0, NOW + HOUR), NOW);
    expect(board.view(NOW).updatedMillis).toBe(NOW);
  });

  it('has no rows where the job aggregated none', () => {
    const none = record({ season_start: 0 }, { digest: DIGEST, rows: null });
    expect(standings(boardOf(allTime, [season([team('a', 1)], 0), none]))).toEqual([]);
  });
});

describe('a board of seasons', () => {
  const LAST = SEASON - HOUR;

  it('shows the newest season that has begun', () => {
    const board = boardOf(topTeams, [season([team('last', 1)], LAST), season([team('now', 1)])]);
    board.apply(season([team('late', 9)], LAST), NOW);
    expect(standings(board)).toEqual(['1:now']);
  });

  it('never falls back from a season once shown: a tombstone leaves it without rows', () => {
    const board = boardOf(topTeams, [season([team('last', 1)], LAST), season([team('now', 1)])]);
    expect(board.apply(tombstone(), NOW)).toBe('applied');
    expect(board.view(NOW)).toMatchObject({ period: { startMillis: SEASON }, rows: [] });
    board.apply(season([team('late', 9)], LAST), NOW);
    expect(board.view(NOW).rows).toEqual([]);
    expect(board.view(NOW, 'last').rows[0]?.values.get('team_id')).toBe('late');
    board.apply(season([team('again', 1)]), NOW);
    expect(standings(board)).toEqual(['1:again']);
  });

  it('shows the newest one without an end when seasons have no known length', () => {
    const endless = boardDefinition.parse({
      ...TOP_TEAMS_JSON,
      period: { kind: 'season' },
    });
    const board = boardOf(endless, [season([team('a', 10)]), season([team('old', 9)], 0)]);
    expect(standings(board)).toEqual(['1:a']);
    expect(board.view(NOW).period).toBeUndefined();
  });

  it('is not hijacked by a season from a broken clock', () => {
    const board = boardOf(topTeams, [
      season([team('now', 1)]),
      season([team('far', 1)], SEASON + 9000 * HOUR),
    ]);
    expect(standings(board)).toEqual(['1:now']);
    expect(board.view(NOW).period).toMatchObject({ startMillis: SEASON });
  });

  it('says whether the season is over', () => {
    const board = boardOf(topTeams, [season([team('a', 1)])]);
    const period = { kind: 'season', startMillis: SEASON, endMillis: SEASON + HOUR };
    expect(board.view(SEASON + HOUR - 1).period).toEqual({ ...period, over: false });
    expect(board.view(SEASON + HOUR).period).toEqual({ ...period, over: true });
  });

  it('has a season of a calendar end at the local midnight', () => {
    const calendar = { every: 'Day', timeZone: 'Europe/Berlin' };
    const daily = boardDefinition.parse({
      ...TOP_TEAMS_JSON,
      period: { kind: 'season', calendar },
    });
    // Clocks are set forward on 29 March 2026.
    const [startMillis, endMillis] = [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22)];
    const board = boardOf(daily, [season([team('a', 1)], startMillis)]);
    const period = { kind: 'season', startMillis, endMillis };
    expect(board.view(endMillis - 1).period).toEqual({ ...period, over: false });
    expect(board.view(endMillis).period).toEqual({ ...period, over: true });
    expect(board.view(endMillis - 1, 'last').period).toBeUndefined();
    expect(board.view(endMillis, 'last').period).toEqual({ ...period, over: true });
  });

  it('has the last season that is over, also while none is running', () => {
    const board = boardOf(topTeams, [season([team('last', 1)], LAST), season([team('now', 1)])]);
    const last = (now: number) => board.view(now, 'last').rows.map((row) => row.values.get('team_id'));
    expect(last(NOW)).toEqual(['last']);
    expect(board.view(NOW, 'last').period).toMatchObject({ endMillis: SEASON, over: true });
    expect(last(NOW + HOUR)).toEqual(['now']);
    const young = boardOf(topTeams, [season([team('now', 1)])]);
    expect(young.view(NOW, 'last')).toMatchObject({ period: undefined, rows: [] });
  });

  it('goes over to a season written ahead of its time once that begins', () => {
    const board = boardOf(topTeams, [season([team('now', 1)]), season([team('next', 1)], SEASON + HOUR)]);
    expect(standings(board)).toEqual(['1:now']);
    expect(standings(board, SEASON + HOUR)).toEqual(['1:next']);
  });

  it('keeps the current and the last season and forgets old ones, in whatever order they come', () => {
    const ages = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 100, 200, 300], { minLength: 10 });
    fc.assert(
      fc.property(ages, (agesInHours) => {
        // 100 and more: hours ahead of the clock.
        const starts = agesInHours.map((hours) =>
          hours < 100 ? SEASON - hours * HOUR : SEASON + hours * HOUR,
        );
        const board = boardOf(
          topTeams,
          starts.map((start) => season([team(String(start), 1)], start)),
        );
        expect(standings(board)).toEqual([`1:${SEASON}`]);
        expect(board.view(NOW, 'last').rows[0]?.values.get('team_id')).toBe(String(LAST));
        expect(standings(board, SEASON + 100 * HOUR)).toEqual([`1:${SEASON + 100 * HOUR}`]);
      }),
    );
  });
});

describe('a board of instants', () => {
  it('shows the newest instant', () => {
    const board = boardOf(streakers, [instant([player('old')], NOW - 5000), instant([player('new')], NOW)]);
    expect(standings(board)).toEqual(['1:new']);
    expect(board.view(NOW).period).toEqual({ kind: 'instant', atMillis: NOW });
  });

  it('only goes forward, also when a restored job computes earlier instants again', () => {
    const board = boardOf(streakers, [instant([player('new')], NOW)]);
    expect(board.apply(instant([player('again')], NOW - 5000, NOW + 1), NOW + 1)).toBe('ignored');
    expect(board.view(NOW + 1)).toMatchObject({ period: { atMillis: NOW }, updatedMillis: NOW });
    expect(standings(board)).toEqual(['1:new']);
    expect(board.apply(instant([player('same')], NOW), NOW)).toBe('applied');
    expect(standings(board)).toEqual(['1:same']);
  });

  it('stays as it is when there is a tombstone, which is of no instant', () => {
    const board = boardOf(streakers, [instant([player('new')], NOW)]);
    expect(board.apply(tombstone(0), NOW)).toBe('ignored');
    expect(board.apply(instant([player('again')], NOW - 5000), NOW)).toBe('ignored');
    expect(standings(board)).toEqual(['1:new']);
  });

  it('is not hijacked by an instant from a broken clock', () => {
    const board = boardOf(streakers, [instant([player('a')], NOW)]);
    expect(board.apply(instant([player('far')], NOW + HOUR), NOW)).toBe('ignored');
    expect(standings(board)).toEqual(['1:a']);
  });
});

describe('the new events of a board', () => {
  const times = (board: Board, record: KafkaRecord) => {
    board.apply(record, NOW);
    return board.newEvents;
  };

  it('are those of rows that count a newer one, and of rows that come with one that is newer than all', () => {
    const board = boardOf(topTeams, [season([team('a', 9, 10), team('b', 8, 20)])]);
    expect(times(board, season([team('a', 9, 10), team('b', 9, 30)]))).toEqual([30]);
    expect(times(board, season([team('a', 9, 25), team('b', 9, 30)]))).toEqual([25]);
    expect(times(board, season([team('c', 9, 40), team('d', 9, 28), team('b', 9, 30)]))).toEqual([40]);
    expect(times(board, season([team('c', 9, 40)]))).toEqual([]);
  });

  it('are none while a job that starts over writes old boards again', () => {
    const board = boardOf(topTeams, [season([team('a', 9, 30)])]);
    expect(times(board, season([team('a', 1, 10)]))).toEqual([]);
    expect(times(board, season([team('a', 2, 20)]))).toEqual([]);
    expect(times(board, season([team('a', 9, 30), team('b', 1, 29)]))).toEqual([]);
    expect(times(board, season([team('a', 10, 31), team('b', 1, 29)]))).toEqual([31]);
  });

  it('are none of an older season that is computed again, but those of late events are', () => {
    const board = boardOf(topTeams, [season([team('a', 9, 30)])]);
    expect(times(board, season([team('a', 9, 20)], SEASON - HOUR))).toEqual([]);
    expect(times(board, season([team('a', 9, 31)], SEASON - HOUR))).toEqual([31]);
  });

  it('are those of a season since its first record, also while another season has newer ones', () => {
    const board = boardOf(topTeams, [season([team('a', 9, 30)]), season([], SEASON - HOUR)]);
    expect(times(board, season([team('a', 9, 40)]))).toEqual([40]);
    expect(times(board, season([team('a', 9, 35)], SEASON - HOUR))).toEqual([35]);
  });

  it('are none of records that are not taken in, and of boards that do not tell', () => {
    const board = boardOf(topTeams, [season([team('a', 9, 30)])]);
    expect(times(board, record({ season_start: SEASON }, { digest: 'd2', rows: [] }))).toEqual([]);
    expect(times(new Board(streakers), instant([player('a')]))).toEqual([]);
  });
});

describe('reading a topic', () => {
  const writes = fc.array(
    fc.record({
      age: fc.integer({ min: 0, max: 2 }),
      ids: fc.option(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }), { nil: null }),
    }),
    { maxLength: 40 },
  );
  interface Write {
    age: number;
    ids: string[] | null;
  }
  const toRecord = ({ age, ids }: Write): KafkaRecord => {
    const start = SEASON - age * HOUR;
    return ids
      ? season(
          ids.map((id) => team(id, 1)),
          start,
        )
      : tombstone(start);
  };

  it('ends with the last record of each season, also when the topic was compacted before', () => {
    fc.assert(
      fc.property(writes, (log) => {
        const last = new Map(log.map((write) => [write.age, write]));
        const compacted = log.filter((write) => last.get(write.age) === write);
        const newest = last.get(Math.min(...last.keys()))?.ids ?? [];
        const expected = newest.slice(0, topTeams.size).map((id, index) => `${index + 1}:${id}`);
        expect(standings(boardOf(topTeams, log.map(toRecord)))).toEqual(expected);
        expect(standings(boardOf(topTeams, compacted.map(toRecord)))).toEqual(expected);
      }),
    );
  });

  it('takes any bytes without throwing, and shows no more than its size', () => {
    const row = fc.record({ rnk: fc.oneof(fc.nat(9), fc.anything()), team_id: fc.anything() });
    const fields = fc.record({
      season_start: fc.oneof(fc.constantFrom(SEASON, 0), fc.anything()),
      digest: fc.oneof(fc.constant(DIGEST), fc.anything()),
      as_of: fc.oneof(fc.constant(NOW), fc.anything()),
      rows: fc.oneof(fc.array(fc.oneof(row, fc.anything())), fc.anything()),
    });
    const bytes = fc.option(
      fc.oneof(
        fc.uint8Array().map((array) => Buffer.from(array)),
        fc.json().map((text) => Buffer.from(text)),
        fields.map((one) =>
          Buffer.from(JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? 1 : value))),
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

  const rows = (...of: unknown[]) => record({ season_start: SEASON }, { digest: DIGEST, rows: of });
  it.each([
    ['a key that is no JSON', { ...season([]), key: Buffer.from('{') }],
    ['no key', { ...season([]), key: null }],
    ['no season', record({ rnk: 1 }, { digest: DIGEST, rows: [] })],
    ['a season no calendar holds', season([], 9e15)],
    ['a value that is no JSON', { ...season([]), value: Buffer.from('{') }],
    ['a value that is no object', { ...season([]), value: Buffer.from('[1]') }],
    ['no rows', record({ season_start: SEASON }, { digest: DIGEST })],
    ['rows that are no list', record({ season_start: SEASON }, { digest: DIGEST, rows: { rnk: 1 } })],
    ['a row that is no object', rows([1])],
    ['a row without a rank', rows(team('x', 1))],
    ['a rank of zero', rows({ rnk: 0, ...team('x', 1) })],
    ['a rank that is text', rows({ rnk: '1', ...team('x', 1) })],
  ])('counts a record with %s as malformed and leaves the board alone', (_, malformed) => {
    const board = boardOf(topTeams, [season([team('a', 1)])]);
    expect(board.apply(malformed, NOW)).toBe('malformed');
    expect(standings(board)).toEqual(['1:a']);
  });

  it('counts an instant that is none as malformed', () => {
    const board = new Board(streakers);
    expect(board.apply(record({ season_start: 0 }, { digest: DIGEST, rows: [] }), NOW)).toBe('malformed');
    expect(board.apply(instant([], 1.5), NOW)).toBe('malformed');
  });

  it('shows nothing for a time that no calendar holds', () => {
    const columns = [{ name: 'peak_at', label: 'When', type: 'time' }];
    const dated = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns, bar: undefined });
    const rows = [{ peak_at: NOW }, { peak_at: 1e300 }, { peak_at: 'noon' }];
    const values = boardOf(dated, [season(rows)])
      .view(NOW)
      .rows.map((row) => row.values.get('peak_at'));
    expect(values).toEqual([NOW, undefined, undefined]);
  });

  it('shows nothing where a value is missing, or a number is none', () => {
    const board = boardOf(topTeams, [season([{ team_id: 'a' }, { ...team('b', 1), total_score: 'NaN' }])]);
    const values = board.view(NOW).rows.map((row) => row.values.get('total_score'));
    expect(values).toEqual([undefined, undefined]);
  });
});

describe('text in a topic', () => {
  const nameAt = (rank: number, board: Board) => board.view(NOW).rows[rank - 1]?.values.get('team_name');

  it('is cut when it is longer than any id or name, and rows that differ only beyond the cut stay apart', () => {
    const board = boardOf(topTeams, [
      season([team(`${'n'.repeat(10_000)}1`, 1), team(`${'n'.repeat(10_000)}2`, 1)]),
    ]);
    const [first, second] = board.view(NOW).rows;
    expect(String(nameAt(1, board)).length).toBe(512);
    expect(first?.id).not.toBe(second?.id);
  });

  it('is never cut within the 256 characters that ids and names may have, also where each takes two units', () => {
    const ids = ['\u{1F3C6}'.repeat(255), 'x'.repeat(255)].flatMap((stem) => [`${stem}a`, `${stem}b`]);
    const large = boardDefinition.parse({ ...TOP_TEAMS_JSON, size: 4 });
    const board = boardOf(large, [season(ids.map((id) => ({ team_id: id, team_name: id, total_score: 1 })))]);
    expect(ids.map((_, index) => nameAt(index + 1, board))).toEqual(ids);
  });

  it('has no half characters', () => {
    const board = boardOf(topTeams, [
      season([{ ...team('a', 1), team_name: `a\ud800${'\u{1F3C6}'.repeat(600)}` }]),
    ]);
    expect(String(nameAt(1, board)).isWellFormed()).toBe(true);
  });
});
