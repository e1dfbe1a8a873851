import fc from 'fast-check';
import type { GameOptions } from '../../../injector/options.ts';

/** The demo's game. */
export const ARCADE: GameOptions = {
  eventsPerSecond: 100,
  liveTeams: 15,
  membersMin: 5,
  membersMax: 15,
  maxScore: 20,
  robotProbability: 0.2,
  lateShare: 0.05,
  lateMinMillis: 300_000,
  lateMaxMillis: 600_000,
  seed: 1,
};

/** Any game that the settings allow, small enough for a test. */
export const anyGame: fc.Arbitrary<GameOptions> = fc
  .record({
    eventsPerSecond: fc.double({ min: 0.1, max: 50_000, noNaN: true }),
    liveTeams: fc.integer({ min: 1, max: 30 }),
    members: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 })),
    maxScore: fc.integer({ min: 0, max: 1000 }),
    robotProbability: fc.double({ min: 0, max: 1, noNaN: true }),
    lateShare: fc.double({ min: 0, max: 1, noNaN: true }),
    late: fc.tuple(fc.integer({ min: 0, max: 600_000 }), fc.integer({ min: 0, max: 600_000 })),
    seed: fc.maxSafeNat(),
  })
  .map(({ members: [membersMin, more], late: [lateMinMillis, longer], ...rest }) => ({
    ...rest,
    membersMin,
    membersMax: membersMin + more,
    lateMinMillis,
    lateMaxMillis: lateMinMillis + longer,
  }));
