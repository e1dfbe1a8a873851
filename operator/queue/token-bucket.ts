/** Lets a burst through at once and after that so many per second. Full at first. */
export class TokenBucket {
  readonly #perMilli: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param now monotonic milliseconds */
  constructor({ perSecond, burst, now }: { perSecond: number; burst: number; now: () => number }) {
    this.#perMilli = perSecond / 1000;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** Takes a token, if need be one that is still to come; returns the milliseconds until it is there. */
  take(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMilli);
    this.#filledAt = now;
    this.#tokens -= 1;
    return Math.max(0, -this.#tokens / this.#perMilli);
  }
}
