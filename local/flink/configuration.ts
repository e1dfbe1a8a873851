import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { FlinkDeployment } from '../../plan/objects.ts';
import type { LocalRuntime } from '../local-runtime.ts';
import { QUICK_START } from '../process/java.ts';
import { LOOPBACK } from '../process/ports.ts';

const run = promisify(execFile);

/** Where a job's files are. */
export interface FlinkFolders {
  configuration: string;
  /** The file with the job's SQL. */
  script: string;
  snapshots: string;
  temporary: string;
  /** Folders of jars that the job needs besides Flink's. */
  libraries: string[];
}

export interface FlinkPorts {
  rest: number;
  rpc: number;
}

/** How a JVM of Flink's is started: options of the JVM, then configuration keys for its main class. */
export interface MemoryArguments {
  jvm: string[];
  dynamic: string[];
}

/** What only a cluster has: Kubernetes itself, and the places of its durable state. */
const CLUSTER_ONLY =
  /^(kubernetes\.|high-availability\.|execution\.checkpointing\.(storage|dir|savepoint-dir)$)/;

/** For a machine that is busy with other things: there, Flink's own time-outs end what is only slow. */
const PATIENT = {
  'pekko.ask.timeout': '2 min',
  'heartbeat.timeout': '3 min',
  'client.timeout': '10 min',
  'taskmanager.registration.timeout': '15 min',
};

/**
 * Writes config.yaml and the log's configuration: the FlinkDeployment's own, with what is local laid over it.
 */
export async function writeConfiguration(
  { spec }: FlinkDeployment,
  folders: FlinkFolders,
  ports: FlinkPorts,
): Promise<void> {
  const own = Object.entries(spec.flinkConfiguration).filter(([key]) => !CLUSTER_ONLY.test(key));
  const configuration = {
    ...PATIENT,
    ...Object.fromEntries(own),
    'parallelism.default': spec.job.parallelism,
    'jobmanager.memory.process.size': spec.jobManager.resource.memory,
    'taskmanager.memory.process.size': spec.taskManager.resource.memory,
    'jobmanager.rpc.address': LOOPBACK,
    'jobmanager.rpc.port': ports.rpc,
    'jobmanager.bind-host': LOOPBACK,
    'taskmanager.host': LOOPBACK,
    'taskmanager.bind-host': LOOPBACK,
    'rest.address': LOOPBACK,
    'rest.bind-address': LOOPBACK,
    'rest.port': ports.rest,
    'io.tmp.dirs': folders.temporary,
    'execution.checkpointing.dir': pathToFileURL(folders.snapshots).href,
    // Kept when we are killed, so that the next start finds the newest.
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
  };
  await mkdir(folders.configuration, { recursive: true });
  await mkdir(folders.temporary, { recursive: true });
  await writeFile(join(folders.configuration, 'config.yaml'), stringify(configuration));
  await writeFile(join(folders.configuration, 'log4j2.properties'), LOGGING);
}

const LOGGING = `rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} - %m%n
`;

/**
 * Splits a process's memory as Flink's own start scripts do, with the very class they ask.
 *
 * @param jvm options of every JVM of Flink's
 */
export async function memoryArguments(
  runtime: LocalRuntime,
  configurationFolder: string,
  process: 'JM' | 'TM',
  jvm: string[],
): Promise<MemoryArguments> {
  const { stdout } = await run(
    runtime.java,
    [
      ...jvm,
      ...QUICK_START,
      '-cp',
      `${runtime.jars.flinkLib}/*`,
      'org.apache.flink.runtime.util.bash.BashJavaUtils',
      `GET_${process}_RESOURCE_PARAMS`,
      '--configDir',
      configurationFolder,
    ],
    { signal: runtime.signal },
  );
  const [memory = '', dynamic = ''] = stdout
    .split('\n')
    .filter((line) => line.startsWith(RESULT))
    .map((line) => line.slice(RESULT.length).trim());
  return { jvm: [...jvm, ...words(memory)], dynamic: words(dynamic) };
}

const RESULT = 'BASH_JAVA_UTILS_EXEC_RESULT:';

function words(line: string): string[] {
  return line.split(/\s+/).filter(Boolean);
}
