import { randomUUID } from 'node:crypto';
import type { Consumer, KafkaMessage } from 'kafkajs';
import type { KafkaAdmin } from './admin.ts';
import type { KafkaClient } from './client.ts';
import { type KafkaRecord, rawRecord } from './topic-reader.ts';

/*
 * Reading slices of a topic of one partition on demand. The connection is made by the first reading and
 * kept for a minute after the last, because joining a consumer group takes seconds on a broker with default
 * settings, and kafkajs cannot fetch without one. Readings take turns. Whatever goes wrong ends the
 * connection; the next reading makes a new one.
 */

/** Offsets of a topic: from the first kept to the one after the last wanted. */
export interface OffsetRange {
  first: bigint;
  end: bigint;
}

/** A record with its place in the topic. */
export interface StoredRecord extends KafkaRecord {
  offset: bigint;
}

interface Connection {
  admin: KafkaAdmin;
  consumer: Consumer;
}

/** The reading under way. */
interface Reading extends Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'> {
  end: bigint;
  take(records: StoredRecord[]): void;
}

/** How long the connection is kept without being used. */
const IDLE_MILLIS = 60_000;

/** How long kafkajs sleeps while there is nothing to read: a slice begins that much later. */
const MAX_WAIT_MILLIS = 20;

/** What a fetch brings at most; what lies after the end of a slice is fetched in vain. */
const FETCH_BYTES = 256 * 1024;

/** How many records are looked at for the one that is later, which mostly is the first of them. */
const LOOK_AHEAD = 50n;

const PARTITION = 0;

