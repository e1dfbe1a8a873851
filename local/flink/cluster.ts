import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LAYOUT_ANNOTATION, readLayout } from '../../plan/layout.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';
import { AVRO_FORMAT } from '../../plan/schema-registry.ts';
import { secretFolders } from '../kafka/secrets.ts';
import type { LocalRuntime } from '../local-runtime.ts';
import { classPath, fetchAvroFormat } from '../process/jars.ts';
import { QUICK_START } from '../process/java.ts';
import { freePort, LOOPBACK } from '../process/ports.ts';
import type { Report } from '../process/report.ts';
import { until } from '../process/retry.ts';
import type { Command, SupervisedProcess } from '../process/supervisor.ts';
import { UserError } from '../process/user-error.ts';
import { classArchiveOptions } from './class-archive.ts';
import {
  type FlinkFolders,
  type FlinkPorts,
  type MemoryArguments,
  memoryArguments,
  writeConfiguration,
} from './configuration.ts';
import { rootCause } from './error.ts';
import { saveLayout } from './layout-file.ts';
import { OPENED_MODULES } from './opened-modules.ts';
import { FlinkRest, type JobOverview } from './rest.ts';
import { keepOnly, newestSnapshot } from './snapshots.ts';

/** A running Flink application cluster: one JobManager, its TaskManagers, one job. */
export interface FlinkCluster {
  /** Address of Flink's own web page and REST API. */
  url: string;
  jobManager: SupervisedProcess;
  taskManagers: SupervisedProcess[];
  /** The job as Flink sees it; undefined while it cannot be asked. */
  job(): Promise<JobOverview | undefined>;
  /** Stops the job with a savepoint, which the next start restores. */
  stop(): Promise<void>;
}

/**
 * Runs a FlinkDeployment's arguments, configuration and memory as JVMs on this machine. Ready when all tasks
 * run.
 */
export async function startFlink(
  runtime: LocalRuntime,
  deployment: FlinkDeployment,
  wantedPort = 0,
): Promise<FlinkCluster> {
  const folders = await flinkFolders(runtime, deployment);
  const archive = await classArchiveOptions(runtime);
  const jobArguments = await localArguments(runtime, deployment, folders);
  const ports: FlinkPorts = { rest: await freePort(wantedPort), rpc: await freePort() };
  await rm(folders.temporary, { recursive: true, force: true });
  await writeConfiguration(deployment, folders, ports);
  await saveLayout(runtime.stateDir, deployment);
  const restored = await newestSnapshot(folders.snapshots);
  await keepOnly(folders.snapshots, restored);
  // What other epochs left fits no job any more.
  await keepOnly(dirname(folders.snapshots), folders.snapshots);
  runtime.report(restored ? 'Flink restores the state it had' : 'Flink starts from the first event');

  const [jobMemory, taskMemory] = await Promise.all([
    memoryArguments(runtime, folders.configuration, 'JM', archive),
    memoryArguments(runtime, folders.configuration, 'TM', archive),
  ]);
  const jobManager = runtime.spawn('flink-jobmanager', () =>
    jobManagerCommand(runtime, deployment, folders, jobMemory, jobArguments),
  );
  const taskManagers = Array.from({ length: taskManagerCount(deployment) }, (_, i) =>
    runtime.spawn(`flink-taskmanager-${i + 1}`, () => taskManagerCommand(runtime, folders, taskMemory)),
  );

  const url = `http://${LOOPBACK}:${ports.rest}`;
  const rest = new FlinkRest(url);
  const job = () => rest.job().catch(() => undefined);
  const failures = new FailureReport(runtime.report);
  const running = async () => {
    const overview = await job();
    failures.note(overview);
    if (overview?.allTasksRunning) return true;
    // A JobManager that ends again and again before its job runs was given what Flink does not take.
    return jobManager.assertNotCrashing((log) => {
      const cause = log.includes('\nCaused by: ') ? rootCause(log) : 'no cause was logged';
      return `Flink does not take the job: ${cause}\n  Its log: ${jobManager.logFile}`;
    });
  };
  await until(running, { everyMillis: 250, signal: runtime.signal });
  runtime.report(`the Flink job is running; its page: ${url}`);
  return {
    url,
    jobManager,
    taskManagers,
    job,
    stop: () => stopCluster(runtime, rest, folders, jobManager, taskManagers),
  };
}

/** Reports why a job fails, once while the reason stays the same. */
export class FailureReport {
  readonly #report: Report;
  #reported: string | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  note(job: JobOverview | undefined): void {
    if (job?.failure === undefined || job.failure === this.#reported) return;
    this.#reported = job.failure;
    this.#report(`the Flink job fails and is started again: ${job.failure}`);
  }
}

