/** What Node's timers can do; a longer one would fire at once. */
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1;

interface Delay {
  due: number;
  timer: NodeJS.Timeout;
}

/** Keys with a time to come. Each has one time at most: the earliest that was asked for. */
export class Delays {
  readonly #pending = new Map<string, Delay>();
  readonly #now: () => number;
  readonly #onDue: (key: string) => void;

  /** @param now monotonic milliseconds */
  constructor(now: () => number, onDue: (key: string) => void) {
    this.#now = now;
    this.#onDue = onDue;
  }

  /** Wants the key back after this time, unless it comes back before. */
  set(key: string, millis: number): void {
    const due = this.#now() + millis;
    const pending = this.#pending.get(key);
    if (pending && pending.due <= due) return;
    clearTimeout(pending?.timer);
    this.#wait(key, due);
  }

  cancel(key: string): void {
    clearTimeout(this.#pending.get(key)?.timer);
    this.#pending.delete(key);
  }

  /** Forgets all keys, so that no timer keeps the process alive. */
  clear(): void {
    for (const key of this.#pending.keys()) this.cancel(key);
  }

  #wait(key: string, due: number): void {
    const wake = () => {
      // A timer can be shorter than the delay.
      if (this.#now() < due) return this.#wait(key, due);
      this.#pending.delete(key);
      this.#onDue(key);
    };
    const timer = setTimeout(wake, Math.min(due - this.#now(), LONGEST_TIMER_MILLIS));
    this.#pending.set(key, { due, timer });
  }
}
