import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { freePort, LOOPBACK } from './ports.ts';
import { until } from './retry.ts';
import type { SupervisedProcess } from './supervisor.ts';
import type { Workshop } from './workshop.ts';

const run = promisify(execFile);

/** A running broker. */
export interface Broker {
  bootstrapServers: string;
  admin: Admin;
  process: SupervisedProcess;
}

/** Starts a single-node Kafka (broker and controller in one) that keeps its data in the workshop's folder. */
export async function startKafka(workshop: Workshop, wantedPort = 0): Promise<Broker> {
  const { report, signal } = workshop;
  const folder = join(workshop.stateDir, 'kafka');
  const port = await freePort(wantedPort);
  const properties = await writeProperties(folder, port, await freePort());
  await formatOnce(workshop, folder, properties);
  const process = workshop.spawn('kafka', () => ({
    file: workshop.java,
    args: [...jvm(workshop), 'kafka.Kafka', properties],
  }));
  const bootstrapServers = `${LOOPBACK}:${port}`;
  const admin = newAdmin(bootstrapServers);
  workshop.onClose(() => admin.disconnect());
  await until(() => connect(admin), { everyMillis: 250, signal });
  report(`Kafka is ready on ${bootstrapServers}`);
  return { bootstrapServers, admin, process };
}

function newAdmin(bootstrapServers: string): Admin {
  const kafka = new Kafka({
    clientId: 'local',
    brokers: [bootstrapServers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 2 },
  });
  return kafka.admin();
}

async function connect(admin: Admin): Promise<true | undefined> {
  try {
    await admin.connect();
    await admin.describeCluster();
    return true;
  } catch {
    return undefined;
  }
}

async function writeProperties(folder: string, port: number, controllerPort: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'server.properties');
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
    // A broker that was killed and came back is let in at once, not after its old session has run out.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
  }).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

/** A broker starts only on a folder that was given a cluster id, which it keeps. */
async function formatOnce(workshop: Workshop, folder: string, properties: string): Promise<void> {
  if (existsSync(join(folder, 'data', 'meta.properties'))) return;
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  const args = [...jvm(workshop), 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties];
  await run(workshop.java, args, { signal: workshop.signal });
}

function jvm({ jars }: Workshop): string[] {
  return [
    '-Xms256m',
    '-Xmx512m',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss',
    '-cp',
    `${jars.kafka}/*`,
  ];
}
