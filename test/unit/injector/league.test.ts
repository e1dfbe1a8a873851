import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { League } from '../../../injector/league.ts';
import { Random } from '../../../injector/random.ts';
import type { Team } from '../../../injector/team.ts';
import { ARCADE, anyGame } from './options.ts';

const MINUTE = 60_000;

/**
 * Every team of the first `hours`, with the times at which it came (undefined: it was there first) and went.
 */
function watch(league: League, hours: number): Map<Team, { from?: number; to?: number }> {
  const seen = new Map<Team, { from?: number; to?: number }>(league.teams.map((team) => [team, {}]));
  while (league.nextEnd < hours * 60 * MINUTE) {
    const now = league.nextEnd;
    league.replaceEnded(now);
    const live = new Set(league.teams);
    for (const [team, life] of seen) if (!live.has(team)) life.to ??= now;
    for (const team of live) if (!seen.has(team)) seen.set(team, { from: now });
  }
  return seen;
}

describe('League', () => {
  it('always has the same number of teams, of allowed sizes', () => {
    fc.assert(
      fc.property(anyGame, fc.integer({ min: 1, max: 300 }), (game, minutes) => {
        const league = new League(game, new Random(game.seed));
        league.replaceEnded(minutes * MINUTE);
        expect(league.teams.length).toBe(game.liveTeams);
        for (const { people } of league.teams) {
          expect(people.length >= game.membersMin && people.length <= game.membersMax).toBe(true);
        }
      }),
    );
  });

  it('lets a team live for 20 to 40 minutes, and the first ones end at different times', () => {
    const lives = [...watch(new League(ARCADE, new Random(5)), 5).values()];
    const full = lives.flatMap(({ from, to }) => (from !== undefined && to !== undefined ? [to - from] : []));
    expect(full.length).toBeGreaterThan(100);
    expect(Math.min(...full)).toBeGreaterThanOrEqual(20 * MINUTE);
    expect(Math.max(...full)).toBeLessThanOrEqual(40 * MINUTE);
    const first = lives.filter(({ from }) => from === undefined).map(({ to }) => to ?? 0);
    expect(Math.min(...first)).toBeLessThan(10 * MINUTE);
    expect(Math.max(...first)).toBeGreaterThan(20 * MINUTE);
  });

  it('never gives an id twice', () => {
    const teams = [...watch(new League({ ...ARCADE, robotProbability: 0.5 }, new Random(9)), 24).keys()];
    const ids = teams.flatMap(({ id, people, robot }) => [
      id,
      ...people.map((person) => person.userId),
      ...(robot ? [robot.userId] : []),
    ]);
    expect(ids.length).toBeGreaterThan(5000);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('does not let two live teams have the same name while there are names left', () => {
    const league = new League({ ...ARCADE, liveTeams: 100 }, new Random(3));
    for (let hour = 1; hour <= 10; hour++) {
      league.replaceEnded(hour * 60 * MINUTE);
      expect(new Set(league.teams.map(({ name }) => name)).size).toBe(100);
    }
  });

  it('gives a robot to about as many teams as asked for, and to none or all at 0 and 1', () => {
    const shareOfRobots = (robotProbability: number) => {
      const teams = [...watch(new League({ ...ARCADE, robotProbability }, new Random(4)), 40).keys()];
      return teams.filter(({ robot }) => robot !== undefined).length / teams.length;
    };
    expect(shareOfRobots(0)).toBe(0);
    expect(shareOfRobots(0.2)).toBeCloseTo(0.2, 1);
    expect(shareOfRobots(1)).toBe(1);
  });

  it('always leaves something to people, however many robots there are', () => {
    fc.assert(
      fc.property(anyGame, (game) => {
        const league = new League(game, new Random(game.seed));
        for (let hour = 0; hour < 5; hour++) {
          league.replaceEnded(hour * 60 * MINUTE);
          const peoplePerSecond = 1000 / league.peopleGapMillis;
          expect(peoplePerSecond / game.eventsPerSecond).toBeGreaterThan(0.099);
          expect(peoplePerSecond / game.eventsPerSecond).toBeLessThan(1.000001);
        }
      }),
    );
  });
});
