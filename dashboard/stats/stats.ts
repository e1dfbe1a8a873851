import type { RawRecord } from '../boards/record.ts';
import { parseSlot, SLOT_MILLIS, type Slot } from './slot.ts';

/*
 * The pipeline's counts of the last minutes, materialised from their topic. Pure: the time is passed in.
 */

/** How much there is to see. */
const SHOWN_MILLIS = 300_000;

/** What the rate is taken over, at most. */
const RATE_MILLIS = 60_000;

/** How long after a slot's end its last counts may take to arrive. */
const ARRIVAL_MILLIS = 2000;

/** Slots that begin later than this from now are of a broken clock. */
const CLOCKS_APART_MILLIS = 60_000;

/** What there is to see at one moment. */
export interface StatsView {
  /** In order; a slot without events has none. */
  slots: Slot[];
  /** Over the last full slots. */
  eventsPerSecond: number;
  /** When the newest event ever seen happened, in epoch milliseconds; null before the first. */
  newestEventMillis: number | null;
}

export class Stats {
  readonly #slots = new Map<number, Slot>();
  #newestEventMillis: number | null = null;

  /** Takes in one record; a malformed one changes nothing. `now` (epoch milliseconds) decides what is worth keeping. */
  apply(raw: RawRecord, now: number): void {
    const record = parseSlot(raw);
    if (!record || record.startMillis > now + CLOCKS_APART_MILLIS) return;
    if (record.slot) this.#put(record.slot, now);
    else this.#slots.delete(record.startMillis);
  }

  /** What the last five minutes were at `now` (epoch milliseconds). */
  view(now: number): StatsView {
    const slots = [...this.#slots.values()]
      .filter((slot) => isShown(slot, now))
      .sort((a, b) => a.startMillis - b.startMillis);
    return { slots, eventsPerSecond: rate(slots, now), newestEventMillis: this.#newestEventMillis };
  }

  #put(slot: Slot, now: number): void {
    const { startMillis, newestEventMillis } = slot;
    this.#newestEventMillis = newest(this.#newestEventMillis, newestEventMillis);
    this.#slots.set(startMillis, slot);
    for (const kept of this.#slots.values()) {
      if (!isShown(kept, now)) this.#slots.delete(kept.startMillis);
    }
  }
}

function isShown({ startMillis }: Slot, now: number): boolean {
  return startMillis + SLOT_MILLIS > now - SHOWN_MILLIS;
}

function newest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Events per second of the slots that are over, at most the last minute of them, at least since the first that is known. */
function rate(slots: Slot[], now: number): number {
  const end = now - ARRIVAL_MILLIS - ((now - ARRIVAL_MILLIS) % SLOT_MILLIS);
  const start = Math.max(end - RATE_MILLIS, slots[0]?.startMillis ?? end);
  if (start >= end) return 0;
  const full = slots.filter(({ startMillis }) => startMillis >= start && startMillis < end);
  return full.reduce((sum, { events }) => sum + events, 0) / ((end - start) / 1000);
}
