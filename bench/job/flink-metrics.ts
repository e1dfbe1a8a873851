import { setTimeout as sleep } from 'node:timers/promises';

interface Job {
  jid: string;
  state: string;
}

interface CheckpointAnswer {
  counts: { completed: number };
  summary: { state_size: { max: number }; end_to_end_duration: { avg: number } };
}

interface Exceptions {
  exceptionHistory: { entries: { stacktrace: string }[] };
}

export interface Checkpoints {
  /** Of the largest. */
  stateBytes: number;
  /** One of them, on average. */
  millis: number;
}

const MOST_ASKED = 10;

/** States of a job that neither failed nor is restarting. */
const WELL = new Set(['INITIALIZING', 'CREATED', 'RUNNING', 'FINISHED']);

/** What Flink's REST API tells of the one job of a cluster. */
export class FlinkMetrics {
  readonly #url: string;
  readonly #signal: AbortSignal;
  /** Records read by each source so far. Flink forgets them when a task ends. */
  readonly #read = new Map<string, number>();

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Whether the job has finished. That it failed, or had to be restarted, is an error. */
  async finished(): Promise<boolean> {
    const job = await this.#job();
    if (!WELL.has(job.state)) throw new Error(`the job is ${job.state}: ${await this.#cause(job)}`);
    return job.state === 'FINISHED';
  }

  /** Records that came out of Kafka so far, averaged over the job's sources. */
  async eventsRead(): Promise<number> {
    const { jid } = await this.#job();
    await this.#countSources(jid);
    const counts = [...this.#read.values()];
    return counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length);
  }

  async checkpoints(): Promise<Checkpoints | undefined> {
    const { jid } = await this.#job();
    const { counts, summary } = await this.#get<CheckpointAnswer>(`/jobs/${jid}/checkpoints`);
    if (counts.completed === 0) return undefined;
    return {
      stateBytes: summary.state_size.max,
      millis: summary.end_to_end_duration.avg,
    };
  }

  async #job(): Promise<Job> {
    const { jobs } = await this.#get<{ jobs: Job[] }>('/jobs/overview');
    const [job] = jobs;
    if (!job) throw new Error('Flink has no job');
    return job;
  }

  /** Flink shows a graph of the job that may be some seconds old, and to which the cause is still unknown. */
  async #cause({ jid }: Job): Promise<string> {
    for (let asked = 0; asked < MOST_ASKED; asked++) {
      const { exceptionHistory } = await this.#get<Exceptions>(`/jobs/${jid}/exceptions`);
      const trace = exceptionHistory.entries[0]?.stacktrace;
      if (trace) return withoutFrames(trace);
      await sleep(1_000, undefined, { signal: this.#signal });
    }
    return 'no cause is known';
  }

  async #countSources(jid: string): Promise<void> {
    const { vertices } = await this.#get<{ vertices: { id: string; name: string }[] }>(`/jobs/${jid}`);
    for (const { id, name } of vertices) {
      if (name.includes('Source:')) await this.#countSource(`/jobs/${jid}/vertices/${id}/subtasks/metrics`);
    }
  }

  async #countSource(path: string): Promise<void> {
    const known = await this.#get<{ id: string }[]>(path);
    const ids = known.map(({ id }) => id).filter((id) => /^Source__.*\.numRecordsIn$/.test(id));
    if (ids.length === 0) return;
    const query = `agg=sum&get=${ids.map(encodeURIComponent).join(',')}`;
    const values = await this.#get<{ id: string; sum: number }[]>(`${path}?${query}`);
    for (const { id, sum } of values) this.#read.set(`${path} ${id}`, sum);
  }

  async #get<T>(path: string): Promise<T> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(30_000)]);
    const response = await fetch(this.#url + path, { signal });
    if (!response.ok) throw new Error(`Flink answered ${response.status} to ${path}`);
    return (await response.json()) as T;
  }
}

/** The causes of a stack trace, of which the last says what went wrong, without the frames between them. */
function withoutFrames(trace: string): string {
  return trace
    .split('\n')
    .filter((line) => !/^\s+(at|\.\.\.) /.test(line))
    .join('\n');
}
