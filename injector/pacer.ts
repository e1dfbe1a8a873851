import type { ScheduledEvent } from './event.ts';
import type { Simulation } from './simulation.ts';

/** The game makes up for a delay up to this long; after a longer one it continues from the present. */
export const MAX_CATCH_UP_MILLIS = 1000;

/** Hands out the simulation's events when their time has come. Times are epoch milliseconds. */
export class Pacer {
  readonly #simulation: Simulation;
  /** Already taken from the simulation, not yet due. */
  #next: ScheduledEvent;
  #skippedMillis = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#next = simulation.next().value;
  }

  /** All the time that was left out because it could not be made up for. */
  get skippedMillis(): number {
    return this.#skippedMillis;
  }

  /**
   * The events that are due at `now`, the oldest first, at most `limit`. The caller owns them: they are not
   * handed out again.
   */
  due(now: number, limit: number): ScheduledEvent[] {
    const due: ScheduledEvent[] = [];
    let skip = this.behindMillis(now) > MAX_CATCH_UP_MILLIS ? this.behindMillis(now) : 0;
    this.#skippedMillis += skip;
    while (this.#next.at <= now && due.length < limit) {
      due.push(this.#next);
      this.#next = this.#simulation.next(skip).value;
      skip = 0;
    }
    return due;
  }

  /** How long the next event has been waiting at `now`; 0 when it is still to come. */
  behindMillis(now: number): number {
    return Math.max(0, now - this.#next.at);
  }

  /** How long it is until the next event at `now`; 0 when it is due. */
  aheadMillis(now: number): number {
    return Math.max(0, this.#next.at - now);
  }
}
