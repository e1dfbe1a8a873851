/**
 * What was found out about the events that are in Kafka: where the side that asks and the side that tells
 * meet.
 */
export class EventsWatch {
  #answers = true;
  #ends = new Map<number, bigint>();
  #isReplaced = false;
  #uncountedSince: number | undefined;
  #readUntilMillis: number | undefined;

  /** False while Kafka does not answer what it is asked. */
  get answers(): boolean {
    return this.#answers;
  }

  /**
   * Since when events are known that are well newer than the newest counted one, if any are, in epoch
   * milliseconds.
   */
  get uncountedSince(): number | undefined {
    return this.#uncountedSince;
  }

  /**
   * Whether the topic is another one than it was: deleted and created again, or cut short. It stays so, since
   * what of the old one was counted stays counted.
   */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /**
   * The job has read and counted all that reached Kafka before that, in epoch milliseconds; undefined when
   * that is not known.
   */
  get readUntilMillis(): number | undefined {
    return this.#readUntilMillis;
  }

  /** The job's commits say so. */
  sawRead(untilMillis: number): void {
    this.#readUntilMillis = untilMillis;
  }

  /** Kafka answered where the topic's partitions end. An end never falls, unless the topic is another one. */
  sawEnds(ends: ReadonlyMap<number, bigint>): void {
    this.#isReplaced ||= [...this.#ends].some(([partition, end]) => (ends.get(partition) ?? 0n) < end);
    this.#ends = new Map(ends);
  }

  /** Kafka answered: there are such events, or not, or it does not tell. */
  answered(hasUncounted: boolean, now: number): void {
    this.#answers = true;
    this.#uncountedSince = hasUncounted ? (this.#uncountedSince ?? now) : undefined;
  }

  /** Kafka did not answer in time. */
  unanswered(): void {
    this.#answers = false;
    this.#uncountedSince = undefined;
  }
}
