import { randomUUID } from 'node:crypto';
import type { Consumer, KafkaMessage } from 'kafkajs';
import type { KafkaClient } from './client.ts';
import { isUnknownTopic } from './errors.ts';
import { ReadProgress } from './read-progress.ts';

/*
 * Reading one topic from its start, once. A reading ends with an error whenever it can no longer be trusted:
 * the broker is gone, the topic was deleted or recreated, the group was lost. The caller then starts a new
 * one from the start of the topic, which for a compacted topic is cheap and makes every kind of trouble heal
 * the same way.
 */

/** A record as Kafka hands it over; the timestamp is epoch milliseconds. */
export interface KafkaRecord {
  key: Buffer | null;
  value: Buffer | null;
  timestampMillis: number;
}

/** Who takes the records in. All methods must return at once. */
export interface TopicReader {
  /** All records of one fetch, in order. */
  take(records: KafkaRecord[]): void;
  /** Called once: everything that was in the topic when reading began has been taken. */
  caughtUp(): void;
  /** Called after each fetch: so many records have been written and not been read. */
  lagged(records: number): void;
  /** Called when Kafka stops to answer, and when it answers again. */
  silent(isSilent: boolean): void;
}

/** How long the broker may hold an empty fetch; also bounds how long stopping takes. */
const MAX_WAIT_MILLIS = 500;

/** A fetch that is not answered for so long is not held, but hangs. */
const SILENCE_MILLIS = 5000;

/** What a fetch brings at most, whatever the topic holds; one record that is larger comes alone. */
const FETCH_BYTES = 1024 * 1024;

/** How soon a deleted topic is noticed. */
const METADATA_MAX_AGE_MILLIS = 30_000;

/**
 * Reads `topic` from its start and follows it until `signal` is aborted.
 *
 * @throws whatever made reading impossible, as kafkajs reports it
 */
export async function readTopic(
  kafka: KafkaClient,
  topic: string,
  reader: TopicReader,
  signal: AbortSignal,
): Promise<void> {
  const progress = new ReadProgress(await endOffsets(kafka, topic));
  if (signal.aborted) return;
  const consumer = kafka.consumer({
    // A separate group: every process needs every record, and nothing is ever committed.
    groupId: `${topic}-dashboard-${randomUUID()}`,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: MAX_WAIT_MILLIS,
    maxBytesPerPartition: FETCH_BYTES,
    maxBytes: FETCH_BYTES,
    metadataMaxAge: METADATA_MAX_AGE_MILLIS,
    // Starting again is the caller's, from the start of the topic.
    retry: { restartOnFailure: async () => false },
  });
  const ended = endOfReading(consumer, signal);
  reportProgress(consumer, progress, reader, ended.reject);
  const endWatch = watchSilence(consumer, reader);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    if (progress.complete) reader.caughtUp();
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => reader.take(batch.messages.map(rawRecord)),
    });
    await ended.promise;
  } finally {
    endWatch();
    // Nothing depends on a clean goodbye: an empty group without offsets is forgotten by the broker.
    await consumer.disconnect().catch(() => {});
  }
}

async function endOffsets(kafka: KafkaClient, topic: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    const unread = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
    return new Map(unread.map(({ partition, high }) => [partition, BigInt(high)]));
  } catch (error) {
    throw isUnknownTopic(error) ? new Error(`topic ${topic} does not exist`) : error;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

function endOfReading(consumer: Consumer, signal: AbortSignal): PromiseWithResolvers<void> {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {}); // it may reject before anyone waits for it
  let joined = false;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    // Joined again: something has changed under us.
    if (joined) ended.reject(new Error('the topic or the consumer group has changed'));
    joined = true;
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => ended.reject(payload.error));
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  return ended;
}

function watchSilence(consumer: Consumer, reader: TopicReader): () => void {
  // A broker that hangs keeps its connections open, and kafkajs takes most of a minute to give up on them.
  let timer: NodeJS.Timeout | undefined;
  let isSilent = false;
  const tell = (silent: boolean) => {
    if (silent !== isSilent) reader.silent(silent);
    isSilent = silent;
  };
  consumer.on(consumer.events.FETCH, () => {
    clearTimeout(timer);
    timer = setTimeout(() => tell(true), SILENCE_MILLIS);
    tell(false);
  });
  return () => clearTimeout(timer);
}

function reportProgress(
  consumer: Consumer,
  progress: ReadProgress,
  reader: TopicReader,
  fail: (error: Error) => void,
): void {
  // Not in eachBatch, which is not called for fetches that hold only transaction markers.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const wasComplete = progress.complete;
    const continuous = progress.advance(
      payload.partition,
      BigInt(payload.firstOffset),
      BigInt(payload.lastOffset),
    );
    reader.lagged(progress.lag(payload.partition, BigInt(payload.highWatermark)));
    if (!continuous) fail(new Error('the topic has been recreated'));
    else if (progress.complete && !wasComplete) reader.caughtUp();
  });
}

/** A record as kafkajs returns it, in this program's terms. */
export function rawRecord({ key, value, timestamp }: KafkaMessage): KafkaRecord {
  return { key, value, timestampMillis: Number(timestamp) };
}
