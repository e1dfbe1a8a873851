import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BoardDefinition, boardDefinition } from '../../../contract/board.ts';
import { GAP } from '../../../contract/history.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import { PastBoard } from '../../../dashboard/boards/past-board.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import {
  allTime,
  HOUR,
  instant,
  NOW,
  player,
  record,
  SEASON,
  season,
  streakers,
  TOP_TEAMS_JSON,
  team,
  tombstone,
  topTeams,
} from './fixtures.ts';

const MINUTE = 60_000;
const LAST = SEASON - HOUR;

/** A season's board, written at `at`. */
const write = (at: number, ids: string[], start = SEASON) =>
  season(
    ids.map((id) => team(id, 1)),
    start,
    at,
  );

const gap = (at: number): KafkaRecord => ({
  key: Buffer.from(GAP.key),
  value: Buffer.from(GAP.value),
  timestampMillis: at,
});

/**
 * Takes a history backward in chunks until nothing older matters; how many records that took in addition to
 * the board.
 */
function readBack(definition: BoardDefinition, history: KafkaRecord[], at: number, chunk = 1) {
  const past = new PastBoard(definition, at);
  let end = history.length;
  while (end > 0 && !past.isComplete && !past.hasGap) {
    const start = Math.max(end - chunk, 0);
    past.consume(history.slice(start, end));
    past.endChunk();
    end = start;
  }
  return { past, read: history.length - end, isComplete: past.isComplete };
}

function shown(definition: BoardDefinition, history: KafkaRecord[], at: number): string[] {
  const { rows } = readBack(definition, history, at).past.view();
  return rows.map(({ rank, values }) => `${rank}:${values.get('team_id') ?? values.get('user_id')}`);
}

describe('a board of the past', () => {
  const history = [
    write(SEASON + 1, ['a']),
    write(SEASON + 2, ['a', 'b']),
    write(SEASON + 3, ['a']),
    tombstone(SEASON, SEASON + 5),
    write(SEASON + 7, ['d', 'c']),
  ];

  it.each([
    [0, []],
    [1, ['1:a']],
    [2, ['1:a', '2:b']],
    [4, ['1:a']],
    [6, []],
    [7, ['1:d', '2:c']],
    [9999, ['1:d', '2:c']],
  ])('is the last record up to %i ms into the season', (at, rows) => {
    expect(shown(topTeams, history, SEASON + at)).toEqual(rows);
  });

  it('takes one record when that is of the running season', () => {
    expect(readBack(topTeams, history, NOW)).toMatchObject({ read: 1, isComplete: true });
  });

  it('says when it was last written to, and nothing before the first record', () => {
    expect(readBack(topTeams, history, SEASON + 6).past.view().updatedMillis).toBe(SEASON + 5);
    expect(readBack(topTeams, history, SEASON).past.view().updatedMillis).toBeUndefined();
  });

  it('passes over what is malformed or of another definition: the record before it stands', () => {
    const broken = { ...write(SEASON + 9, ['x']), value: Buffer.from('{') };
    const foreign = record({ season_start: SEASON }, { digest: 'd2', rows: [] }, SEASON + 9);
    expect(shown(topTeams, [...history, broken, foreign], NOW)).toEqual(['1:d', '2:c']);
    expect(readBack(topTeams, [foreign], NOW).past.view().updatedMillis).toBeUndefined();
  });

  it('is not that of an older season that was written to last', () => {
    const late = write(SEASON + 20, ['late'], LAST);
    expect(shown(topTeams, [...history, late], NOW)).toEqual(['1:d', '2:c']);
    expect(readBack(topTeams, [...history, late], NOW).past.view().updatedMillis).toBe(SEASON + 20);
  });

  it('is that of the season before while a new one has no record, and not once the new one has lost its rows', () => {
    const last = [write(SEASON - 9 * MINUTE, ['z'], LAST), write(SEASON - 20, ['last'], LAST)];
    expect(readBack(topTeams, last, NOW)).toMatchObject({ read: 2, isComplete: true });
    expect(shown(topTeams, last, NOW)).toEqual(['1:last']);
    expect(readBack(topTeams, last, NOW).past.view().period).toMatchObject({ startMillis: LAST, over: true });
    expect(shown(topTeams, [...last, tombstone(SEASON, SEASON + 1)], NOW)).toEqual([]);
  });

  it('knows a season that had not begun only once it has', () => {
    const early = [...history, write(SEASON + HOUR - 10, ['early'], SEASON + HOUR)];
    expect(shown(topTeams, early, SEASON + HOUR - 5)).toEqual(['1:d', '2:c']);
    expect(shown(topTeams, early, SEASON + HOUR)).toEqual(['1:early']);
  });

  it('has what a clock that runs ahead wrote before the season began', () => {
    const early = [write(SEASON - 30_000, ['early']), write(SEASON - 20_000, ['last'], LAST)];
    expect(shown(topTeams, early, NOW)).toEqual(['1:early']);
  });

  it('is that of the newest season also when nobody knows how long seasons last', () => {
    const endless = boardDefinition.parse({
      ...TOP_TEAMS_JSON,
      period: { kind: 'season' },
    });
    const records = [write(SEASON - MINUTE, ['z'], LAST), write(SEASON, ['new']), write(NOW, ['late'], LAST)];
    expect(shown(endless, records, NOW)).toEqual(['1:new']);
  });

  it('is that of the newest instant, also when a restored job computed earlier ones again', () => {
    const records = [
      instant([player('a')], NOW - 10_000),
      instant([player('b')], NOW - 5000),
      instant([player('again')], NOW - 10_000, NOW - 1000),
    ];
    expect(shown(streakers, records, NOW)).toEqual(['1:b']);
    expect(readBack(streakers, records, NOW).past.view().updatedMillis).toBe(NOW - 5000);
    expect(shown(streakers, records, NOW - 6000)).toEqual(['1:a']);
  });

  it.each([
    ['before the gap', NOW - 1000, { isComplete: true, hasGap: false }, ['1:a']],
    ['in it', NOW - 500, { isComplete: false, hasGap: true }, []],
    ['after it', NOW, { isComplete: true, hasGap: false }, ['1:b']],
  ])('is known %s as far as no changes are missing', (_, at, known, rows) => {
    const records = [write(NOW - 1000, ['a']), gap(NOW - 999), write(NOW, ['b'])];
    const { past } = readBack(topTeams, records, at);
    expect({ isComplete: past.isComplete, hasGap: past.hasGap }).toEqual(known);
    expect(shown(topTeams, records, at)).toEqual(rows);
  });

  it('is not known where a newer season may have been written to in a gap, in whatever chunks it is read', () => {
    const records = [write(SEASON, ['new']), gap(SEASON + 1), write(SEASON + 2, ['late'], LAST)];
    for (const chunk of [1, 2, 3]) {
      const { past } = readBack(topTeams, records, NOW, chunk);
      expect({ isComplete: past.isComplete, hasGap: past.hasGap }).toEqual({
        isComplete: false,
        hasGap: true,
      });
    }
  });

  it('with a season that never ends is the last record', () => {
    const endless = boardDefinition.parse({ ...TOP_TEAMS_JSON, period: { kind: 'season' } });
    const records = [season([team('a', 1)], 0, 1), season([team('b', 1)], 0, 2)];
    expect(readBack(endless, records, NOW)).toMatchObject({ read: 1, isComplete: true });
  });

  it('without seasons is the last record', () => {
    const records = [season([team('a', 1)], 0, 1), season([team('b', 1)], 0, 2)];
    expect(readBack(allTime, records, NOW)).toMatchObject({ read: 1, isComplete: true });
    expect(shown(allTime, records, 1)).toEqual(['1:a']);
  });
});

