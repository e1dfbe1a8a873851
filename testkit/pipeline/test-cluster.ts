import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kafka } from 'kafkajs';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { type FlinkCluster, startFlink } from '../../local/flink/cluster.ts';
import { loadLayout } from '../../local/flink/layout-file.ts';
import { type Broker, startKafka } from '../../local/kafka/broker.ts';
import { applyTopics, createTopics } from '../../local/kafka/topics.ts';
import { type LocalRuntime, startLocalRuntime } from '../../local/local-runtime.ts';
import type { FlinkDeployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { kafkaClient } from './topic.ts';

/** A real Kafka in its own folder, and Flink jobs that use it. */
export interface TestCluster {
  broker: Broker;
  kafka: Kafka;
  runtime: LocalRuntime;
  /**
   * Creates the topics of a resource and starts its Flink job. The events topic is made here too when it is
   * the user's own.
   */
  startJob(resource: GameAnalytics): Promise<FlinkCluster>;
  stop(): Promise<void>;
}

/** @param kafkaPort where Kafka listens; 0: anywhere */
export async function startTestCluster(kafkaPort = 0): Promise<TestCluster> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gameanalytics-test-'));
  const report = (sentence: string) => void process.stderr.write(`  [cluster] ${sentence}\n`);
  const runtime = await startLocalRuntime(stateDir, report, new AbortController().signal);
  const broker = await startKafka(runtime, kafkaPort);
  return {
    broker,
    runtime,
    kafka: kafkaClient(broker.bootstrapServers),
    startJob: (resource) => startJob(runtime, broker, resource),
    async stop() {
      await runtime.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

async function startJob(
  runtime: LocalRuntime,
  broker: Broker,
  resource: GameAnalytics,
): Promise<FlinkCluster> {
  const { bootstrapServers, admin } = broker;
  const layout = await loadLayout(runtime.stateDir);
  const objects = plan(resource, { bootstrapServers, appImage: 'local', flinkImage: 'local', layout });
  const { topic, partitions } = resource.spec.events;
  if (topic) await createEventsTopic(admin, topic, partitions);
  await applyTopics(
    admin,
    objects.filter((object): object is KafkaTopic => object.kind === 'KafkaTopic'),
  );
  const deployment = objects.find((object): object is FlinkDeployment => object.kind === 'FlinkDeployment');
  if (!deployment) throw new Error('the plan has no FlinkDeployment');
  return startFlink(runtime, deployment);
}

/** Events of tests are as old as their dates: they must not be deleted for it. */
async function createEventsTopic(
  admin: Broker['admin'],
  topic: string,
  numPartitions: number,
): Promise<void> {
  const configEntries = [{ name: 'retention.ms', value: '-1' }];
  const existing = await admin.listTopics();
  if (!existing.includes(topic)) await createTopics(admin, [{ topic, numPartitions, configEntries }]);
}
