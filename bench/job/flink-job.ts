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
  /** From the moment the job runs. */
  seconds: number;
  /** Of the TaskManager and the JobManager, from the moment the job runs. */
  cpuSeconds: number;
  /** The part of it that the TaskManager's JIT compilers took: a long run would hardly see it. */
  compilerCpuSeconds: number;
  /**
   * Events read. A job that has not finished may still hold some that it has not counted, and has seen few players yet: both make it
   * look cheaper than it is.
   */
  events: number;
  taskManagerPeakBytes: number;
  jobManagerPeakBytes: number;
  /** Undefined when none was completed. */
  checkpoints: Checkpoints | undefined;
}

export interface Bounds {
  /** How many events wait for the job. */
  backlog: number;
  /** A run that has used this much is ended. Processor time, so that a busy machine ends no run earlier than an idle one. */
  limitCpuSeconds: number;
}

const POLL_MILLIS = 500;
/** A run that gets nowhere uses no processor time: it is ended after this many times its limit. */
const STUCK = 5;

/** Runs a bounded job on a Flink of its own, until it has finished or the limit is reached. */
export async function runJob(
  workshop: Workshop,
  deployment: FlinkDeployment,
  bounds: Bounds,
): Promise<Outcome> {
  const flink = await startFlink(workshop, deployment);
  try {
    return await observe(new FlinkMetrics(flink.url, workshop.signal), bounds);
  } finally {
    await Promise.all([flink.jobManager, ...flink.taskManagers].map((process) => process.stop(3_000)));
  }
}

async function observe(metrics: FlinkMetrics, { backlog, limitCpuSeconds }: Bounds): Promise<Outcome> {
  const taskManager = childProcess('TaskManagerRunner');
  const jobManager = childProcess('StandaloneApplicationClusterEntryPoint');
  const started = performance.now();
  const before = taskManager.cpuSeconds() + jobManager.cpuSeconds();
  const compilersBefore = taskManager.compilerCpuSeconds();
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