export class TopicSlices {
  readonly #kafka: KafkaClient;
  readonly #topic: string;
  readonly #program: string;
  #connection: Promise<Connection> | undefined;
  #reading: Reading | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  /** @param program who reads: part of the name of its consumer group */
  constructor(kafka: KafkaClient, topic: string, program: string) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#program = program;
  }

  /**
   * Where the records up to a moment lie.
   *
   * @param untilMillis epoch milliseconds; the end is the first record with a later timestamp, and for
   * Infinity that of the topic
   * @throws what kafkajs reports when the topic cannot be read, or the signal's reason
   */
  async extent(untilMillis: number, signal: AbortSignal): Promise<OffsetRange> {
    const { first, end, later } = await this.#use(signal, async ({ admin }) => {
      const [all] = await admin.fetchTopicOffsets(this.#topic);
      const [first, end] = [BigInt(all?.low ?? 0), BigInt(all?.high ?? 0)];
      if (untilMillis === Number.POSITIVE_INFINITY) return { first, end, later: end };
      const [found] = await admin.fetchTopicOffsetsByTimestamp(this.#topic, untilMillis + 1);
      return { first, end, later: BigInt(found?.offset ?? 0) };
    });
    // The end of a transaction has the time of its commit, which may be after that of records that follow.
    let isFound = false;
    let last = later;
    const take = (records: StoredRecord[]) => {
      const found = isFound ? undefined : records.find((record) => record.timestampMillis > untilMillis);
      last = found?.offset ?? last;
      isFound ||= found !== undefined;
    };
    for (let position = later; position < end && !isFound; ) {
      const until = position + LOOK_AHEAD < end ? position + LOOK_AHEAD : end;
      last = until;
      await this.read({ first: position, end: until }, take, signal);
      position = until;
    }
    return { first, end: last };
  }

  /**
   * Reads the records from offset `first` to before `end`, of which there must be one at least.
   *
   * @param take takes the records in, fetch by fetch in order; must return at once
   * @throws what kafkajs reports when the topic cannot be read, or the signal's reason
   */
  read(
    { first, end }: OffsetRange,
    take: (records: StoredRecord[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#use(signal, async ({ consumer }) => {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.#reading = { end, take, resolve, reject };
      consumer.seek({ topic: this.#topic, partition: PARTITION, offset: String(first) });
      consumer.resume([{ topic: this.#topic }]);
      try {
        await promise;
      } finally {
        this.#reading = undefined;
        signal.removeEventListener('abort', abort);
        consumer.pause([{ topic: this.#topic }]);
      }
    });
  }

  /**
   * Reads all that the topic has now.
   *
   * @param take called with each record, in order
   * @throws as read() does
   */
  async readAll(take: (record: KafkaRecord) => void, signal: AbortSignal): Promise<void> {
    const all = await this.extent(Number.POSITIVE_INFINITY, signal);
    const takeAll = (records: KafkaRecord[]) => {
      for (const record of records) take(record);
    };
    if (all.first < all.end) await this.read(all, takeAll, signal);
  }

  /**
   * The last record that there is; undefined when there is none.
   *
   * @throws as read() does
   */
  async newest(signal: AbortSignal): Promise<StoredRecord | undefined> {
    const { first, end } = await this.extent(Number.POSITIVE_INFINITY, signal);
    let newest: StoredRecord | undefined;
    const take = (records: StoredRecord[]) => {
      newest = records.at(-1) ?? newest;
    };
    // Markers of transactions have offsets, too, and so have records of those that were aborted.
    for (let size = 10n, until = end; !newest && until > first; size *= 10n) {
      const start = until - size > first ? until - size : first;
      await this.read({ first: start, end: until }, take, signal);
      until = start;
    }
    return newest;
  }

  /** Asks the cluster something over the connection. */
  ask<T>(act: (admin: KafkaAdmin) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#use(signal, ({ admin }) => act(admin));
  }

  /** Ends the connection; the next reading makes a new one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    this.#reading?.reject(new Error('the connection was closed'));
    const connection = this.#connection;
    this.#connection = undefined;
    const ended = await connection?.catch(() => undefined);
    await Promise.allSettled([ended?.consumer.disconnect(), ended?.admin.disconnect()]);
  }

  #use<T>(signal: AbortSignal, act: (connection: Connection) => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      signal.throwIfAborted();
      clearTimeout(this.#idle);
      this.#connection ??= this.#connect();
      try {
        return await act(await this.#connection);
      } catch (error) {
        await this.close();
        throw error;
      } finally {
        this.#idle = setTimeout(() => this.close(), IDLE_MILLIS).unref();
      }
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #connect(): Promise<Connection> {
    const admin = this.#kafka.admin();
    const consumer = this.#kafka.consumer({
      groupId: `${this.#topic}-${this.#program}-${randomUUID()}`,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: MAX_WAIT_MILLIS,
      maxBytesPerPartition: FETCH_BYTES,
      retry: { restartOnFailure: async () => false },
    });
    // kafkajs tells of a failure to join by this event alone.
    let failure: Error | undefined;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      failure = payload.error;
    });
    try {
      await Promise.all([admin.connect(), consumer.connect()]);
      await consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { messages } }) => {
          const reading = this.#reading;
          reading?.take(messages.map(storedRecord).filter(({ offset }) => offset < reading.end));
        },
      });
      if (failure) throw failure;
      consumer.pause([{ topic: this.#topic }]);
    } catch (error) {
      await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
      throw error;
    }
    this.#watch(consumer);
    return { admin, consumer };
  }

  #watch(consumer: Consumer): void {
    const lost = (error: Error) => {
      this.#reading?.reject(error);
      // It closes what it can, and never rejects.
      void this.close();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => lost(payload.error));
    // A seek relies on the group.
    consumer.on(consumer.events.GROUP_JOIN, () =>
      lost(new Error('the topic or the consumer group has changed')),
    );
    // The end of a slice; by event, as in topic-reader.ts.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (this.#reading && BigInt(payload.lastOffset) + 1n >= this.#reading.end) this.#reading.resolve();
    });
  }
}

function storedRecord(message: KafkaMessage): StoredRecord {
  return { ...rawRecord(message), offset: BigInt(message.offset) };
}
