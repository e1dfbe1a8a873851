import { setTimeout as sleep } from 'node:timers/promises';
import { startFlink } from '../../local/flink.ts';
import type { Workshop } from '../../local/workshop.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';
import { type Checkpoints, FlinkMetrics } from './flink-metrics.ts';
import { childProcess } from './processes.ts';

/** What a run over a backlog cost. */
export interface Outcome {
  /** Whether all was read and written within the limit. */
  finished: boolean;
  /** From the moment the first job runs. */
  seconds: number;
  /** Of the TaskManager from the moment the first job runs, and of the JobManager from the moment it has planned the last one. */
  cpuSeconds: number;
  /** The part of it that the TaskManager's JIT compilers took: a long run would hardly see it. */
  compilerCpuSeconds: number;
  /** Events read; of several jobs that have not finished the average, which makes them look cheaper than they are: the slowest read least. */
  events: number;
  taskManagerPeakBytes: number;
  jobManagerPeakBytes: number;
  /** Of all jobs together; undefined when none was completed. */
  checkpoints: Checkpoints | undefined;
}

interface RunOptions {
  deployment: FlinkDeployment;
  /** How many jobs the script makes. */
  jobs: number;
  /** How many events wait for each of them. */
  backlog: number;
  /** A run that has used this much is ended. Processor time, so that a busy machine ends no run earlier than an idle one. */
  limitCpuSeconds: number;
}

const POLL_MILLIS = 500;
/** A run that gets nowhere uses no processor time: it is ended after this many times its limit. */
const STUCK = 5;

/** Runs a script of bounded jobs on a Flink of its own, until they have finished or the limit is reached. */
export async function runJobs(workshop: Workshop, options: RunOptions): Promise<Outcome> {
  const flink = await startFlink(workshop, options.deployment);
  try {
    return await observe(new FlinkMetrics(flink.url, workshop.signal), options);
  } finally {
    await Promise.all([flink.jobManager, ...flink.taskManagers].map((process) => process.stop(3_000)));
  }
}

async function observe(
  metrics: FlinkMetrics,
  { jobs, backlog, limitCpuSeconds }: RunOptions,
): Promise<Outcome> {
  const taskManager = childProcess('TaskManagerRunner');
  const jobManager = childProcess('StandaloneApplicationClusterEntryPoint');
  const started = performance.now();
  const taskManagerBefore = taskManager.cpuSeconds();
  const compilersBefore = taskManager.compilerCpuSeconds();
  while ((await metrics.jobs()).length < jobs) await sleep(POLL_MILLIS);
  const before = taskManagerBefore + jobManager.cpuSeconds();
  for (;;) {
    const finished = await metrics.finished();
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = taskManager.cpuSeconds() + jobManager.cpuSeconds() - before;
    const read = await metrics.eventsRead();
    if (finished || cpuSeconds > limitCpuSeconds || seconds > STUCK * limitCpuSeconds)
      return {
        finished,
        seconds,
        cpuSeconds,
        compilerCpuSeconds: taskManager.compilerCpuSeconds() - compilersBefore,
        events: finished ? backlog : read,
        taskManagerPeakBytes: taskManager.peakResidentBytes(),
        jobManagerPeakBytes: jobManager.peakResidentBytes(),
        checkpoints: await metrics.checkpoints(),
      };
    await sleep(POLL_MILLIS);
  }
}
