import { Kafka, logLevel } from 'kafkajs';

export interface TopicRecord {
  partition: number;
  key: string | null;
  value: string | null;
  timestamp: number;
}

export function kafkaClient(bootstrapServers: string): Kafka {
  return new Kafka({ clientId: 'test', brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
}

/**
 * All that a topic holds now, from its start to its end. Values that are not text have their bytes as the
 * characters of latin1.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<TopicRecord[]> {
  const ends = await endOffsets(kafka, topic);
  const wanted = [...ends.values()].reduce((sum, end) => sum + end, 0);
  const records: TopicRecord[] = [];
  if (wanted === 0) return records;
  const consumer = kafka.consumer({
    groupId: `test-${crypto.randomUUID()}`,
    minBytes: 1,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            for (const { key, value, timestamp, offset } of batch.messages) {
              if (Number(offset) >= (ends.get(batch.partition) ?? 0)) continue;
              records.push({
                partition: batch.partition,
                key: key?.toString() ?? null,
                value: value?.toString(encoding) ?? null,
                timestamp: Number(timestamp),
              });
            }
            if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0))
              open.delete(batch.partition);
            if (open.size === 0) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

async function endOffsets(kafka: Kafka, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
  }
}

/** What a compacted topic holds in the end: the last value of each key, tombstones taken away. */
export function newestByKey(records: TopicRecord[]): Map<string, string> {
  const newest = new Map<string, string>();
  for (const { key, value } of records) {
    if (key === null) continue;
    if (value === null) newest.delete(key);
    else newest.set(key, value);
  }
  return newest;
}
