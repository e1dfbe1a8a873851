import kafkajs, { type Admin } from 'kafkajs';
import type { KafkaTopic } from '../plan/objects.ts';

const { ConfigResourceTypes } = kafkajs; // Not an export that Node finds by name.

/** Makes the topics what the KafkaTopic objects say: created, grown to their partitions, given their config. */
export async function applyTopics(admin: Admin, topics: KafkaTopic[]): Promise<void> {
  const existing = new Set(await admin.listTopics());
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics
      .filter((topic) => !existing.has(topic.metadata.name))
      .map((topic) => ({
        topic: topic.metadata.name,
        numPartitions: topic.spec.partitions,
        configEntries: configEntries(topic),
      })),
  });
  const kept = topics.filter((topic) => existing.has(topic.metadata.name));
  if (kept.length > 0) await update(admin, kept);
}

async function update(admin: Admin, topics: KafkaTopic[]): Promise<void> {
  await grow(admin, topics);
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map((topic) => ({
      type: ConfigResourceTypes.TOPIC,
      name: topic.metadata.name,
      configEntries: configEntries(topic),
    })),
  });
}

/** Partitions only grow, as with Strimzi. */
async function grow(admin: Admin, topics: KafkaTopic[]): Promise<void> {
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map((topic) => topic.metadata.name) });
  const counts = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
  const topicPartitions = topics
    .filter((topic) => topic.spec.partitions > (counts.get(topic.metadata.name) ?? 0))
    .map((topic) => ({ topic: topic.metadata.name, count: topic.spec.partitions }));
  if (topicPartitions.length > 0) await admin.createPartitions({ topicPartitions });
}

function configEntries({ spec }: KafkaTopic): { name: string; value: string }[] {
  return Object.entries(spec.config).map(([name, value]) => ({ name, value: String(value) }));
}
