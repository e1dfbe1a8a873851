import { z } from 'zod';
import { closingBoards, resultSource } from '../contract/results.ts';
import { KAFKA_VARIABLES, topic } from '../kafka/settings.ts';
import { API_SERVER_VARIABLES } from '../lib/api-server.ts';
import {
  describeFields,
  integer,
  json,
  type Parsed,
  parseEnvironment,
  serviceVariables,
} from '../lib/settings.ts';

/** The process's environment. */
export type Settings = z.output<typeof schema>;

const schema = z.object({
  ...KAFKA_VARIABLES,
  RESULTS_SOURCE: json('a JSON object with namespace and name')
    .pipe(resultSource)
    .meta({ description: 'the resource whose results they are' }),
  RESULTS_BOARDS: json('a JSON array of boards')
    .pipe(closingBoards)
    .meta({ description: 'the boards, and the consumer group in which the job reads the events of each' }),
  RESULTS_TOPIC: topic('where to write, never created here'),
  PLAYERS_TOPIC: topic('the topic of players that are hidden; unset, nobody is').optional(),
  EVENTS_TOPIC: topic('the topic of the events, which is asked for offsets and not read'),
  EVENTS_KEPT_MILLIS: integer(1, Number.MAX_SAFE_INTEGER).optional().meta({
    description:
      'how long events are kept from which a job without state recomputes; unset, the job has durable state',
  }),
  ...API_SERVER_VARIABLES,
  KUBERNETES_API_SERVER: API_SERVER_VARIABLES.KUBERNETES_API_SERVER.optional().meta({
    description: 'Kubernetes’ API server, for the status of the resource; unset, it gets none',
  }),
  ...serviceVariables(8082),
});

/** Reads the settings from variables; an empty one is unset. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings> {
  return parseEnvironment(schema, env);
}

export const HELP = `Writes the final board of each season to a topic, once.

Usage: node --disable-warning=TimeoutNegativeWarning results/main.ts

Settings come from the environment:
${describeFields(schema)}
`;
