import type { Producer } from 'kafkajs';
import type { KafkaClient } from './client.ts';
import { PRODUCER } from './producer-config.ts';

/** A record to be written; the key chooses its partition. */
export interface NewRecord {
  key: string;
  value: string;
  headers: Record<string, string>;
}

/**
 * How many records are written at once. A transaction that takes longer than a minute is aborted by the
 * broker.
 */
const MOST_AT_ONCE = 100;

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
    const producer = kafka.producer({ ...PRODUCER, transactionalId });
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
    for (let i = 0; i < records.length; i += MOST_AT_ONCE) {
      const transaction = await this.#producer.transaction();
      try {
        // One by one: a batch must not be larger than the largest record may be.
        for (const record of records.slice(i, i + MOST_AT_ONCE))
          await transaction.send({ topic: this.#topic, messages: [record] });
      } catch (error) {
        await transaction.abort().catch(() => {});
        throw error;
      }
      await transaction.commit();
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}
