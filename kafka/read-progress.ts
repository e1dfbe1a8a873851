/** How far a topic has been read, against where it ended when reading began. */
export class ReadProgress {
  readonly #ends: Map<number, bigint>;
  readonly #positions = new Map<number, bigint>();
  readonly #lags = new Map<number, bigint>();

  /** @param ends the offset after the last record, for each partition that has records */
  constructor(ends: ReadonlyMap<number, bigint>) {
    this.#ends = new Map(ends);
  }

  /** True when everything before the ends has been read. */
  get complete(): boolean {
    return this.#ends.size === 0;
  }

  /**
   * Records first to last (offsets) of a partition have been read.
   *
   * @returns false when the offsets go back: the topic is no longer the one that was being read
   */
  advance(partition: number, first: bigint, last: bigint): boolean {
    if (first < (this.#positions.get(partition) ?? 0n)) return false;
    const position = last + 1n;
    this.#positions.set(partition, position);
    const end = this.#ends.get(partition);
    if (end !== undefined && position >= end) this.#ends.delete(partition);
    return true;
  }

  /**
   * How many records of all partitions are not read yet, as far as is known.
   *
   * @param highWatermark the offset after the last record of this partition, as its last fetch had it
   */
  lag(partition: number, highWatermark: bigint): number {
    const lag = highWatermark - (this.#positions.get(partition) ?? 0n);
    this.#lags.set(partition, lag > 0n ? lag : 0n);
    return Number([...this.#lags.values()].reduce((sum, one) => sum + one, 0n));
  }
}
