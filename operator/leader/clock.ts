import { sleep } from '../../lib/sleep.ts';

/** Time as an election needs it; tests have one of their own. */
export interface Clock {
  /** Milliseconds that only ever grow, and do so while the process is stopped too. */
  now(): number;
  /** The time of day, for those who read the Lease. Nothing is decided by it. */
  date(): Date;
  /** Returns early when the signal ends it. */
  sleep(millis: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep,
};
