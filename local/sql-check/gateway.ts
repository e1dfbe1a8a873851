import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { sleep } from '../../lib/sleep.ts';
import { classArchiveOptions } from '../flink/class-archive.ts';
import { parseCause } from '../flink/error.ts';
import { type LocalRuntime, startLocalRuntime } from '../local-runtime.ts';
import { classPath, fetchAvroFormat } from '../process/jars.ts';
import { QUICK_START } from '../process/java.ts';
import { freePort, LOOPBACK } from '../process/ports.ts';
import type { Report } from '../process/report.ts';
import { until } from '../process/retry.ts';
import type { SupervisedProcess } from '../process/supervisor.ts';
import { UserError } from '../process/user-error.ts';

/** Flink's planner behind a REST API. It has no cluster: what it runs, it runs in its own process. */
export interface SqlGateway {
  /**
   * Opens a session with its own tables and settings. `options`: Flink configuration; a wrong one is a
   * SqlError.
   */
  openSession(options: Record<string, string>): Promise<SqlSession>;
  /** Ends the process and removes what it wrote. */
  close(): Promise<void>;
}

interface GatewayOptions {
  /** How long Flink may plan one statement. */
  statementMillis?: number;
  /** Whether a resource has records in Avro, whose format is not Flink's own. */
  avro?: boolean;
}

/** How long Flink may plan one statement: a second is usual, and a machine may be busy with other things. */
const STATEMENT_MILLIS = 60_000;

/** Flink refused a statement. The message is its whole stack trace. */
export class SqlError extends Error {
  override name = 'SqlError';
}

/** Flink was still planning a statement when its time was up. */
export class SqlTimeout extends UserError {
  override name = 'SqlTimeout';

  constructor(millis: number) {
    super(
      `Flink was still planning it after ${millis / 1000} s. A regular expression or another constant may take too long to compute`,
    );
  }
}

/**
 * Starts Flink's SQL gateway in a temporary folder. Resolves when it answers; the signal ends the start and
 * every statement.
 */
export async function startSqlGateway(
  report: Report,
  signal: AbortSignal,
  { statementMillis = STATEMENT_MILLIS, avro = false }: GatewayOptions = {},
): Promise<SqlGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gameanalytics-sql-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const runtime = await startLocalRuntime(folder, report, signal);
    const close = () => runtime.close().finally(removeFolder);
    const url = await spawnGateway(runtime, avro).catch((error) => close().then(() => Promise.reject(error)));
    return { openSession: (options) => openSession(url, options, signal, statementMillis), close };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/**
 * Planning needs little; a query that has the planner compute a huge constant gets an error, not the
 * machine's memory. Each query that runs loads Flink's communication again, which its predecessor holds on to
 * by caches alone: they are emptied at once.
 */
const MEMORY = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:SoftRefLRUPolicyMSPerMB=0'];

async function spawnGateway(runtime: LocalRuntime, avro: boolean): Promise<string> {
  const { java, jars, stateDir, report, signal } = runtime;
  const libraries = [jars.flinkLib, jars.flinkOpt, ...(avro ? [await fetchAvroFormat(report, signal)] : [])];
  const archive = await classArchiveOptions(runtime);
  const port = await freePort();
  const temporary = join(stateDir, 'tmp');
  await mkdir(temporary);
  await writeFile(join(stateDir, 'config.yaml'), stringify(configuration(port)));
  report('starting Flink’s SQL gateway');
  const gateway = runtime.spawn('sql-gateway', () => ({
    file: java,
    args: [
      ...archive,
      ...QUICK_START,
      ...MEMORY,
      `-Djava.io.tmpdir=${temporary}`,
      '-cp',
      classPath(libraries),
      'org.apache.flink.table.gateway.SqlGateway',
    ],
    env: { FLINK_CONF_DIR: stateDir },
  }));
  const url = `http://${LOOPBACK}:${port}/v3`;
  const answers = async () => ((await isUp(url, signal)) ? true : ended(gateway));
  await until(answers, { everyMillis: 100, signal });
  return url;
}

function configuration(port: number): Record<string, string | number> {
  return {
    'sql-gateway.endpoint.rest.address': LOOPBACK,
    'sql-gateway.endpoint.rest.bind-address': LOOPBACK,
    'sql-gateway.endpoint.rest.port': port,
    // A session lasts as long as its program.
    'sql-gateway.session.idle-timeout': '0 s',
  };
}

