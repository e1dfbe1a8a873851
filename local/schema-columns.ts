import { AvroSchemaError } from '../api/avro-columns.ts';
import { type GameAnalytics, needsSchema } from '../api/gameanalytics.ts';
import type { Parsed } from '../api/parse.ts';
import { chooseColumns, findSchemaUse, withColumns } from '../api/schema-columns.ts';
import { registrySecrets, registryUrl, schemaSubject } from '../plan/schema-registry.ts';
import { readLatestSchema } from '../registry/schema-registry.ts';
import { secretFolder } from './kafka/secrets.ts';
import type { Report } from './process/report.ts';
import { UserError } from './process/user-error.ts';

/** The schema that has a resource's columns cannot be read. */
export class NoSchemaError extends UserError {
  /** As words after "waiting for". */
  readonly missing: string;

  constructor(missing: string) {
    super(`events.columns is not set, which needs ${missing}`);
    this.missing = missing;
  }
}

/**
 * A resource with the columns that it leaves to its schema registry, which are reported; or what is wrong
 * with it then. One that leaves none is as it is.
 *
 * @param stateDir has the Secrets of the resource
 * @throws NoSchemaError
 */
export async function completeColumns(
  resource: GameAnalytics,
  stateDir: string,
  report: Report,
  signal: AbortSignal,
): Promise<Parsed> {
  const url = registryUrl(resource);
  if (!needsSchema(resource.spec) || url === undefined) return { resource };
  const [folder] = registrySecrets(resource).map(({ secretName }) => secretFolder(stateDir, secretName));
  const subject = schemaSubject(resource);
  const latest = await readLatestSchema({ url, folder }, subject, signal).catch((error: Error) => {
    signal.throwIfAborted();
    throw new NoSchemaError(error.message);
  });
  const schema = `${subject} version ${latest.version}`;
  try {
    const columns = chooseColumns(findSchemaUse(resource), latest);
    report(`columns from ${schema}: ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`);
    return withColumns(resource, columns);
  } catch (error) {
    if (!(error instanceof AvroSchemaError)) throw error;
    return {
      problems: [{ path: 'spec.events.columns', message: `not set, and of ${schema}: ${error.message}` }],
    };
  }
}
