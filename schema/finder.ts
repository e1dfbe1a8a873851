import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { z } from 'zod';
import { AvroSchemaError } from '../api/avro-columns.ts';
import { chooseColumns } from '../api/schema-columns.ts';
import { type FoundSchema, foundSchema, LONGEST_PROBLEM } from '../api/status.ts';
import type { ApiServer } from '../lib/api-server.ts';
import { Backoff } from '../lib/backoff.ts';
import { resourcePath } from '../lib/kubernetes.ts';
import { readLatestSchema } from '../registry/schema-registry.ts';
import type { Settings } from './settings.ts';

/** The name under which the API server remembers which fields of the status are ours. */
const FIELD_MANAGER = 'gameanalytics-schema';
const RETRY_MILLIS = 1000;
const LONGEST_RETRY_MILLIS = 60_000;

const liveResource = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
  status: z.object({ schema: foundSchema.optional().catch(undefined) }).prefault({}),
});

interface FinderOptions {
  settings: Settings;
  api: Pick<ApiServer, 'call'>;
  log: Logger;
}

/**
 * Finds the columns that a resource uses in the newest schema of its records, and has them in the status of
 * the resource, or why there are none yet. What was found once stays, whatever schemas come later.
 */
export class Finder {
  readonly #options: FinderOptions;
  readonly #backoff = new Backoff(RETRY_MILLIS, LONGEST_RETRY_MILLIS, Math.random);
  #found: FoundSchema | undefined;
  /** Why the status has no columns; undefined: it has. */
  problem: string | undefined = 'the schema has not been read yet';

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /**
   * Brings the status to what is known, and looks in the registry while that is no columns.
   *
   * @returns in how many milliseconds to do so again
   */
  async advance(stop: AbortSignal): Promise<number> {
    const { log, settings } = this.#options;
    const { problem } = this;
    if (!this.#found?.columns) this.#found = await this.#look(stop);
    this.problem = this.#found.problem;
    try {
      await this.#write(this.#found, stop);
    } catch (error) {
      this.problem = `the status does not have it: ${(error as Error).message}`;
    }
    if (stop.aborted) return 0;
    if (this.problem === undefined) {
      const { version, columns } = this.#found;
      if (problem !== undefined) log.info({ subject: settings.SCHEMA_SUBJECT, version, columns }, 'found');
      // Someone may take it out of the status.
      return LONGEST_RETRY_MILLIS;
    }
    const retryInMillis = this.#backoff.next();
    log.warn({ retryInMillis }, this.problem);
    return retryInMillis;
  }

  async #look(stop: AbortSignal): Promise<FoundSchema> {
    const { settings } = this.#options;
    const { SCHEMA_SUBJECT: subject, SCHEMA_USE: use, SCHEMA_DIGEST: digest } = settings;
    const registry = { url: settings.SCHEMA_REGISTRY_URL, folder: settings.SCHEMA_REGISTRY_FOLDER };
    let version: number | undefined;
    try {
      const latest = await readLatestSchema(registry, subject, stop);
      version = latest.version;
      return { digest, subject, version, columns: chooseColumns(use, latest) };
    } catch (error) {
      const { message } = error as Error;
      const problem =
        error instanceof AvroSchemaError
          ? `${subject} version ${version}: ${message}`
          : `waiting for ${message}`;
      return { digest, subject, problem: problem.slice(0, LONGEST_PROBLEM) };
    }
  }

  async #write(found: FoundSchema, stop: AbortSignal): Promise<void> {
    const { settings, api } = this.#options;
    const path = resourcePath(settings.SCHEMA_RESOURCE);
    const { apiVersion, kind, metadata, status } = liveResource.parse(
      await api.call({ method: 'GET', path }, stop),
    );
    if (isDeepStrictEqual(status.schema, found)) return;
    const { name, namespace, uid } = metadata;
    await api.call(
      {
        method: 'PATCH',
        // Strict: a CRD from before must not drop the field.
        path: `${path}/status?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`,
        contentType: 'application/apply-patch+yaml',
        // With the uid: a resource that was deleted and made again meanwhile is another one.
        body: { apiVersion, kind, metadata: { name, namespace, uid }, status: { schema: found } },
      },
      stop,
    );
  }
}
