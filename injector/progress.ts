/** A batch that waits this long for its acknowledgement is worth a word. */
const SLOW_MILLIS = 1000;
/** One that waits this long means that nothing works. */
const STUCK_MILLIS = 30_000;

/** What one report says. */
export interface Report {
  /** In words, what the injector is doing. */
  readonly state: string;
  readonly eventsPerSecond: number;
  readonly total: number;
  readonly errors: number;
  /** The newest error since the last report. */
  readonly error?: string;
}

/** Counts what becomes of the events. All times are passed in, in epoch milliseconds. */
export class Progress {
  #accepted = 0;
  #acknowledged = 0;
  #errors = 0;
  #error: string | undefined;
  /** Why nothing can be sent yet; undefined once sending has begun. */
  #waitingFor: string | undefined = 'the first event';
  #sendingSince: number | undefined;
  #reported: { at: number; total: number };

  constructor(now: number) {
    this.#reported = { at: now, total: 0 };
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get errors(): number {
    return this.#errors;
  }

  /** Events that the simulation has handed over and Kafka has not acknowledged. */
  get pending(): number {
    return this.#accepted - this.#acknowledged;
  }

  waiting(reason: string): void {
    this.#waitingFor = reason;
  }

  accept(count: number, now: number): void {
    this.#accepted += count;
    this.#sendingSince = now;
  }

  /** All that was accepted is in Kafka. */
  acknowledge(): void {
    this.#acknowledged = this.#accepted;
    this.#sendingSince = undefined;
    this.#waitingFor = undefined;
  }

  fail(reason: string): void {
    this.#errors++;
    this.#error = reason;
  }

  /**
   * Why the injector is not doing its work at `now`; undefined when it is. A slow game may have nothing to
   * send for minutes, so it is not silence that counts but a batch that waits.
   */
  unreadiness(now: number): string | undefined {
    return this.#obstacle(now, STUCK_MILLIS);
  }

  #obstacle(now: number, patienceMillis: number): string | undefined {
    const waited = this.#sendingSince === undefined ? 0 : now - this.#sendingSince;
    if (waited > patienceMillis) return `no acknowledgement for ${Math.round(waited / 1000)} s`;
    return this.#waitingFor === undefined ? undefined : `waiting for ${this.#waitingFor}`;
  }

  /** What happened since the last report. */
  report(now: number): Report {
    const seconds = (now - this.#reported.at) / 1000;
    const eventsPerSecond = (this.#acknowledged - this.#reported.total) / seconds;
    const error = this.#error === undefined ? {} : { error: this.#error };
    this.#reported = { at: now, total: this.#acknowledged };
    this.#error = undefined;
    return {
      state: this.#obstacle(now, SLOW_MILLIS) ?? 'sending',
      eventsPerSecond: Math.round(eventsPerSecond * 10) / 10,
      total: this.#acknowledged,
      errors: this.#errors,
      ...error,
    };
  }
}
