/**
 * Keys that wait for a worker, first come, first served. A key waits once, however often it is added, and is
 * never with two workers: added while one has it, it waits until that one is done.
 */
export class Keys {
  // Sets remember the order of insertion: this one is the line.
  readonly #waiting = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #addedWhileTaken = new Set<string>();

  /** How many keys wait or are with a worker. */
  get size(): number {
    return this.#waiting.size + this.#taken.size;
  }

  /** Whether a worker will be given this key anyway. */
  isDue(key: string): boolean {
    return this.#waiting.has(key) || this.#addedWhileTaken.has(key);
  }

  add(key: string): void {
    (this.#taken.has(key) ? this.#addedWhileTaken : this.#waiting).add(key);
  }

  /** Gives the next key to a worker, who must say when it is done; undefined when none waits. */
  take(): string | undefined {
    const [key] = this.#waiting;
    if (key === undefined) return undefined;
    this.#waiting.delete(key);
    this.#taken.add(key);
    return key;
  }

  done(key: string): void {
    this.#taken.delete(key);
    if (this.#addedWhileTaken.delete(key)) this.#waiting.add(key);
  }
}
