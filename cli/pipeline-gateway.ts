import type { GameAnalytics } from '../api/gameanalytics.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { defaultStateFolder } from '../local/process/state-folder.ts';
import { UserError } from '../local/process/user-error.ts';
import { withRegistryOfRun } from '../local/schema-registry.ts';
import { type SqlGateway, startSqlGateway } from '../local/sql-check/gateway.ts';
import { findKafka } from '../local/sql-session/kafka.ts';
import type { PipelinePlace } from '../local/sql-session/session.ts';
import { readColumns, readManifest } from './manifest.ts';
import { Terminal } from './terminal.ts';
import { UsageError } from './usage.ts';

/** Options of the commands that read a pipeline that runs, and their help. */
export const PIPELINE_OPTIONS = {
  bootstrap: { type: 'string' },
  'state-dir': { type: 'string' },
} as const;
export const PIPELINE_HELP = `\
  --bootstrap HOST:PORT   another Kafka than that of the run, one that asks for no sign-in
  --state-dir DIR         folder of the run (default: .gameanalytics/<name>)
`;

/** Flink, and the pipeline that it is to read. */
interface Use extends PipelinePlace {
  gateway: SqlGateway;
  /** As it runs. */
  resource: GameAnalytics;
  /** Aborted when the person wants to stop. */
  signal: AbortSignal;
}

/**
 * Where a pipeline that runs is, by the options. Its Kafka has answered.
 *
 * @throws UserError
 */
export async function findPipeline(
  { metadata: { name } }: GameAnalytics,
  values: Record<string, string | undefined>,
): Promise<PipelinePlace> {
  const { bootstrap, 'state-dir': stateDir = defaultStateFolder(name) } = values;
  if (bootstrap !== undefined && !/^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$/.test(bootstrap))
    throw new UsageError(`--bootstrap takes HOST:PORT, not '${bootstrap}'`);
  return { bootstrapServers: await findKafka(name, stateDir, bootstrap), stateDir };
}

/**
 * Starts Flink's SQL gateway for the pipeline of a manifest that runs, and ends it after its use. Reports
 * what it does on stderr.
 *
 * @param values of the options
 */
export async function usePipelineGateway(
  file: string,
  values: Record<string, string | undefined>,
  use: (parts: Use) => Promise<void>,
): Promise<void> {
  const manifest = await readManifest(file);
  const terminal = new Terminal(process.stderr);
  const report = (sentence: string) => terminal.say(sentence);
  const signal = stopOnSignals();
  try {
    const { bootstrapServers, stateDir } = await findPipeline(manifest, values);
    const isLocal = values.bootstrap === undefined;
    const placed = isLocal ? await withRegistryOfRun(manifest, stateDir) : manifest;
    const resource = await readColumns(file, placed, stateDir, report, signal);
    const avro = resource.spec.events.format === 'avro-confluent';
    const gateway = await startSqlGateway(report, signal, { avro });
    try {
      await use({ gateway, resource, bootstrapServers, stateDir, signal });
    } finally {
      await gateway.close();
    }
  } catch (error) {
    if (signal.aborted) throw new UserError('stopped before it was done');
    throw error;
  }
}
