import { z } from 'zod';
import { celSeconds, duration, millis } from './duration.ts';
import { integer } from './integer.ts';
import { resources } from './resources.ts';
import { withRules } from './rule.ts';

const range = withRules(
  z.strictObject({
    min: integer(1, 100).default(5).describe('Members of the smallest team.'),
    max: integer(1, 100).default(15).describe('Members of the largest team.'),
  }),
  [
    {
      cel: 'self.min <= self.max',
      message: 'min must not be above max',
      holds: ({ min, max }) => min <= max,
    },
  ],
);

const lateEvents = withRules(
  z.strictObject({
    share: z.number().min(0).max(1).default(0.02).describe('Share of events that arrive late, from 0 to 1.'),
    minDelay: duration('Least delay of a late event.', '0s', '1d').default('5m'),
    maxDelay: duration('Greatest delay of a late event, up to 1d.', '0s', '1d').default('10m'),
  }),
  [
    {
      cel: `${celSeconds('self.minDelay')} <= ${celSeconds('self.maxDelay')}`,
      message: 'minDelay must not be above maxDelay',
      holds: ({ minDelay, maxDelay }) => millis(minDelay) <= millis(maxDelay),
    },
  ],
);

/**
 * spec.injector: the simulated game. Where an object has rules, its default names what they read: the API
 * server judges a default as it stands, before the defaults within.
 */
export const injector = z.strictObject({
  eventsPerSecond: z.number().min(0.1).max(50_000).default(20).describe('Mean rate of all events together.'),
  liveTeams: integer(1, 10_000).default(15).describe('Teams that play at any time.'),
  membersPerTeam: range.prefault({ min: 5, max: 15 }).describe('How many players a team has.'),
  maxScore: integer(1, 1_000_000).default(20).describe('Greatest score of one event.'),
  robotProbability: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Chance that a new team has a robot, which plays at a steady high rate.'),
  lateEvents: lateEvents
    .prefault({ minDelay: '5m', maxDelay: '10m' })
    .describe('Events that arrive long after they happened.'),
  allowOwnTopic: z
    .boolean()
    .default(false)
    .describe(
      'Must be true where events.topic is set: the simulated events are then written to that topic of your own, among those of a real game.',
    ),
  seed: integer(0, 4_294_967_295)
    .optional()
    .describe('The same seed gives the same sequence of events. Unset: another game each time.'),
  // Measured: 132 MB and 4 % of a core at the default rate, 275 MB and 72 % at the greatest.
  resources: resources({ requests: { cpu: '50m', memory: '192Mi' }, limits: { memory: '512Mi' } }).describe(
    'Resources of the injector’s container. Unset: 50m and 192Mi requested, 512Mi at most, by what it was measured to take; at 50,000 events/s it takes 720m. What is set replaces all of that.',
  ),
});
