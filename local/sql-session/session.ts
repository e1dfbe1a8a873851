import { resolve } from 'node:path';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { registrySecrets } from '../../plan/schema-registry.ts';
import { sessionScript } from '../../plan/session.ts';
import { parseCause } from '../flink/error.ts';
import { secretFolder } from '../kafka/secrets.ts';
import { UserError } from '../process/user-error.ts';
import {
  type ResultColumn,
  type ResultPage,
  type ResultRow,
  SqlError,
  type SqlGateway,
} from '../sql-check/gateway.ts';
import { splitStatements } from '../sql-check/statements.ts';

/** Where the parts of a pipeline are that a session reads. */
export interface PipelinePlace {
  /** Of a Kafka that asks for no sign-in. */
  bootstrapServers: string;
  /** The folder of the pipeline's run on this machine, with its Secrets. */
  stateDir: string;
}

/** A SQL session over the tables of a pipeline. */
export interface PipelineSession {
  /**
   * Runs one statement to its end.
   *
   * @param stop cancels it
   * @throws UserError that says what Flink refuses, and where; the reason of a signal that is aborted
   */
  run(statement: string, stop: AbortSignal): Promise<StatementResult>;
}

/** What a statement resulted in; undefined where it only succeeded. */
export type StatementResult = { columns: ResultColumn[]; rows: ResultRow[] } | undefined;

/**
 * Opens a session over a pipeline that runs. The gateway runs its queries in its own process.
 *
 * @throws UserError when Flink does not take the pipeline's tables
 */
export async function openPipelineSession(
  gateway: SqlGateway,
  resource: GameAnalytics,
  { bootstrapServers, stateDir }: PipelinePlace,
): Promise<PipelineSession> {
  return openSession(gateway, resource, sessionScript(resource, bootstrapServers), stateDir);
}

/**
 * Opens a session that begins with a script.
 *
 * @param stateDir has the Secrets of the resource
 * @throws UserError when Flink does not take the script
 */
export async function openSession(
  gateway: SqlGateway,
  resource: GameAnalytics,
  script: string,
  stateDir: string,
): Promise<PipelineSession> {
  const session = await gateway.openSession({ 'execution.target': 'local', 'parallelism.default': '1' });
  for (const statement of splitStatements(withLocalSecrets(script, resource, stateDir)).statements)
    await withSentence(() => session.execute(statement));
  return { run: (statement, stop) => withSentence(() => collect(session.run(statement, stop))) };
}

/** On this machine a Secret is a folder. */
function withLocalSecrets(script: string, resource: GameAnalytics, stateDir: string): string {
  return registrySecrets(resource).reduce(
    (text, { secretName, mountPath }) =>
      text.replaceAll(mountPath, () => resolve(secretFolder(stateDir, secretName))),
    script,
  );
}

/** More rows would be for no one to read, and have to fit into memory. */
const MOST_ROWS = 100_000;

async function collect(pages: AsyncIterable<ResultPage>): Promise<StatementResult> {
  const all: ResultRow[] = [];
  let result: StatementResult;
  for await (const { columns, rows, isPlainSuccess } of pages) {
    all.push(...rows);
    if (all.length > MOST_ROWS)
      throw new UserError(
        `The result has more than ${MOST_ROWS} rows. Add a condition or a LIMIT, or group the rows.`,
      );
    if (!isPlainSuccess) result = { columns, rows: all };
  }
  return result;
}

const NO_TOPIC = 'UnknownTopicOrPartitionException';

async function withSentence<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (error.message.includes(NO_TOPIC))
      throw new UserError(
        'Kafka does not have all topics of this query. Does the pipeline run there, and with this board?',
      );
    const { message, place } = parseCause(error.message);
    const at = place ? `line ${place.line}, column ${place.column}: ` : '';
    throw new UserError(`${at}${message}`);
  }
}
