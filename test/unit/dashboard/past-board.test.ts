import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board } from '../../../dashboard/boards/board.ts';
import type { BoardDefinition } from '../../../dashboard/boards/definition.ts';
import { PastBoard } from '../../../dashboard/boards/past-board.ts';
import type { RawRecord } from '../../../dashboard/boards/record.ts';
import { allTime, HOUR, NOW, record, SEASON, streakers, topTeams } from './fixtures.ts';

const MINUTE = 60_000;

/** Team `id` at a rank of a season, written at `at`; no id, a tombstone. */
function write(at: number, rnk: number, id: string | null, season_start = SEASON): RawRecord {
  return record({ season_start, rnk }, id === null ? null : row(id), at);
}

const row = (id: string) => ({ team_id: id, team_name: id, total_score: 1 });

/** Takes a history backwards in stretches until it is settled; how many records that took beside the board. */
function readBack(definition: BoardDefinition, history: RawRecord[], at: number, stretch = 1) {
  const past = new PastBoard(definition, at);
  let end = history.length;
  while (end > 0 && !past.settled) {
    const start = Math.max(end - stretch, 0);
    past.take(history.slice(start, end));
    past.endStretch();
    end = start;
  }
  return { past, read: history.length - end, settled: past.settled };
}

function shown(definition: BoardDefinition, history: RawRecord[], at: number): string[] {
  const { rows } = readBack(definition, history, at).past.view();
  return rows.map(({ rank, values }) => `${rank}:${values.get('team_id') ?? values.get('user_id')}`);
}

describe('a board of the past', () => {
  const history = [
    write(SEASON + 1, 1, 'a'),
    write(SEASON + 2, 2, 'b'),
    write(SEASON + 3, 2, null),
    write(SEASON + 5, 2, 'c'),
    write(SEASON + 7, 1, 'd'),
  ];

  it.each([
    [0, []],
    [1, ['1:a']],
    [2, ['1:a', '2:b']],
    [3, ['1:a']],
    [4, ['1:a']],
    [5, ['1:a', '2:c']],
    [7, ['1:d', '2:c']],
    [9999, ['1:d', '2:c']],
  ])('has the last write to each rank up to %i ms into the season', (at, rows) => {
    expect(shown(topTeams, history, SEASON + at)).toEqual(rows);
  });

  it('says when it was last written to, and nothing before the first write', () => {
    expect(readBack(topTeams, history, SEASON + 6).past.view().updatedMillis).toBe(SEASON + 5);
    expect(readBack(topTeams, history, SEASON).past.view().updatedMillis).toBeNull();
  });

  it('passes over ranks beyond the size, and what is malformed: the write before it stands', () => {
    const broken = { ...write(SEASON + 9, 1, 'x'), value: Buffer.from('{') };
    expect(shown(topTeams, [...history, write(SEASON + 8, 4, 'far'), broken], NOW)).toEqual(['1:d', '2:c']);
  });

  it('is settled once each rank was met, vacant or not', () => {
    const full = [write(SEASON, 3, 'old'), ...history, write(SEASON + 8, 3, null)];
    expect(readBack(topTeams, full, NOW)).toMatchObject({ settled: true, read: 3 });
  });

  it('is settled with ranks never met once the season had not yet begun', () => {
    const before = [
      write(SEASON - 9 * MINUTE, 1, 'z', SEASON - HOUR),
      write(SEASON - 8 * MINUTE, 2, 'y', SEASON - HOUR),
    ];
    expect(readBack(topTeams, [...before, ...history], NOW)).toMatchObject({ settled: true, read: 6 });
    expect(shown(topTeams, [...before, ...history], NOW)).toEqual(['1:d', '2:c']);
  });

  it('is not settled by an older season that was written to last', () => {
    const late = [1, 2, 3].map((rnk) => write(SEASON + 20 + rnk, rnk, `late-${rnk}`, SEASON - HOUR));
    expect(shown(topTeams, [...history, ...late], NOW)).toEqual(['1:d', '2:c']);
  });

  it('shows the season before while a new one has no rows, or has lost them', () => {
    const last = [1, 2, 3].map((rnk) => write(SEASON - 20 + rnk, rnk, `last-${rnk}`, SEASON - HOUR));
    const rows = ['1:last-1', '2:last-2', '3:last-3'];
    expect(shown(topTeams, last, NOW)).toEqual(rows);
    expect(shown(topTeams, [...last, write(SEASON + 1, 1, 'a'), write(SEASON + 2, 1, null)], NOW)).toEqual(
      rows,
    );
    expect(readBack(topTeams, last, NOW).past.view().period).toMatchObject({
      startMillis: SEASON - HOUR,
      over: true,
    });
  });

  it('knows a season that had not begun only once it has', () => {
    const early = [...history, write(SEASON + HOUR - 10, 1, 'early', SEASON + HOUR)];
    expect(shown(topTeams, early, SEASON + HOUR - 5)).toEqual(['1:d', '2:c']);
    expect(shown(topTeams, early, SEASON + HOUR)).toEqual(['1:early']);
  });

  it('has what a clock that runs ahead wrote before the season began', () => {
    const early = [
      write(SEASON - 30_000, 1, 'early'),
      write(SEASON - 20_000, 3, 'last', SEASON - HOUR),
      write(SEASON + 1, 2, 'b'),
    ];
    expect(shown(topTeams, early, NOW)).toEqual(['1:early', '2:b']);
  });

  it('has only rows of the newest instant', () => {
    const hot = (at: number, rnk: number, user_id: string) =>
      record({ rnk }, { user_id, as_of: at, peak_hotness: 1 }, at + 1);
    const history = [
      hot(NOW - 5000, 1, 'a'),
      hot(NOW - 5000, 2, 'b'),
      hot(NOW - 5000, 3, 'c'),
      hot(NOW, 1, 'd'),
    ];
    expect(shown(streakers, history, NOW)).toEqual(['1:a', '2:b', '3:c']);
    expect(shown(streakers, history, NOW + 1)).toEqual(['1:d']);
  });

  it('without seasons is settled only when each rank was met', () => {
    const forEver = (at: number, rnk: number, id: string) => record({ rnk }, row(id), at);
    const history = [forEver(1, 3, 'c'), forEver(2, 1, 'a'), forEver(NOW, 2, 'b')];
    expect(readBack(allTime, history, NOW)).toMatchObject({ settled: true, read: 3 });
    expect(readBack(allTime, history.slice(1), NOW).settled).toBe(false);
  });
});

