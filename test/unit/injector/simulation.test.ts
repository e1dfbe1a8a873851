import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduledEvent } from '../../../injector/event.ts';
import type { GameOptions } from '../../../injector/options.ts';
import { simulate } from '../../../injector/simulation.ts';
import { ARCADE, anyGame } from './options.ts';

const START = Date.UTC(2026, 10, 22, 19, 32);

function take(options: GameOptions, count: number, start = START): ScheduledEvent[] {
  const game = simulate(options, start);
  return Array.from({ length: count }, () => game.next().value);
}

describe('simulate', () => {
  it('plays the same game, byte for byte, from the same seed and start', () => {
    fc.assert(
      fc.property(anyGame, (game) => {
        expect(JSON.stringify(take(game, 300))).toBe(JSON.stringify(take(game, 300)));
      }),
    );
  });

  it('is not disturbed by another game that runs at the same time', () => {
    const game = simulate(ARCADE, START);
    const other = simulate({ ...ARCADE, seed: 2 }, START);
    const mixed = Array.from({ length: 1000 }, () => {
      other.next();
      return game.next().value;
    });
    expect(mixed).toEqual(take(ARCADE, 1000));
  });

  it('plays another game, with other players, from another seed', () => {
    const [one, two] = [1, 2].map(
      (seed) => new Set(take({ ...ARCADE, seed }, 2000).map((e) => e.event.user_id)),
    );
    expect(one?.isDisjointFrom(two as Set<string>)).toBe(true);
  });

  it('makes events as the topic wants them, in the order of their emission', () => {
    fc.assert(
      fc.property(anyGame, (game) => {
        let before = START;
        for (const { at, event } of take(game, 300)) {
          expect(at).toBeGreaterThanOrEqual(before);
          before = at;
          expect(Object.keys(event).join()).toBe(
            'user_id,team_id,team_name,score,event_time_millis,readable_time,event_type',
          );
          expect(event.user_id).toMatch(/^(USR|RBT)-[0-9A-Z]{7}$/);
          expect(event.team_id).toMatch(/^TEAM-[0-9A-Z]{7}$/);
          expect(event.team_name).toMatch(/^[A-Z][a-z]+( [A-Z][a-z]+)+$/);
          expect(Number.isInteger(event.score) && event.score >= 0 && event.score <= game.maxScore).toBe(
            true,
          );
          expect(event.readable_time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
          expect(Date.parse(`${event.readable_time.replace(' ', 'T')}Z`)).toBe(event.event_time_millis);
        }
      }),
    );
  });

  it('lets late events have happened within the given delays, and the others now', () => {
    fc.assert(
      fc.property(anyGame, (game) => {
        for (const { at, event } of take(game, 300)) {
          const delay = Math.floor(at) - event.event_time_millis;
          if (event.event_type === 'normal') expect(delay).toBe(0);
          else expect(delay >= game.lateMinMillis && delay <= game.lateMaxMillis).toBe(true);
        }
      }),
    );
  });

  it('makes the given share of events late', () => {
    const late = take(ARCADE, 100_000).filter(({ event }) => event.event_type === 'late').length;
    expect(late / 100_000).toBeGreaterThan(0.047);
    expect(late / 100_000).toBeLessThan(0.053);
  });

  it('plays at the given rate on average, robots included, also over generations of teams', () => {
    fc.assert(
      fc.property(anyGame, (game) => {
        const events = take({ ...game, liveTeams: Math.max(game.liveTeams, 3) }, 10_000);
        const seconds = ((events.at(-1)?.at ?? 0) - START) / 1000;
        expect(10_000 / seconds / game.eventsPerSecond).toBeGreaterThan(0.95);
        expect(10_000 / seconds / game.eventsPerSecond).toBeLessThan(1.05);
      }),
      { numRuns: 25 },
    );
  });

  it('lets every score from 0 to the highest happen', () => {
    const scores = new Set(take(ARCADE, 20_000).map(({ event }) => event.score));
    expect(scores.size).toBe(21);
  });

  it('lets robots play at one fixed gap, far more often than any person', () => {
    const hour = take({ ...ARCADE, robotProbability: 1 }, 360_000);
    const times = Map.groupBy(hour, ({ event }) => event.user_id);
    const gaps = new Set<number>();
    let mostByPerson = 0;
    let fewestByRobot = Number.POSITIVE_INFINITY;
    for (const [user, plays] of times) {
      const playsPerSecond = plays.length / (((plays.at(-1)?.at ?? 0) - (plays[0]?.at ?? 0)) / 1000);
      if (user.startsWith('RBT')) {
        plays.slice(1).forEach(({ at }, i) => {
          gaps.add(Math.round(at - (plays[i]?.at ?? 0)));
        });
        if (plays.length > 100) fewestByRobot = Math.min(fewestByRobot, playsPerSecond);
      } else if (plays.length > 100) mostByPerson = Math.max(mostByPerson, playsPerSecond);
    }
    expect(gaps.size).toBe(1);
    expect(fewestByRobot).toBeGreaterThan(2 * mostByPerson);
  });

  it('gives robots the part of all events that their pace makes', () => {
    const events = take({ ...ARCADE, robotProbability: 1 }, 50_000);
    const byRobots = events.filter(({ event }) => event.user_id.startsWith('RBT')).length;
    // One robot at five times the pace of a person, among ten people.
    expect(byRobots / events.length).toBeCloseTo(5 / 15, 2);
  });

  it('continues with the same game later when time is to pass', () => {
    const steady = take(ARCADE, 200);
    const game = simulate(ARCADE, START);
    const paused = steady.map((_, i) => game.next(i === 100 ? 60_000 : undefined).value);
    paused.forEach(({ at, event }, i) => {
      expect(at).toBeCloseTo((steady[i]?.at ?? 0) + (i >= 100 ? 60_000 : 0), 2);
      expect(event.user_id).toBe(steady[i]?.event.user_id);
      expect(event.score).toBe(steady[i]?.event.score);
    });
  });
});
