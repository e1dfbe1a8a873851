/**
 * Ends a call when its caller gives up or its time is over, whichever is first. Unlike AbortSignal.any and
 * AbortSignal.timeout it leaves nothing behind on a signal that lives as long as the process.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;

  /** `timeout` makes the error that the call ends with when its time is over. */
  constructor(millis: number, timeout: () => Error, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#timer = setTimeout(() => this.#controller.abort(timeout()), millis);
    caller?.addEventListener('abort', this.#giveUp);
    if (caller?.aborted) this.#giveUp();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Time no longer matters, only the caller: the answer has begun. */
  stopTime(): void {
    clearTimeout(this.#timer);
  }

  /** The call is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#giveUp);
  }

  /** Waits for work that cannot be aborted, but not beyond the end of the call. */
  async race<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const end = () => reject(this.signal.reason);
    this.signal.addEventListener('abort', end);
    try {
      return await Promise.race([work(), promise]);
    } finally {
      this.signal.removeEventListener('abort', end);
    }
  }

  readonly #giveUp = () => this.#controller.abort(this.#caller?.reason);
}
