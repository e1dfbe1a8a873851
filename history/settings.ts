import { z } from 'zod';
import { keptBoards } from '../contract/history.ts';
import { KAFKA_VARIABLES, topic } from '../kafka/settings.ts';
import { describeFields, json, type Parsed, parseEnvironment, serviceVariables } from '../lib/settings.ts';

/** The process's environment. */
export type Settings = z.output<typeof schema>;

const schema = z.object({
  ...KAFKA_VARIABLES,
  HISTORY_BOARDS: json('a JSON array of boards')
    .pipe(keptBoards)
    .meta({ description: 'the boards, with the topics of their changes' }),
  PLAYERS_TOPIC: topic('the topic of players that are erased; unset, nobody is').optional(),
  ...serviceVariables(8083),
});

/** Reads the settings from variables; an empty one is unset. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings> {
  return parseEnvironment(schema, env);
}

export const HELP = `Keeps the changes of boards in topics of their own, without players that are erased.

Usage: node --disable-warning=TimeoutNegativeWarning history/main.ts

Settings come from the environment:
${describeFields(schema)}
`;
