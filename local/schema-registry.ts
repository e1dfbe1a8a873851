import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { LocalRuntime } from './local-runtime.ts';
import { cachedFolder } from './process/jars.ts';
import { QUICK_START } from './process/java.ts';
import { freePort, LOOPBACK } from './process/ports.ts';
import type { Report } from './process/report.ts';
import { until } from './process/retry.ts';
import { UserError } from './process/user-error.ts';

const VERSION = '3.0.9';
const ARCHIVE = `https://repo.maven.apache.org/maven2/io/apicurio/apicurio-registry-app/${VERSION}/apicurio-registry-app-${VERSION}-all.tar.gz`;
const SHA256 = '2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43';

/** What Apicurio reads of the folder that it runs in, and where it keeps its schemas. */
const PROPERTIES = 'config/application.properties';

/** Whether a run on this machine has a registry of its own: the records are Avro, and none is named. */
export function hasOwnRegistry({ spec }: GameAnalytics): boolean {
  const { format, schemaRegistry } = spec.events;
  return format === 'avro-confluent' && schemaRegistry?.url === undefined;
}

/**
 * A resource as it runs on this machine: its schemas are in the registry of the run, if that has one, which
 * asks for no sign-in.
 */
export function withRegistry(resource: GameAnalytics, url: string | undefined): GameAnalytics {
  if (url === undefined) return resource;
  const { spec } = resource;
  return { ...resource, spec: { ...spec, events: { ...spec.events, schemaRegistry: { url } } } };
}

/**
 * Starts an Apicurio Registry that keeps its schemas in the runtime's folder: the records of a topic that
 * outlives a run have the ids of these. Resolves to the address of Confluent's API when it answers.
 */
export async function startSchemaRegistry(runtime: LocalRuntime): Promise<string> {
  const { report, signal } = runtime;
  const program = await fetchApicurio(report, signal);
  const folder = join(runtime.stateDir, 'schema-registry');
  const port = await freePort();
  await mkdir(join(folder, 'config'), { recursive: true });
  const properties = {
    'quarkus.http.host': LOOPBACK,
    'quarkus.http.port': port,
    'apicurio.datasource.url': 'jdbc:h2:file:./schemas',
  };
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, PROPERTIES), lines.join(''));
  // A run that could not start its Kafka ends what is there by now.
  signal.throwIfAborted();
  const process = runtime.spawn('schema-registry', () => ({
    file: runtime.java,
    args: [...QUICK_START, '-Xmx256m', '-jar', join(program, `apicurio-registry-app-${VERSION}-runner.jar`)],
    cwd: folder,
  }));
  const url = registryUrl(port);
  const answers = async () =>
    fetch(`${url}/subjects`, { signal }).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  const assertNotCrashing = () =>
    process.assertNotCrashing(
      () =>
        `The schema registry does not start.\n  Its log: ${process.logFile}\n  If its data is damaged, delete ${folder}: the events that were written before cannot be read any more.`,
    );
  await until(async () => (await answers()) ?? assertNotCrashing(), { everyMillis: 100, signal });
  report(`a schema registry (Apicurio) is ready: ${url}`);
  return url;
}

/** A resource as its run in a folder has it, or had it when it last ran; as it is if it never ran there. */
export async function withRegistryOfRun(resource: GameAnalytics, stateDir: string): Promise<GameAnalytics> {
  return hasOwnRegistry(resource) ? withRegistry(resource, await readRegistryUrl(stateDir)) : resource;
}

/** Where the registry of a run is, or was when it last ran; undefined when none ever ran in the folder. */
export async function readRegistryUrl(stateDir: string): Promise<string | undefined> {
  const file = join(stateDir, 'schema-registry', PROPERTIES);
  const port = /^quarkus\.http\.port=(\d+)$/m.exec(await readFile(file, 'utf8').catch(() => ''))?.[1];
  return port === undefined ? undefined : registryUrl(Number(port));
}

function registryUrl(port: number): string {
  return `http://${LOOPBACK}:${port}/apis/ccompat/v7`;
}

const PROGRESS_BYTES = 20_000_000;

/**
 * The folder with Apicurio Registry from Maven Central, fetched once. Maven cannot fetch it, because the POM
 * that its own one inherits from was not released.
 *
 * @throws UserError that says what to do
 */
export function fetchApicurio(report: Report, signal: AbortSignal): Promise<string> {
  return cachedFolder(`apicurio-registry-${VERSION}`, async (folder) => {
    report('fetching Apicurio Registry from Maven Central (once)');
    const response = await fetch(ARCHIVE, { signal }).catch((error: Error) => {
      signal.throwIfAborted();
      throw unreachable((error.cause as Error | undefined)?.message ?? error.message);
    });
    if (!response.ok || !response.body) throw unreachable(`HTTP ${response.status}`);
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const total = megabytes(Number(response.headers.get('content-length')));
    const archive = join(folder, 'archive.tar.gz');
    const hash = createHash('sha256');
    let bytes = 0;
    await pipeline(
      response.body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          const before = bytes;
          bytes += chunk.length;
          if (Math.floor(bytes / PROGRESS_BYTES) > Math.floor(before / PROGRESS_BYTES))
            report(`fetching Apicurio Registry: ${megabytes(bytes)} of ${total} MB`);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(archive),
      { signal },
    ).catch((error: NodeJS.ErrnoException) => {
      signal.throwIfAborted();
      if (error.code === 'ENOSPC')
        throw new UserError('The disk is full: Apicurio Registry cannot be kept. Free 300 MB.');
      throw unreachable(error.message);
    });
    if (hash.digest('hex') !== SHA256)
      throw new UserError(
        `${ARCHIVE} came as another file than was released. Look at a proxy on the way, and run this again.`,
      );
    await promisify(execFile)('tar', ['-xzf', archive, '-C', folder]);
    await rm(archive);
  });
}

function unreachable(why: string): UserError {
  return new UserError(
    `Apicurio Registry could not be fetched from Maven Central: ${why}. Check the network (behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1), and run this again; or name a registry in events.schemaRegistry.url.`,
  );
}
