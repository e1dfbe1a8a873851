import type { StoredRecord, TopicSlices } from './topic-slices.ts';

/** How many records are read at once. */
const CHUNK = 200n;

/** A topic of one partition, as it is read bit by bit. */
export class TopicTail {
  readonly #topic: Pick<TopicSlices, 'extent' | 'read'>;
  readonly #onRecreated: () => void;
  #next: bigint;

  /**
   * @param onRecreated called when it is another topic of the name, which is then read from its first record
   * @param next offset from which it is read
   */
  constructor(topic: Pick<TopicSlices, 'extent' | 'read'>, onRecreated: () => void, next = 0n) {
    this.#topic = topic;
    this.#onRecreated = onRecreated;
    this.#next = next;
  }

  /** Offset from which it is read next. */
  get next(): bigint {
    return this.#next;
  }

  /** Whether there is something to be read. */
  async hasNew(signal: AbortSignal): Promise<boolean> {
    const { end } = await this.#topic.extent(Number.POSITIVE_INFINITY, signal);
    return end !== this.#next;
  }

  /**
   * Reads what has come since the last time, up to the topic's end at the time of the call. What the caller
   * did not come to the end of is read again.
   *
   * @throws what kafkajs reports when the topic cannot be read, or the signal's reason
   */
  async *catchUp(signal: AbortSignal): AsyncGenerator<StoredRecord[]> {
    const { first, end } = await this.#topic.extent(Number.POSITIVE_INFINITY, signal);
    if (end < this.#next) {
      this.#next = 0n;
      this.#onRecreated();
    }
    let position = first > this.#next ? first : this.#next;
    while (position < end) {
      const until = position + CHUNK < end ? position + CHUNK : end;
      const chunk: StoredRecord[] = [];
      await this.#topic.read({ first: position, end: until }, (records) => chunk.push(...records), signal);
      yield chunk;
      position = until;
      this.#next = position;
    }
  }
}