/** Boards in order of their times, up to half a minute before their season begins. */
const seasonal = fc
  .array(
    fc.tuple(
      fc.nat(3 * HOUR),
      fc.option(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))),
      fc.nat(2),
      fc.constantFrom('d1', 'd1', 'd1', 'd2'),
    ),
  )
  .map((writes) =>
    writes
      .toSorted(([a], [b]) => a - b)
      .map(([at, ids, back, digest]) => {
        const begun = SEASON + HOUR * Math.floor((at + MINUTE / 2) / HOUR);
        const rows = ids?.map((id, index) => ({ rnk: index + 1, ...team(id, 1) }));
        return record({ season_start: begun - back * HOUR }, rows ? { digest, rows } : null, SEASON + at);
      }),
  );

/** Boards of instants, some of which are computed again. */
const instants = fc
  .array(
    fc.tuple(fc.nat(20 * MINUTE), fc.constantFrom(0, 0, 0, 5000, 2 * MINUTE), fc.constantFrom('a', 'b', 'c')),
  )
  .map((writes) =>
    writes
      .toSorted(([a], [b]) => a - b)
      .map(([at, back, id]) => instant([player(id)], NOW + at - (at % 5000) - back, NOW + at)),
  );

describe('a board of the past, read backward and no further than needed,', () => {
  it.each([
    ['seasons', topTeams, seasonal, SEASON, 4 * HOUR],
    ['instants', streakers, instants, NOW, 30 * MINUTE],
  ] as const)('is the board that was live then: %s', (_, definition, histories, start, length) => {
    fc.assert(
      fc.property(histories, fc.nat(length), fc.integer({ min: 1, max: 9 }), (history, after, chunk) => {
        const at = start + after;
        const live = new Board(definition);
        for (const one of history) if (one.timestampMillis <= at) live.apply(one, one.timestampMillis);
        expect(readBack(definition, history, at, chunk).past.view()).toEqual(live.view(at));
      }),
      { numRuns: 500 },
    );
  });
});
