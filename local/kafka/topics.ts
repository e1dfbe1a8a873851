import { type KafkaAdmin, type NewTopic, setTopicConfigs } from '../../kafka/admin.ts';
import type { KafkaTopic } from '../../plan/objects.ts';
import { until } from '../process/retry.ts';

/**
 * Makes the topics what the KafkaTopic objects say: created, grown to their partitions, given their config.
 */
export async function applyTopics(admin: KafkaAdmin, topics: KafkaTopic[]): Promise<void> {
  const existing = new Set(await admin.listTopics());
  await createTopics(
    admin,
    topics
      .filter((topic) => !existing.has(topic.metadata.name))
      .map((topic) => ({
        topic: topic.metadata.name,
        numPartitions: topic.spec.partitions,
        configEntries: configEntries(topic),
      })),
  );
  const kept = topics.filter((topic) => existing.has(topic.metadata.name));
  if (kept.length > 0) await updateTopics(admin, kept);
}

/** How long Kafka may take to make topics, on a machine that is busy with other things. */
const CREATION_MILLIS = 300_000;

/**
 * Creates topics and waits until they can be used: the broker has heard of them a moment after the controller
 * has made them.
 */
export async function createTopics(admin: KafkaAdmin, topics: NewTopic[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics, timeout: CREATION_MILLIS });
  const names = topics.map(({ topic }) => topic);
  const signal = AbortSignal.timeout(CREATION_MILLIS);
  await until(() => haveLeaders(admin, names), { everyMillis: 50, signal });
}

async function haveLeaders(admin: KafkaAdmin, topics: string[]): Promise<true | undefined> {
  if (topics.length === 0) return true;
  const metadata = await admin.fetchTopicMetadata({ topics }).catch((error: { type?: string }) => {
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION' || error.type === 'LEADER_NOT_AVAILABLE') return;
    throw error;
  });
  const led = metadata?.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  return led ? true : undefined;
}

async function updateTopics(admin: KafkaAdmin, topics: KafkaTopic[]): Promise<void> {
  // Partitions only grow, as with Strimzi.
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map((topic) => topic.metadata.name) });
  const counts = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
  const topicPartitions = topics
    .filter((topic) => topic.spec.partitions > (counts.get(topic.metadata.name) ?? 0))
    .map((topic) => ({ topic: topic.metadata.name, count: topic.spec.partitions }));
  if (topicPartitions.length > 0) await admin.createPartitions({ topicPartitions });
  const configs = topics.map((topic) => ({
    name: topic.metadata.name,
    configEntries: configEntries(topic),
  }));
  await setTopicConfigs(admin, configs);
}

function configEntries({ spec }: KafkaTopic): { name: string; value: string }[] {
  return Object.entries(spec.config).map(([name, value]) => ({ name, value: String(value) }));
}
