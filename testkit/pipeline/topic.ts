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
  const records: TopicRecord[] = [];
  await using followed = await followTopic(kafka, topic, encoding, (record, isNow) => {
    if (isNow) records.push(record);
  });
  await followed.untilNow;
  return records;
}

/** A topic that is read for as long as it is used. */
interface Followed extends AsyncDisposable {
  /** Resolves when all was taken that the topic held when it began. */
  untilNow: Promise<void>;
}

/**
 * Reads a topic from its start on, and continues as it grows.
 *
 * @param take is given each record, and whether it was there when this began
 */
export async function followTopic(
  kafka: Kafka,
  topic: string,
  encoding: 'utf8' | 'latin1',
  take: (record: TopicRecord, isNow: boolean) => void,
): Promise<Followed> {
  const ends = await endOffsets(kafka, topic);
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  const { promise: untilNow, resolve, reject } = Promise.withResolvers<void>();
  if (open.size === 0) resolve();
  const consumer = kafka.consumer({
    groupId: `test-${crypto.randomUUID()}`,
    minBytes: 1,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  consumer
    .run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const end = ends.get(batch.partition) ?? 0;
        for (const { key, value, timestamp, offset } of batch.messages) {
          const record = {
            partition: batch.partition,
            key: key?.toString() ?? null,
            value: value?.toString(encoding) ?? null,
            timestamp: Number(timestamp),
          };
          take(record, Number(offset) < end);
        }
        if (Number(batch.lastOffset()) + 1 >= end) open.delete(batch.partition);
        if (open.size === 0) resolve();
      },
    })
    .catch(reject);
  return { untilNow, [Symbol.asyncDispose]: () => consumer.disconnect() };
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
