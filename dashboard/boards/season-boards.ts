import { createHash } from 'node:crypto';
import type { Row } from './record.ts';

/** A board of a season: that of a value, or the only one. */
export interface SeasonBoard {
  /** By rank. */
  rows: readonly Row[];
  /** The newest event that it ever had, in epoch milliseconds; -Infinity while none is known. */
  newestEventMillis: number;
  /** Timestamp of its newest record, in epoch milliseconds. */
  updatedMillis: number;
}

/** Of values that are left out, so many are counted. */
const MOST_LEFT_OUT = 10_000;

/**
 * The boards of one season by their values. At most `maxValues` are kept, those that changed last in the
 * topic: compaction leaves the order of keys' newest records as it is, so all readers keep the same ones,
 * whenever they began to read. One that is left out comes back with its next record, which is a whole board.
 */
export class SeasonBoards {
  readonly #maxValues: number;
  /** The one that changed last is the last. */
  readonly #boards = new Map<string, SeasonBoard>();
  /** Hashes of values: a topic can have any number of them, of any length. */
  readonly #leftOut = new Set<string>();
  #values: readonly string[] | undefined;

  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  get(value: string): SeasonBoard | undefined {
    return this.#boards.get(value);
  }

  set(value: string, board: SeasonBoard): void {
    const wasKept = this.#boards.delete(value);
    this.#boards.set(value, board);
    if (wasKept) return;
    this.#values = undefined;
    this.#leftOut.delete(hash(value));
    const [oldest = value] = this.#boards.keys();
    if (this.#boards.size > this.#maxValues) this.#leaveOut(oldest);
  }

  delete(value: string): void {
    this.#boards.delete(value);
    this.#leftOut.delete(hash(value));
    this.#values = undefined;
  }

  /** All that are kept. */
  all(): Iterable<SeasonBoard> {
    return this.#boards.values();
  }

  /** The values that are kept, in the order of their UTF-16 units. */
  get values(): readonly string[] {
    this.#values ??= [...this.#boards.keys()].sort();
    return this.#values;
  }

  /** How many values are left out; 10,000: so many, or more. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  #leaveOut(value: string): void {
    this.#boards.delete(value);
    if (this.#leftOut.size < MOST_LEFT_OUT) this.#leftOut.add(hash(value));
  }
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 12);
}
