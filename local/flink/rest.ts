import { setTimeout as sleep } from 'node:timers/promises';
import { rootCause } from './error.ts';

/** What Flink's REST API says of the one job of an application cluster. */
export interface JobOverview {
  id: string;
  /** Flink's word: CREATED, RUNNING, RESTARTING, FAILED, … */
  state: string;
  /** Whether every task runs. */
  allTasksRunning: boolean;
  /** Why tasks of it last failed, in one line; undefined while all run, or when none has failed. */
  failure?: string;
}

interface OverviewAnswer {
  jobs: { jid: string; state: string; tasks: { total: number; running: number } }[];
}

interface ExceptionsAnswer {
  exceptionHistory: { entries: { stacktrace: string }[] };
}

interface SavepointAnswer {
  operation?: { location?: string; 'failure-cause'?: { class: string } };
}

/** On a machine that is busy with other things, answers take their time. */
const ANSWER_MILLIS = 30_000;

/** A thin client of a JobManager's REST API at `http://host:port`. */
export class FlinkRest {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The newest job; undefined while there is none. */
  async job(): Promise<JobOverview | undefined> {
    const { jobs } = await this.#fetch<OverviewAnswer>('/jobs/overview');
    const job = jobs[0];
    if (!job) return undefined;
    const { total, running } = job.tasks;
    const overview = { id: job.jid, state: job.state, allTasksRunning: total > 0 && total === running };
    if (overview.allTasksRunning) return overview;
    const { exceptionHistory } = await this.#fetch<ExceptionsAnswer>(
      `/jobs/${job.jid}/exceptions?maxExceptions=1`,
    );
    const trace = exceptionHistory.entries[0]?.stacktrace;
    return trace === undefined ? overview : { ...overview, failure: rootCause(trace) };
  }

  /** Stops the job with a savepoint under the folder, a file URI. */
  async stopWithSavepoint(jobId: string, targetDirectory: string): Promise<void> {
    const trigger = await this.#fetch<{ 'request-id': string }>(`/jobs/${jobId}/stop`, {
      method: 'POST',
      body: JSON.stringify({ targetDirectory, drain: false }),
    });
    for (;;) {
      const answer = await this.#fetch<SavepointAnswer>(`/jobs/${jobId}/savepoints/${trigger['request-id']}`);
      if (answer.operation?.location) return;
      if (answer.operation) throw new Error(`no savepoint: ${answer.operation['failure-cause']?.class}`);
      await sleep(100);
    }
  }

  async #fetch<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(this.#url + path, { ...init, signal: AbortSignal.timeout(ANSWER_MILLIS) });
    if (!response.ok)
      throw new Error(`Flink answered ${response.status} to ${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}
