import { setTimeout as sleep } from 'node:timers/promises';
import { startFlink } from '../../local/flink/cluster.ts';
import type { LocalRuntime } from '../../local/local-runtime.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';
import { childProcess } from '../../testkit/pipeline/processes.ts';
import { type Checkpoints, FlinkMetrics } from './flink-metrics.ts';

/** A run's clocks and counts at one moment, or what they went up by between two. */
interface Reading {
  seconds: number;
  /** Of the TaskManager and the JobManager. */
  cpuSeconds: number;
  /** The part of it that the TaskManager's JIT compilers took: a long run would hardly see it. */
  compilerCpuSeconds: number;
  /**
   * Events read. A job that has not finished may still hold some that it has not counted, which makes it look
   * cheaper than it is.
   */
  events: number;
}

/** What a run over a backlog cost. */
export interface Outcome extends Reading {
  /** What of the backlog this is of: the rest of it is what comes after the warm-up. */
  part: 'all' | 'some of the rest' | 'some of the warm-up';
  peak: Peak;
  /** By the end of the warm-up, if it got there: a run whose memory is flat needs no more after it. */
  peakOfWarmUp: Peak | undefined;
}

/** The most that a run has held so far. */
export interface Peak {
  /** Resident. */
  taskManagerBytes: number;
  jobManagerBytes: number;
  /** Undefined when none was completed. */
  checkpoints: Checkpoints | undefined;
}

export interface Bounds {
  /** How many events wait for the job. */
  backlog: number;
  /**
   * How many of them fill its state. A run that is ended before it has read all is measured from there on:
   * with little state it was cheaper than it would have been.
   */
  warmUp: number;
  /**
   * A run that has used this much since its warm-up, or for it, is ended. Processor time, so that a busy
   * machine ends no run earlier than an idle one.
   */
  limitCpuSeconds: number;
}

const POLL_MILLIS = 500;
/** A run that gets nowhere uses no processor time: it is ended after this many times its limit. */
const STUCK = 5;

/** Runs a bounded job on a new Flink, until it finishes or reaches the limit. */
export async function runJob(
  runtime: LocalRuntime,
  deployment: FlinkDeployment,
  bounds: Bounds,
): Promise<Outcome> {
  const flink = await startFlink(runtime, deployment);
  try {
    return await observe(new FlinkMetrics(flink.url, runtime.signal), bounds);
  } finally {
    await Promise.all([flink.jobManager, ...flink.taskManagers].map((process) => process.stop(3_000)));
  }
}

async function observe(
  metrics: FlinkMetrics,
  { backlog, warmUp, limitCpuSeconds }: Bounds,
): Promise<Outcome> {
  const taskManager = childProcess('TaskManagerRunner');
  const jobManager = childProcess('StandaloneApplicationClusterEntryPoint');
  const read = (events: number): Reading => ({
    seconds: performance.now() / 1000,
    cpuSeconds: taskManager.cpuSeconds() + jobManager.cpuSeconds(),
    compilerCpuSeconds: taskManager.compilerCpuSeconds(),
    events,
  });
  const peak = async (): Promise<Peak> => ({
    taskManagerBytes: taskManager.peakResidentBytes(),
    jobManagerBytes: jobManager.peakResidentBytes(),
    checkpoints: await metrics.checkpoints(),
  });
  const first = read(0);
  let warm: (Reading & { peak: Peak }) | undefined;
  for (;;) {
    const finished = await metrics.finished();
    const reading = read(finished ? backlog : await metrics.eventsRead());
    if (reading.events >= warmUp) warm ??= { ...reading, peak: await peak() };
    const used = since(warm ?? first, reading);
    if (finished || used.cpuSeconds > limitCpuSeconds || used.seconds > STUCK * limitCpuSeconds)
      return {
        ...(finished ? since(first, reading) : used),
        part: finished ? 'all' : warm ? 'some of the rest' : 'some of the warm-up',
        peak: await peak(),
        peakOfWarmUp: warm?.peak,
      };
    await sleep(POLL_MILLIS);
  }
}

function since(before: Reading, now: Reading): Reading {
  return {
    seconds: now.seconds - before.seconds,
    cpuSeconds: now.cpuSeconds - before.cpuSeconds,
    compilerCpuSeconds: now.compilerCpuSeconds - before.compilerCpuSeconds,
    events: now.events - before.events,
  };
}