/** Writes in order of their times, up to half a minute before their season begins. */
const seasonal = fc
  .array(
    fc.tuple(
      fc.nat(3 * HOUR),
      fc.integer({ min: 1, max: 4 }),
      fc.option(fc.constantFrom('a', 'b', 'c')),
      fc.nat(2),
    ),
  )
  .map((writes) =>
    writes
      .toSorted(([a], [b]) => a - b)
      .map(([at, rank, id, back]) => {
        const begun = SEASON + HOUR * Math.floor((at + MINUTE / 2) / HOUR);
        return write(SEASON + at, rank, id, begun - back * HOUR);
      }),
  );

const instants = fc
  .array(fc.tuple(fc.nat(20 * MINUTE), fc.integer({ min: 1, max: 4 }), fc.constantFrom('a', 'b', 'c')))
  .map((writes) =>
    writes
      .toSorted(([a], [b]) => a - b)
      .map(([at, rnk, user_id]) =>
        record({ rnk }, { user_id, as_of: NOW + at - (at % 5000), peak_hotness: 1 }, NOW + at),
      ),
  );

describe('a board of the past, read backwards and no further than needed,', () => {
  it.each([
    ['seasons', topTeams, seasonal, SEASON, 4 * HOUR],
    ['instants', streakers, instants, NOW, 30 * MINUTE],
  ] as const)('is the board that was live then: %s', (_, definition, histories, start, length) => {
    fc.assert(
      fc.property(histories, fc.nat(length), fc.integer({ min: 1, max: 9 }), (history, after, stretch) => {
        const at = start + after;
        const live = new Board(definition);
        for (const one of history) if (one.timestampMillis <= at) live.apply(one, at);
        expect(readBack(definition, history, at, stretch).past.view()).toEqual(live.view(at));
      }),
      { numRuns: 500 },
    );
  });
});
