import type { ProducerRecord, ProducerSession } from '../kafka/producer.ts';
import type { GameEvent, ScheduledEvent } from './event.ts';

export interface ProducerOptions {
  openSession(): Promise<ProducerSession>;
  /** An event as the topic has it. */
  encode(event: GameEvent): string | Buffer;
  /** Called with every failure; another attempt follows. */
  onFailure(reason: string): void;
  sleep(millis: number): Promise<void>;
  /** A session is replaced before it has sent more. */
  readonly maxMessagesPerSession: number;
}

const REOPEN_DELAY_MILLIS = 1000;

/**
 * Delivers events in order, however long it takes, as long as the process lives.
 *
 * One batch is under way at a time. That is what makes a retry safe: kafkajs takes back a failed batch's
 * sequence numbers, and were another batch to get them, a broker that has the first would take the second for
 * its duplicate and drop it.
 *
 * A session retries on its own, and what it left out is sent over it again: the same messages, in the same
 * partitions, with the same sequence numbers, so that a broker which has them knows them. Only when that is
 * no use does a new session take over. Nothing is lost then either, but events whose acknowledgement was lost
 * arrive twice.
 */
export class EventProducer {
  readonly #options: ProducerOptions;
  #session: ProducerSession | undefined;
  #sentInSession = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when Kafka has acknowledged every event. Never rejects. Not to be called again before it has
   * resolved.
   */
  async send(events: readonly ScheduledEvent[]): Promise<void> {
    let missing = events.map((event) => this.#toRecord(event));
    while (missing.length > 0) {
      try {
        missing = await this.#attempt(missing);
      } catch (error) {
        this.#options.onFailure(error instanceof Error ? error.message : String(error));
        this.#dropSession();
        await this.#options.sleep(REOPEN_DELAY_MILLIS);
        // The new session chooses partitions again: the old ones may be gone.
        missing = missing.map(({ partition: _, ...record }) => record);
      }
    }
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  /** @returns the messages that were not acknowledged; it rejects when that is all of them */
  async #attempt(messages: ProducerRecord[]): Promise<ProducerRecord[]> {
    if (this.#sentInSession + messages.length > this.#options.maxMessagesPerSession) this.#dropSession();
    this.#session ??= await this.#options.openSession();
    this.#sentInSession += messages.length;
    const acknowledged = await this.#session.send(messages);
    const missing = messages.filter(
      ({ partition }) => partition === undefined || !acknowledged.has(partition),
    );
    if (missing.length === messages.length)
      throw new Error(`no acknowledgement for ${missing.length} events`);
    return missing;
  }

  #toRecord({ at, event }: ScheduledEvent): ProducerRecord {
    // Keyed by user, so that a player's events keep their order. Kafka's timestamp is the sending time: the
    // SQL tells lateness by it.
    return {
      key: event.user_id,
      value: this.#options.encode(event),
      timestamp: String(Math.floor(at)),
    };
  }

  #dropSession(): void {
    // Do not wait for an abandoned session; closing a broken one may take forever.
    this.#session?.close().catch(() => {});
    this.#session = undefined;
    this.#sentInSession = 0;
  }
}
