import { setTimeout as sleep } from 'node:timers/promises';
import { Viewer, type Watcher } from './viewer.ts';

/** How many handshakes are under way at once. */
const AT_ONCE = 50;

/** Many viewers in one process, and what they saw. */
export class Viewers {
  readonly #port: number;
  readonly #viewers: Viewer[] = [];
  /** How late each frame was since the last look, in milliseconds. */
  #delays: number[] = [];
  #bytes = 0;
  #lost = 0;
  readonly #watcher: Watcher = {
    late: (millis) => this.#delays.push(millis),
    read: (bytes) => {
      this.#bytes += bytes;
    },
    lost: () => {
      this.#lost += 1;
    },
  };

  constructor(port: number) {
    this.#port = port;
  }

  get count(): number {
    return this.#viewers.length - this.#lost;
  }

  /** Opens as many as are missing. */
  async growTo(count: number): Promise<void> {
    while (this.#viewers.length < count) {
      const missing = Math.min(AT_ONCE, count - this.#viewers.length);
      const fresh = Array.from({ length: missing }, () => new Viewer(this.#port, this.#watcher));
      this.#viewers.push(...fresh);
      await Promise.all(fresh.map(({ opened }) => opened));
      await sleep(5);
    }
  }

  /** What came within so many milliseconds. */
  async watch(millis: number): Promise<{ delays: number[]; bytes: number }> {
    this.#delays = [];
    this.#bytes = 0;
    await sleep(millis);
    return { delays: this.#delays, bytes: this.#bytes };
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
  }
}
