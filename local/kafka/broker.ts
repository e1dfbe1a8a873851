import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { type KafkaAdmin, localAdmin } from '../../kafka/admin.ts';
import { clusterCaSecret } from '../../plan/kafka-access.ts';
import { rootCause } from '../flink/error.ts';
import type { LocalRuntime } from '../local-runtime.ts';
import { QUICK_START } from '../process/java.ts';
import { freePort, LOOPBACK } from '../process/ports.ts';
import { until } from '../process/retry.ts';
import type { SupervisedProcess } from '../process/supervisor.ts';
import type { CertificateAuthority } from './certificates.ts';
import { writeSecret } from './secrets.ts';
import { type SecuredListener, secureListener } from './security.ts';

const run = promisify(execFile);

const PROPERTIES = 'server.properties';

/** A running broker. */
export interface Broker {
  /** The listener without authorization, to administer the broker and for people on this machine. */
  bootstrapServers: string;
  /** Where the pipeline's programs connect: the same, unless they sign in. */
  clientServers: string;
  /** Signs for the broker and its users, when they sign in. */
  authority?: CertificateAuthority;
  admin: KafkaAdmin;
  process: SupervisedProcess;
}

/**
 * Starts a single-node Kafka (broker and controller in one) that keeps its data in the runtime's folder.
 *
 * @param spec a resource's: with authentication there is a listener that asks for it, and the Secret with its
 * CA
 */
export async function startKafka(
  runtime: LocalRuntime,
  wantedPort = 0,
  spec?: GameAnalytics['spec']['kafka'],
): Promise<Broker> {
  const { report, signal } = runtime;
  const folder = join(runtime.stateDir, 'kafka');
  await mkdir(folder, { recursive: true });
  const port = await freePort(wantedPort);
  const secured = spec?.authentication && (await secureListener(folder, spec.authentication.type));
  if (spec && secured)
    await writeSecret(runtime.stateDir, clusterCaSecret(spec.cluster), {
      'ca.crt': secured.authority.certificate,
    });
  const properties = await writeProperties(folder, port, await freePort(), secured);
  await formatOnce(runtime, folder, properties);
  const process = runtime.spawn('kafka', () => ({
    file: runtime.java,
    args: [...jvm(runtime), 'kafka.Kafka', properties],
  }));
  const bootstrapServers = `${LOOPBACK}:${port}`;
  const admin = localAdmin(bootstrapServers);
  runtime.onClose(() => admin.disconnect());
  // A broker that ends again and again does not take its data, or its configuration.
  const assertNotCrashing = () =>
    process.assertNotCrashing((log) => {
      const exceptions = log.match(/^(?:Caused by: )?[\w$.]+(?:Exception|Error)\b.*$/gm);
      const cause = rootCause(exceptions?.at(-1) ?? '') || 'no cause was logged';
      return `Kafka does not start: ${cause}\n  Its log: ${process.logFile}\n  If its data is damaged, delete ${folder} and ${join(folder, '..', 'flink')}: the next run starts empty.`;
    });
  await until(async () => (await connect(admin)) ?? assertNotCrashing(), { everyMillis: 250, signal });
  report(`Kafka is ready on ${bootstrapServers}`);
  if (!secured) return { bootstrapServers, clientServers: bootstrapServers, admin, process };
  const { authority } = secured;
  return { bootstrapServers, clientServers: `${LOOPBACK}:${secured.port}`, authority, admin, process };
}

/**
 * Where the Kafka of a state folder listens for people on this machine, or did when it last ran; undefined
 * when none ever ran in the folder.
 */
export async function readBootstrapServers(stateDir: string): Promise<string | undefined> {
  const properties = await readFile(join(stateDir, 'kafka', PROPERTIES), 'utf8').catch(() => '');
  return /^advertised\.listeners=PLAINTEXT:\/\/([^,\s]+)/m.exec(properties)?.[1];
}

async function connect(admin: KafkaAdmin): Promise<true | undefined> {
  try {
    await admin.connect();
    await admin.describeCluster();
    return true;
  } catch {
    return undefined;
  }
}

async function writeProperties(
  folder: string,
  port: number,
  controllerPort: number,
  secured: SecuredListener | undefined,
): Promise<string> {
  const file = join(folder, PROPERTIES);
  const lines = Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    // A static quorum, so that the controller's port may differ at each start.
    'controller.quorum.voters': `1@${LOOPBACK}:${controllerPort}`,
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A machine that is busy with other things is slow at this.
    'initial.broker.registration.timeout.ms': 600_000,
    ...secured?.properties(port, controllerPort),
  }).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

async function formatOnce(runtime: LocalRuntime, folder: string, properties: string): Promise<void> {
  // A broker starts only on a folder that was given a cluster id, which it keeps.
  if (existsSync(join(folder, 'data', 'meta.properties'))) return;
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  // In one word, as an id may begin with a dash.
  const args = [...jvm(runtime), 'kafka.tools.StorageTool', 'format', `--cluster-id=${id}`, '-c', properties];
  await run(runtime.java, args, { signal: runtime.signal });
}

function jvm(runtime: LocalRuntime): string[] {
  return [
    '-Xms256m',
    '-Xmx512m',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss',
    ...classPath(runtime),
  ];
}

/** Options of a JVM for one of Kafka's tools, which soon has done what it is for. */
export function kafkaTool(runtime: LocalRuntime): string[] {
  return [...QUICK_START, '-Xmx128m', ...classPath(runtime)];
}

function classPath({ jars }: LocalRuntime): string[] {
  return ['-cp', `${jars.kafka}/*`];
}
