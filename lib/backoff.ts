/** How long to wait before trying again: twice as long after each failure, up to a limit. */
export class Backoff {
  readonly #firstMillis: number;
  readonly #limitMillis: number;
  readonly #random: () => number;
  #failures = 0;

  /**
   * `random` gives numbers in [0, 1): waits are spread, so that all who lost one server do not return as one.
   */
  constructor(firstMillis: number, limitMillis: number, random: () => number) {
    this.#firstMillis = firstMillis;
    this.#limitMillis = limitMillis;
    this.#random = random;
  }

  /**
   * Milliseconds to wait after one more failure: between the step and twice the step, and never over the
   * limit.
   */
  next(): number {
    const step = this.#firstMillis * 2 ** this.#failures;
    if (step < this.#limitMillis) this.#failures++;
    return Math.min(step * (1 + this.#random()), this.#limitMillis);
  }

  /** It works again: the next failure is a first one. */
  reset(): void {
    this.#failures = 0;
  }
}