async function localArguments(
  { stateDir }: LocalRuntime,
  { spec }: FlinkDeployment,
  { script }: FlinkFolders,
): Promise<string[]> {
  const folders = [...secretFolders(stateDir, spec.podTemplate.spec)];
  if (folders.length > 0 && /[':,{}]/.test(stateDir))
    throw new UserError(
      `The state folder ${stateDir} has one of ' : , { } in its name, which Kafka’s client cannot read secrets from. Choose another with --state-dir.`,
    );
  const args = spec.job.args.map((argument) =>
    folders.reduce((text, [mountPath, folder]) => text.replaceAll(mountPath, () => folder), argument),
  );
  const [option, text, ...others] = args;
  if (option !== '--script' || text === undefined) return args;
  // In a file: one argument of a process may have 128 KiB.
  await mkdir(dirname(script), { recursive: true });
  await writeFile(script, text);
  return ['--scriptUri', pathToFileURL(script).href, ...others];
}

async function flinkFolders(
  runtime: LocalRuntime,
  { metadata, spec }: FlinkDeployment,
): Promise<FlinkFolders> {
  const root = join(runtime.stateDir, 'flink');
  const generation = readLayout(metadata.annotations?.[LAYOUT_ANNOTATION])?.generation ?? 'unnoted';
  return {
    configuration: join(root, 'conf'),
    script: join(root, 'job.sql'),
    snapshots: join(root, 'snapshots', generation),
    temporary: join(root, 'tmp'),
    libraries: spec.job.args.some((text) => text.includes(`'value.format' = '${AVRO_FORMAT}'`))
      ? [await fetchAvroFormat(runtime.report, runtime.signal)]
      : [],
  };
}

function taskManagerCount({ spec }: FlinkDeployment): number {
  const slots = Number(spec.flinkConfiguration['taskmanager.numberOfTaskSlots'] ?? 1);
  return Math.ceil(spec.job.parallelism / slots);
}

async function jobManagerCommand(
  runtime: LocalRuntime,
  { spec }: FlinkDeployment,
  folders: FlinkFolders,
  memory: MemoryArguments,
  jobArguments: string[],
): Promise<Command> {
  // Looked for at every start: after a crash the job restores its newest checkpoint.
  const snapshot = await newestSnapshot(folders.snapshots);
  // A JobManager plans the SQL once and then has little to do.
  return flinkCommand(
    runtime,
    folders,
    [...memory.jvm, ...QUICK_START],
    [
      'org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint',
      '--configDir',
      folders.configuration,
      ...memory.dynamic,
      '-D',
      'execution.target=embedded',
      ...(snapshot ? ['--fromSavepoint', pathToFileURL(snapshot).href] : []),
      ...(spec.job.allowNonRestoredState ? ['--allowNonRestoredState'] : []),
      '--job-classname',
      spec.job.entryClass,
      ...jobArguments,
    ],
  );
}

function taskManagerCommand(runtime: LocalRuntime, folders: FlinkFolders, memory: MemoryArguments): Command {
  return flinkCommand(runtime, folders, memory.jvm, [
    'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
    '--configDir',
    folders.configuration,
    ...memory.dynamic,
  ]);
}

function flinkCommand(runtime: LocalRuntime, folders: FlinkFolders, jvm: string[], main: string[]): Command {
  const { java, jars } = runtime;
  return {
    file: java,
    args: [
      ...jvm,
      ...OPENED_MODULES,
      // Flink unpacks tens of megabytes here at each start; the next start empties it.
      `-Djava.io.tmpdir=${folders.temporary}`,
      `-Dlog4j.configurationFile=${join(folders.configuration, 'log4j2.properties')}`,
      '-cp',
      classPath([jars.flinkLib, ...folders.libraries]),
      ...main,
    ],
    env: { FLINK_CONF_DIR: folders.configuration, FLINK_OPT_DIR: jars.flinkOpt },
  };
}

async function stopCluster(
  runtime: LocalRuntime,
  rest: FlinkRest,
  folders: FlinkFolders,
  jobManager: SupervisedProcess,
  taskManagers: SupervisedProcess[],
): Promise<void> {
  // Once its job has ended the JobManager ends too, and that is no crash.
  for (const process of [jobManager, ...taskManagers]) process.expectExit();
  try {
    const job = await rest.job();
    if (job?.allTasksRunning) await rest.stopWithSavepoint(job.id, pathToFileURL(folders.snapshots).href);
  } catch (error) {
    runtime.report(`no savepoint (${(error as Error).message}): the next start restores the last checkpoint`);
  }
  await Promise.all([jobManager, ...taskManagers].map((process) => process.stop()));
}
