import { describe, expect, it } from 'vitest';
import type { CountedEvent, Row } from '../../../testkit/oracle/oracle.ts';
import { GREATEST, Season, SUM } from '../../../testkit/truth/prefixes.ts';

const MEASURE = {
  holder: ({ user }: CountedEvent) => user,
  amount: ({ score }: CountedEvent) => score,
  holderColumn: 'user_id',
  fold: SUM,
  total: ({ total }: Row) => Number(total),
  lastEventColumn: 'last',
};

/** Each partition's events as `user score`, a millisecond apart. */
const PARTITIONS = [
  ['ann 5', 'bob 3', 'ann 2', 'cid 9'],
  ['dan 4', 'dan 4', 'eve 1'],
].map((events, p) =>
  events.map((text, i) => {
    const [user, score] = text.split(' ');
    return { user, score: Number(score), producedAt: 10 * p + i } as CountedEvent;
  }),
);

/** The three players with the highest totals. */
function board(events: CountedEvent[]): Row[] {
  return [...Map.groupBy(events, ({ user }) => user)]
    .map(([user_id, own]) => ({
      user_id,
      total: own.reduce((sum, { score }) => sum + score, 0),
      last: Math.max(...own.map(({ producedAt }) => producedAt)),
    }))
    .sort((a, b) => b.total - a.total || (a.user_id < b.user_id ? -1 : 1))
    .slice(0, 3);
}

const upTo = (...places: number[]) => PARTITIONS.flatMap((events, p) => events.slice(0, places[p]));
const find = (rows: Row[], hint = [0, 0]) => new Season(PARTITIONS, MEASURE).find(rows, board, hint);

describe('the places that a board is of', () => {
  it.each([0, 1, 2, 3, 4].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b])))(
    'are found of the first %i and %i events',
    (a, b) => {
      const rows = board(upTo(a, b));
      const places = find(rows);
      expect(board(upTo(...(places ?? [])))).toEqual(rows);
    },
  );

  it('are found before the hint too', () => {
    expect(find(board(upTo(1, 1)), [4, 3])).toEqual([1, 1]);
  });

  it('are found before the hint, however many places after it have the same totals', () => {
    const event = (user: string, producedAt: number) => ({ user, score: 1, producedAt }) as CountedEvent;
    const events = [event('ann', 0), ...Array.from({ length: 1000 }, (_, i) => event('bob', i + 1))];
    const leader = (played: CountedEvent[]) => board(played).slice(0, 1);
    expect(new Season([events], MEASURE).find(leader(events.slice(0, 1)), leader, [500])).toEqual([1]);
  });

  it.each([
    ['skips an event of a partition', [{ user_id: 'ann', total: 7, last: 2 }]],
    ['has a total that nobody ever had', [{ user_id: 'ann', total: 6, last: 2 }]],
    ['leaves out who was ahead', board(upTo(4, 3)).slice(1)],
    ['has two in the wrong order', board(upTo(3, 2)).toReversed()],
    ['has an older newest event than its total', [{ user_id: 'ann', total: 5, last: 2 }]],
  ])('are none when it %s', (_, rows) => {
    expect(find(rows)).toBeUndefined();
  });
});

describe('the places that a board of the best scores is of', () => {
  const best = (events: CountedEvent[]): Row[] =>
    [...Map.groupBy(events, ({ user }) => user)]
      .map(([user_id, own]) => ({
        user_id,
        total: Math.max(...own.map(({ score }) => score)),
        last: Math.max(...own.map(({ producedAt }) => producedAt)),
      }))
      .sort((a, b) => b.total - a.total || (a.user_id < b.user_id ? -1 : 1))
      .slice(0, 3);
  const findBest = (rows: Row[]) =>
    new Season(PARTITIONS, { ...MEASURE, fold: GREATEST }).find(rows, best, [0, 0]);

  it.each([0, 1, 2, 3, 4].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b])))(
    'are found of the first %i and %i events',
    (a, b) => {
      const rows = best(upTo(a, b));
      expect(best(upTo(...(findBest(rows) ?? [])))).toEqual(rows);
    },
  );

  it.each([
    ['has a score that came later', [{ user_id: 'cid', total: 9, last: 2 }]],
    ['has a score that nobody had', [{ user_id: 'ann', total: 4, last: 2 }]],
    ['leaves out who was ahead', best(upTo(4, 3)).slice(1)],
  ])('are none when it %s', (_, rows) => {
    expect(findBest(rows)).toBeUndefined();
  });
});
