import { z } from 'zod';
import { KAFKA_VARIABLES, topic } from '../kafka/settings.ts';
import {
  describeFields,
  integer,
  number,
  type Parsed,
  parseEnvironment,
  serviceVariables,
} from '../lib/settings.ts';
import { REGISTRY_VARIABLES } from '../registry/settings.ts';

/** The process's environment. */
export type Settings = z.output<typeof schema>;

const schema = z
  .object({
    ...KAFKA_VARIABLES,
    EVENTS_TOPIC: topic('where to write, never created here'),
    ...REGISTRY_VARIABLES,
    SCHEMA_REGISTRY_URL: REGISTRY_VARIABLES.SCHEMA_REGISTRY_URL.optional().meta({
      description: 'Confluent’s API of a schema registry, to write Avro; unset, JSON',
    }),
    EVENTS_PER_SECOND: number(0.1, 50_000).meta({ description: 'events of all players together' }),
    LIVE_TEAMS: integer(1, 10_000).meta({ description: 'teams that play at any time' }),
    MEMBERS_MIN: integer(1, 100).meta({ description: 'people in the smallest team' }),
    MEMBERS_MAX: integer(1, 100).meta({ description: 'people in the largest team' }),
    MAX_SCORE: integer(0, 1_000_000).meta({ description: 'the highest score of one event' }),
    ROBOT_PROBABILITY: number(0, 1).meta({ description: 'the chance that a new team has a robot' }),
    LATE_SHARE: number(0, 1).meta({ description: 'the share of events that arrive late' }),
    LATE_MIN_MILLIS: integer(0, 86_400_000)
      .default(300_000)
      .meta({ description: 'the shortest delay of a late event' }),
    LATE_MAX_MILLIS: integer(0, 86_400_000)
      .default(600_000)
      .meta({ description: 'the longest delay of a late event' }),
    SEED: integer(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'plays the same game again; unset, a new one' }),
    ...serviceVariables(8081),
  })
  .refine(
    ({ MEMBERS_MIN, MEMBERS_MAX }) => !(MEMBERS_MIN > MEMBERS_MAX),
    notAbove('MEMBERS_MIN', 'MEMBERS_MAX'),
  )
  .refine(
    ({ LATE_MIN_MILLIS, LATE_MAX_MILLIS }) => !(LATE_MIN_MILLIS > LATE_MAX_MILLIS),
    notAbove('LATE_MIN_MILLIS', 'LATE_MAX_MILLIS'),
  );

/** Reads the settings from variables; an empty one is unset. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings> {
  return parseEnvironment(schema, env);
}

export const HELP = `Plays a simulated game and writes its events to Kafka.

Usage: node --disable-warning=TimeoutNegativeWarning injector/main.ts

Settings come from the environment:
${describeFields(schema)}
`;

function notAbove(smaller: string, larger: string) {
  // Checked even when other variables are wrong: all problems are reported at once.
  return { path: [smaller], error: `at most ${larger}`, when: () => true };
}
