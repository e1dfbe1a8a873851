import { Kafka, logLevel } from 'kafkajs';
import { until } from '../../local/process/retry.ts';

/** How long what is in a topic may take to be read. */
const REACH_MILLIS = 60_000;

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
  const records: TopicRecord[] = [];
  await using followed = await followTopic(kafka, topic, encoding, (record, offset) => {
    if (offset < (ends.get(record.partition) ?? 0)) records.push(record);
  });
  await followed.reaches(ends);
  return records;
}

/** A topic that is read for as long as it is used. */
interface Followed extends AsyncDisposable {
  /** Resolves when all before these offsets, by partition, was taken. */
  reaches(ends: Map<number, number>): Promise<void>;
}

/**
 * Reads a topic from its start on, and continues as it grows.
 *
 * @param take is given each record, and its offset
 */
export async function followTopic(
  kafka: Kafka,
  topic: string,
  encoding: 'utf8' | 'latin1',
  take: (record: TopicRecord, offset: number) => void,
): Promise<Followed> {
  const next = new Map<number, number>();
  const consumer = kafka.consumer({
    groupId: `test-${crypto.randomUUID()}`,
    minBytes: 1,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { key, value, timestamp, offset } of batch.messages) {
        const record = {
          partition: batch.partition,
          key: key?.toString() ?? null,
          value: value?.toString(encoding) ?? null,
          timestamp: Number(timestamp),
        };
        take(record, Number(offset));
      }
      next.set(batch.partition, Number(batch.lastOffset()) + 1);
    },
  });
  return {
    async reaches(ends) {
      const isThere = async () =>
        [...ends].every(([partition, end]) => (next.get(partition) ?? 0) >= end) || undefined;
      await until(isThere, { everyMillis: 20, signal: AbortSignal.timeout(REACH_MILLIS) });
    },
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

/** The offset after the last record of each partition. */
export async function endOffsets(kafka: Kafka, topic: string): Promise<Map<number, number>> {
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
