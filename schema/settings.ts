import { z } from 'zod';
import { schemaUse } from '../api/schema-columns.ts';
import { API_SERVER_VARIABLES } from '../lib/api-server.ts';
import {
  describeFields,
  json,
  type Parsed,
  parseEnvironment,
  serviceVariables,
  text,
} from '../lib/settings.ts';
import { REGISTRY_VARIABLES } from '../registry/settings.ts';

/** The process's environment. */
export type Settings = z.output<typeof schema>;

const schema = z.object({
  ...REGISTRY_VARIABLES,
  SCHEMA_RESOURCE: json('a JSON object with namespace and name')
    .pipe(z.strictObject({ namespace: z.string(), name: z.string() }))
    .meta({ description: 'the resource whose records have the schema' }),
  SCHEMA_SUBJECT: text('the name of a subject').meta({ description: 'the subject of the schema' }),
  SCHEMA_USE: json('a JSON object with names and needed')
    .pipe(schemaUse)
    .meta({ description: 'what the resource uses of the schema' }),
  SCHEMA_DIGEST: text('a digest').meta({ description: 'tells what is found for this spec from other finds' }),
  ...API_SERVER_VARIABLES,
  ...serviceVariables(8083),
});

/** Reads the settings from variables; an empty one is unset. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Parsed<Settings> {
  return parseEnvironment(schema, env);
}

export const HELP = `Reads the newest schema of the events, and writes the columns that a resource uses to its status.

Usage: node schema/main.ts

Settings come from the environment:
${describeFields(schema)}
`;
