import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedEvents } from '../../../testkit/oracle/oracle.ts';
import { type Stream, streams } from '../../../testkit/streams/streams.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 12, 4);
const RUNS = { numRuns: 200 };
const options = { start: START, partitions: 3, idle: 1, prefix: 'p-' };

describe('a generated stream', () => {
  it.each([false, true])('has, of what counts, exactly what it says; with corrections: %s', (corrections) => {
    fc.assert(
      fc.property(streams({ ...options, corrections }), ({ messages, plays }) => {
        const records = messages.map(({ value, timestamp }) => ({ value, producedAt: timestamp }));
        expect(countedEvents(records, { corrections })).toEqual(plays);
      }),
      RUNS,
    );
  });

  it('begins at its start, ascends, and ends before a whole minute', () => {
    fc.assert(
      fc.property(streams(options), ({ messages, end }) => {
        const times = [START, ...messages.map(({ timestamp }) => timestamp), end];
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(end % MINUTE).toBe(0);
      }),
      RUNS,
    );
  });

  it('leaves the idle partition alone', () => {
    const many = fc.sample(streams(options), RUNS).flatMap(({ messages }) => messages);
    expect(new Set(many.map(({ partition }) => partition))).toEqual(new Set([0, 2]));
  });

  it('keeps every total within its limit', () => {
    const limits = fc.constantFrom(0, 1000, 2 ** 31, Number.MAX_SAFE_INTEGER);
    const limited = fc.tuple(limits, fc.boolean()).chain(([maxTotal, corrections]) =>
      fc.record({
        maxTotal: fc.constant(maxTotal),
        stream: streams({ ...options, maxTotal, corrections }),
      }),
    );
    fc.assert(
      fc.property(limited, ({ maxTotal, stream }) => {
        for (const holder of ['user', 'team'] as const)
          for (const total of totals(stream, holder).values())
            expect(total < 0n ? -total : total).toBeLessThanOrEqual(BigInt(maxTotal));
      }),
      RUNS,
    );
  });

  it('has ids of its own', () => {
    for (const { plays } of fc.sample(streams(options), 20))
      for (const { user, team } of plays) expect([user, team].every((id) => id.startsWith('p-'))).toBe(true);
  });
});

describe('generated streams, taken together, have', () => {
  const sample = fc.sample(streams({ start: START }), { numRuns: 200, seed: 1 });
  const plays = sample.flatMap((stream) => stream.plays);
  const lateness = plays.map(({ time, producedAt }) => producedAt - time);

  it.each<[string, () => number]>([
    ['players who play far more than others', () => sample.filter(isSkewed).length],
    ['totals of teams that tie', () => sample.filter((stream) => ties(totals(stream, 'team'))).length],
    ['totals of players that tie', () => sample.filter((stream) => ties(totals(stream, 'user'))).length],
    [
      'events late, but not too late for the streaks',
      () => lateness.filter((l) => l > 2_000 && l < 5_000).length,
    ],
    ['events at the very border of that', () => lateness.filter((l) => l === 5_000).length],
    ['events too late for the streaks', () => lateness.filter((l) => l > 5_000).length],
    ['events late by seasons', () => lateness.filter((l) => l > 10 * MINUTE).length],
    ['events from clocks that are ahead', () => lateness.filter((l) => l < -MINUTE).length],
    ['records that are there again', () => sample.filter(hasCopies).length],
    ['events that do not count', () => sample.filter((s) => s.messages.length > s.plays.length).length],
    ['teams that were renamed', () => sample.filter(hasRenamed).length],
    ['teams that have no name', () => plays.filter(({ teamName }) => teamName === null).length],
    ['players of two teams', () => sample.filter(hasTransfer).length],
    ['ids whose order differs in UTF-8 and in UTF-16', () => sample.filter(hasOtherOrder).length],
    ['totals beyond 32 bits', () => sample.filter((s) => largest(s) > 2n ** 31n).length],
    ['totals at the end of the exact range', () => sample.filter((s) => largest(s) > 2n ** 52n).length],
    ['several seasons of a minute', () => sample.filter((s) => s.end - START > 5 * MINUTE).length],
  ])('%s', (_, occurrences) => {
    expect(occurrences()).toBeGreaterThanOrEqual(3);
  });
});

it('generated streams with corrections have totals below 0, and players with more than their team', () => {
  const sample = fc.sample(streams({ start: START, corrections: true }), { numRuns: 50, seed: 1 });
  const below = sample.filter((stream) => [...totals(stream, 'user').values()].some((total) => total < 0n));
  expect(below.length).toBeGreaterThan(10);
  const carried = sample.filter(({ plays }) =>
    [...Map.groupBy(plays, ({ team }) => team).values()].some((own) => {
      const ofTeam = totals({ plays: own }, 'team').values().next().value ?? 0n;
      return ofTeam > 0n && [...totals({ plays: own }, 'user').values()].some((total) => total > ofTeam);
    }),
  );
  expect(carried.length).toBeGreaterThan(10);
});

function totals({ plays }: Pick<Stream, 'plays'>, holder: 'user' | 'team'): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const play of plays) found.set(play[holder], (found.get(play[holder]) ?? 0n) + BigInt(play.score));
  return found;
}

function ties(found: Map<string, bigint>): boolean {
  const positive = [...found.values()].filter((total) => total > 0n);
  return new Set(positive).size < positive.length;
}

function largest(stream: Stream): bigint {
  return [...totals(stream, 'user').values()].reduce((most, total) => (total > most ? total : most), 0n);
}

/** The busiest quarter of the players plays at least half of what is played. */
function isSkewed({ plays }: Stream): boolean {
  const counts = [...Map.groupBy(plays, ({ user }) => user).values()].map((own) => own.length);
  const busiest = counts.sort((a, b) => b - a).slice(0, Math.ceil(counts.length / 4));
  return counts.length >= 8 && busiest.reduce((sum, count) => sum + count, 0) >= plays.length / 2;
}

function hasCopies({ messages }: Stream): boolean {
  return new Set(messages).size < messages.length;
}

function hasRenamed({ plays }: Stream): boolean {
  const names = Map.groupBy(plays, ({ team }) => team).values();
  return [...names].some((own) => new Set(own.map(({ teamName }) => teamName)).size > 1);
}

function hasTransfer({ plays }: Stream): boolean {
  const teams = Map.groupBy(plays, ({ user }) => user).values();
  return [...teams].some((own) => new Set(own.map(({ team }) => team)).size > 1);
}

function hasOtherOrder({ plays }: Stream): boolean {
  const users = [...new Set(plays.map(({ user }) => user))];
  const byUnits = users.toSorted((a, b) => (a < b ? -1 : 1));
  const byBytes = users.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return byUnits.some((user, i) => user !== byBytes[i]);
}
