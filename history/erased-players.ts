import { parsePlayerState } from '../contract/players.ts';
import type { TopicSlices } from '../kafka/topic-slices.ts';
import { TopicTail } from '../kafka/topic-tail.ts';

/** The players that are erased, by the records of their topic. */
export class ErasedPlayers {
  readonly #tail: TopicTail | undefined;
  /** Of each, the offset of the record that says so. */
  readonly #erased = new Map<string, bigint>();

  /** @param topic undefined: there is none, and nobody ever is */
  constructor(topic: Pick<TopicSlices, 'extent' | 'read'> | undefined) {
    this.#tail = topic && new TopicTail(topic, () => this.#erased.clear());
  }

  /** The offset up to which the topic has been read. */
  get next(): bigint {
    return this.#tail?.next ?? 0n;
  }

  get isEmpty(): boolean {
    return this.#erased.size === 0;
  }

  has(id: unknown): boolean {
    return this.#erased.has(String(id));
  }

  /** Whether anybody is erased by a record at that offset, or after it. */
  hasSince(offset: bigint): boolean {
    return [...this.#erased.values()].some((since) => since >= offset);
  }

  /** Reads what has come since the last time. */
  async catchUp(signal: AbortSignal): Promise<void> {
    if (!this.#tail) return;
    for await (const records of this.#tail.catchUp(signal)) {
      for (const { key, value, offset } of records) {
        if (key === null) continue;
        if (parsePlayerState(value?.toString()) === 'erased') this.#erased.set(key.toString(), offset);
        else this.#erased.delete(key.toString());
      }
    }
  }
}