async function isUp(url: string, signal: AbortSignal): Promise<boolean> {
  return fetch(`${url}/info`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function ended({ crashes, logFile }: SupervisedProcess): Promise<undefined> {
  if (crashes === 0) return;
  const { message } = parseCause(await readFile(logFile, 'utf8'));
  throw new UserError(`Flink’s SQL gateway does not start: ${message}`);
}

async function openSession(
  url: string,
  properties: Record<string, string>,
  signal: AbortSignal,
  statementMillis: number,
): Promise<SqlSession> {
  const { sessionHandle } = await call<{ sessionHandle: string }>(`${url}/sessions`, signal, { properties });
  return new SqlSession(`${url}/sessions/${sessionHandle}`, signal, statementMillis);
}

interface Result {
  resultType: 'NOT_READY' | 'PAYLOAD' | 'EOS';
  resultKind: 'SUCCESS' | 'SUCCESS_WITH_CONTENT';
  results: {
    columns: { name: string; logicalType: { type: string } }[];
    data: { kind: 'INSERT' | 'UPDATE_BEFORE' | 'UPDATE_AFTER' | 'DELETE'; fields: unknown[] }[];
  };
}

/** A column of a result, with the root of its Flink SQL type, such as BIGINT. */
export interface ResultColumn {
  name: string;
  type: string;
}

/** Values as Flink writes them in text. */
export type ResultRow = (string | null)[];

/** Part of what a statement results in. */
export interface ResultPage {
  columns: ResultColumn[];
  rows: ResultRow[];
  /** Whether all that there is to say is that the statement succeeded. */
  isPlainSuccess: boolean;
}

/** A session of the gateway: what one statement defines, the next ones know. */
export class SqlSession {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #statementMillis: number;

  constructor(url: string, signal: AbortSignal, statementMillis: number) {
    this.#url = url;
    this.#signal = signal;
    this.#statementMillis = statementMillis;
  }

  /**
   * Runs one statement and returns its rows, such as the plan that is all an EXPLAIN has.
   *
   * @throws SqlError when Flink refuses it; SqlTimeout when Flink takes too long, and then does not end
   */
  async execute(statement: string): Promise<unknown[][]> {
    const timeout = AbortSignal.timeout(this.#statementMillis);
    const signal = AbortSignal.any([this.#signal, timeout]);
    try {
      return await this.#execute(statement, signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw timeout.aborted ? new SqlTimeout(this.#statementMillis) : error;
    }
  }

  /**
   * Runs one statement to its end, however long that takes.
   *
   * @param stop cancels it
   * @throws SqlError when Flink refuses it, or when it fails; UserError when its rows change, as in streaming
   * mode; the reason of a signal that is aborted
   */
  async *run(statement: string, stop: AbortSignal): AsyncGenerator<ResultPage> {
    const signal = AbortSignal.any([this.#signal, stop]);
    const operation = await this.#submit(statement, signal);
    try {
      let isLast = false;
      for (let page = 0; !isLast; page++) {
        const { resultType, resultKind, results } = await fetchPage(operation, page, 'PLAIN_TEXT', signal);
        isLast = resultType === 'EOS';
        if (results.data.some(({ kind }) => kind !== 'INSERT'))
          throw new UserError(
            "Rows of the result change while Flink computes it, as in streaming mode. Go back to batch mode: SET 'execution.runtime-mode' = 'batch';",
          );
        yield {
          columns: results.columns.map(({ name, logicalType }) => ({ name, type: logicalType.type })),
          rows: results.data.map(({ fields }) => fields as ResultRow),
          isPlainSuccess: resultKind === 'SUCCESS',
        };
        // A page without rows says that there are none yet.
        if (results.data.length === 0 && !isLast) await sleep(WAIT_MILLIS, signal);
      }
    } finally {
      // Also ends the job of a query, when there is one. Planning may not end.
      const soon = AbortSignal.timeout(CLOSE_MILLIS);
      await fetch(`${operation}/close`, { method: 'DELETE', signal: soon }).catch(() => undefined);
    }
  }

  async #execute(statement: string, signal: AbortSignal): Promise<unknown[][]> {
    const { results } = await fetchPage(await this.#submit(statement, signal), 0, 'JSON', signal);
    return results.data.map(({ fields }) => fields);
  }

  async #submit(statement: string, signal: AbortSignal): Promise<string> {
    const address = `${this.#url}/statements`;
    const { operationHandle } = await call<{ operationHandle: string }>(address, signal, { statement });
    return `${this.#url}/operations/${operationHandle}`;
  }
}

const WAIT_MILLIS = 20;
const CLOSE_MILLIS = 5_000;

function fetchPage(
  operation: string,
  page: number,
  rowFormat: 'JSON' | 'PLAIN_TEXT',
  signal: AbortSignal,
): Promise<Result> {
  const result = async () => {
    const answer = await call<Result>(`${operation}/result/${page}?rowFormat=${rowFormat}`, signal);
    return answer.resultType === 'NOT_READY' ? undefined : answer;
  };
  return until(result, { everyMillis: WAIT_MILLIS, signal });
}

async function call<T>(url: string, signal: AbortSignal, body?: unknown): Promise<T> {
  const post = body !== undefined && { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, { signal, ...post }).catch((error: Error) => {
    signal.throwIfAborted();
    const { message } = (error.cause ?? error) as Error;
    throw new UserError(`Flink’s SQL gateway does not answer any more: ${message}`);
  });
  const answer = (await response.json()) as T & { errors?: string[] };
  if (response.ok) return answer;
  throw new SqlError(answer.errors?.join('\n'));
}
