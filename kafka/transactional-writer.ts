import { setTimeout } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';
import type { KafkaClient } from './client.ts';
import { isConcurrentTransaction } from './errors.ts';
import { PRODUCER } from './producer-config.ts';

/** A record to be written; the key chooses its partition. */
export interface NewRecord {
  key: string | Buffer | null;
  value: string | Buffer | null;
  headers?: Record<string, string>;
  /** Kafka's time of the record, in epoch milliseconds; unset: now. */
  timestampMillis?: number;
}

/** How far a group has come in a topic of one partition: the offset of the record that is next. */
export interface Position {
  topic: string;
  next: bigint;
  /** What its commit says besides; undefined: nothing. */
  note?: string | undefined;
}

/** What is written and committed together, or not at all. */
export interface Transaction {
  /**
   * Writes records, in their order.
   *
   * @returns the offset after the last one, in a topic of one partition; undefined: there was none
   */
  write(records: readonly NewRecord[]): Promise<bigint | undefined>;
  commit(group: string, positions: readonly Position[]): Promise<void>;
}

/** How many records are written in a transaction where the caller has no other limit. */
const MOST_AT_ONCE = 100;

/** A batch must not be larger than the largest record may be, which is a mebibyte at least. */
const BATCH_BYTES = 512 * 1024;

/**
 * The broker aborts what takes longer. It is the longest that a broker's own configuration allows by default.
 */
const TRANSACTION_MILLIS = 15 * 60_000;

/**
 * The one writer of a topic. A new one shuts out the one before: when open() resolves, what that has not
 * committed is undone, and it can write nothing more.
 */
export class TransactionalWriter {
  readonly #producer: Producer;
  readonly #topic: string;

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  /** @param transactionalId what all writers of the topic share */
  static async open(
    kafka: KafkaClient,
    topic: string,
    transactionalId: string,
  ): Promise<TransactionalWriter> {
    const producer = kafka.producer({
      ...PRODUCER,
      transactionalId,
      transactionTimeout: TRANSACTION_MILLIS,
    });
    try {
      await producer.connect();
      // kafkajs takes the place of the writer before with its first transaction, not when it connects.
      const first = await producer.transaction();
      await first.abort();
    } catch (error) {
      await producer.disconnect().catch(() => {});
      throw error;
    }
    return new TransactionalWriter(producer, topic);
  }

  /**
   * Writes records, a hundred in a transaction.
   *
   * @throws when it is not known whether all are written, or another writer has taken over
   */
  async write(records: readonly NewRecord[]): Promise<void> {
    for (let i = 0; i < records.length; i += MOST_AT_ONCE)
      await this.transact(async (transaction) => {
        await transaction.write(records.slice(i, i + MOST_AT_ONCE));
      });
  }

  /**
   * Does what `act` does as one transaction, which may take 15 minutes.
   *
   * @throws when it is not known whether it is done, or another writer has taken over
   */
  async transact(act: (transaction: Transaction) => Promise<void>): Promise<void> {
    const transaction = await this.#producer.transaction();
    try {
      await act({
        write: async (records) => {
          let end: bigint | undefined;
          for (const messages of batches(records)) {
            const [written] = await transaction.send({ topic: this.#topic, messages });
            end = BigInt(written?.baseOffset ?? 0) + BigInt(messages.length);
          }
          return end;
        },
        commit: (group, positions) =>
          whenComplete(() =>
            transaction.sendOffsets({
              consumerGroupId: group,
              topics: positions.map(({ topic, next, note }) => ({
                topic,
                partitions: [{ partition: 0, offset: String(next), metadata: note ?? null }],
              })),
            }),
          ),
      });
    } catch (error) {
      await transaction.abort().catch(() => {});
      throw error;
    }
    await transaction.commit();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

const ASK_AGAIN_MILLIS = 50;
const COMPLETE_MILLIS = 30_000;

/** Kafka refuses the next transaction until the last is complete; kafkajs tries again with records alone. */
async function whenComplete(act: () => Promise<void>): Promise<void> {
  const until = Date.now() + COMPLETE_MILLIS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isConcurrentTransaction(error) || Date.now() > until) throw error;
      await setTimeout(ASK_AGAIN_MILLIS);
    }
  }
}

function batches(records: readonly NewRecord[]): Message[][] {
  const batches: Message[][] = [];
  let free = 0;
  for (const { timestampMillis, ...record } of records) {
    const size = sizeOf(record.key) + sizeOf(record.value);
    const message = {
      ...record,
      ...(timestampMillis !== undefined && { timestamp: String(timestampMillis) }),
    };
    if (size > free) {
      batches.push([]);
      free = BATCH_BYTES;
    }
    batches.at(-1)!.push(message);
    free -= size;
  }
  return batches;
}

function sizeOf(content: string | Buffer | null): number {
  return content === null ? 0 : Buffer.byteLength(content);
}
