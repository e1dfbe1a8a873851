import { TokenBucket } from './token-bucket.ts';

const FIRST_MILLIS = 5;
const LONGEST_MILLIS = 1_000_000;
const RETRIES = { perSecond: 10, burst: 100 };

/**
 * How long a key that failed waits: twice as long after each failure in a row, and longer when keys fail
 * together, so that an API server that comes back is not met by all of them at once. The numbers are
 * controller-runtime's.
 */
export class PerKeyRateLimiter {
  readonly #failures = new Map<string, number>();
  readonly #bucket: TokenBucket;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#bucket = new TokenBucket({ ...RETRIES, now });
  }

  /** Counts a failure of the key; returns the milliseconds to wait. */
  next(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return Math.max(Math.min(FIRST_MILLIS * 2 ** failures, LONGEST_MILLIS), this.#bucket.take());
  }

  /** The key succeeded: its next failure counts as its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }
}
