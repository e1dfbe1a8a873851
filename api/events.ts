import { z } from 'zod';
import { duration } from './duration.ts';
import { integer } from './integer.ts';

/** With at least one character that is not a dot: Kafka has no topics . and .. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]*[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/;

/** spec.events: where the game's events are. */
export const events = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(249)
    .regex(TOPIC_NAME, 'must be a Kafka topic name: letters, digits, . _ and -')
    .optional()
    .describe(
      'A topic of your own that holds the events; it is never created, changed or deleted. Unset: the topic <name>-user-score is managed.',
    ),
  partitions: integer(1, 1000)
    .default(3)
    .meta({
      'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'partitions may grow, never shrink' }],
    })
    .describe('Partitions of the managed topic. May grow, never shrink.'),
  retention: duration(
    'How long the managed topic keeps events, from 10m. At least twice the longest season, so that a restart can replay the open and the last season.',
    '10m',
    '999999d',
  ).default('24h'),
  deletionPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of the managed topic when the resource is deleted.'),
  maxLateness: duration(
    'How late an event may reach Kafka and still count in the streaks (the watermark’s delay), up to 1h. Totals count later ones too.',
    '1s',
    '1h',
  ).default('5s'),
});
