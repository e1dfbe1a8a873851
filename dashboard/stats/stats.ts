import { eachTotal, SLOT_MILLIS, type TotalName } from '../../contract/stats.ts';
import type { RawRecord } from '../boards/record.ts';
import { NO_EVENTS, parseSlot, type Slot } from './slot.ts';

/*
 * The pipeline's counts of the last minutes, materialised from their topic. Pure: the time is passed in.
 */

/** How much there is to see. */
const SHOWN_MILLIS = 300_000;

/** What the rate is taken over, at most. */
const RATE_MILLIS = 60_000;

/** How long after a slot's end its last counts may take to arrive. */
const ARRIVAL_MILLIS = 2000;

/** How far the clocks of those who make events may be ahead; slots beyond are kept until their time comes near. */
const CLOCKS_APART_MILLIS = 60_000;

/** What is further ahead of now is of a broken clock, and not believed. */
export const MOST_AHEAD_MILLIS = 3_600_000;

/** What was counted within this time is being counted just now. */
const COUNTING_MILLIS = 10_000;

/** What there is to see at one moment. */
export interface StatsView {
  /** In order; a slot without events has none. */
  slots: Slot[];
  /** Over the last full slots. */
  eventsPerSecond: number;
  /** Events per second of each full slot of the last five minutes, oldest first; since the first that is known. */
  rates: number[];
  /** Of the last five minutes. */
  totals: Record<TotalName, number>;
  /** Of the events of the last minute, 0..1; null without events. */
  lateShare: number | null;
  robotShare: number | null;
  /** Of the messages of the last minute, 0..1: events without what an event needs, and what is no event; null without messages. */
  uncountedShare: number | null;
  undecodableShare: number | null;
  /** In the last slot whose windows have closed; null when that was too long ago. */
  activePlayers: number | null;
  activeTeams: number | null;
  /** When the newest event ever seen happened, in epoch milliseconds; null before the first. */
  newestEventMillis: number | null;
}

/** How far the job has come, in epoch milliseconds; null: nowhere yet. */
export interface Progress {
  /** Kafka's time of the newest event that was ever counted. */
  countedMillis: number | null;
  /** The same of the events that are being counted just now; a job that starts over counts old ones. */
  countingMillis: number | null;
  /** When the job last wrote a count. */
  progressMillis: number | null;
}

export class Stats {
  readonly #slots = new Map<number, Slot>();
  #newestEventMillis: number | null = null;
  #countedMillis: number | null = null;
  #progressMillis: number | null = null;
  /** The newest time counted, by when it was, in steps of `COUNTING_MILLIS`; the last two steps. */
  #counting: { step: number; countedMillis: number }[] = [];

  /** Takes in one record; a malformed one changes nothing. `now` (epoch milliseconds) decides what is worth keeping. */
  apply(raw: RawRecord, now: number): void {
    const record = parseSlot(raw);
    if (!record || record.startMillis > now + MOST_AHEAD_MILLIS) return;
    const writtenMillis = Math.min(raw.timestampMillis, now);
    this.#progressMillis = newest(this.#progressMillis, writtenMillis);
    if (record.slot) this.#put(record.slot, writtenMillis, now);
    else this.#slots.delete(record.startMillis);
  }

  /** How far the job had come at `now` (epoch milliseconds). */
  progress(now: number): Progress {
    const recent = this.#counting.filter(({ step }) => step >= stepOf(now) - 1);
    return {
      countedMillis: this.#countedMillis,
      countingMillis: recent.reduce<number | null>((last, one) => newest(last, one.countedMillis), null),
      progressMillis: this.#progressMillis,
    };
  }

  /** What the last five minutes were at `now` (epoch milliseconds). */
  view(now: number): StatsView {
    const slots = [...this.#slots.values()]
      .filter((slot) => isShown(slot, now))
      .sort((a, b) => a.startMillis - b.startMillis);
    const lastMinute = fullSlots(slots, now, RATE_MILLIS);
    const minute = totalsOf(lastMinute);
    const crowd = lastMinute.findLast(({ activePlayers }) => activePlayers > 0);
    return {
      slots,
      eventsPerSecond: mean(lastMinute.map(eventsPerSecond)),
      rates: fullSlots(slots, now, SHOWN_MILLIS).map(eventsPerSecond),
      totals: totalsOf(slots),
      lateShare: share(minute.lateEvents, minute.events),
      robotShare: share(minute.robotEvents, minute.events),
      uncountedShare: share(minute.uncountedEvents, minute.events + minute.undecodableMessages),
      undecodableShare: share(minute.undecodableMessages, minute.events + minute.undecodableMessages),
      activePlayers: crowd?.activePlayers ?? null,
      activeTeams: crowd?.activeTeams ?? null,
      newestEventMillis: this.#newestEventMillis,
    };
  }

  #put(slot: Slot, writtenMillis: number, now: number): void {
    const { startMillis } = slot;
    // An event that is further on than the count of it is of a broken clock.
    const newestEventMillis = slot.newestEventMillis && Math.min(slot.newestEventMillis, writtenMillis);
    // Players and teams are counted in the slot in which their events happened, whenever that was.
    if (slot.events > 0 || slot.undecodableMessages > 0)
      this.#noteCounted(startMillis + SLOT_MILLIS, writtenMillis);
    this.#newestEventMillis = newest(this.#newestEventMillis, newestEventMillis);
    this.#slots.set(startMillis, { ...slot, newestEventMillis });
    for (const kept of this.#slots.values()) {
      if (isOver(kept, now)) this.#slots.delete(kept.startMillis);
    }
  }

  #noteCounted(countedMillis: number, writtenMillis: number): void {
    this.#countedMillis = newest(this.#countedMillis, countedMillis);
    const step = stepOf(writtenMillis);
    const before = this.#counting.find((one) => one.step === step);
    if (before) before.countedMillis = Math.max(before.countedMillis, countedMillis);
    else this.#counting = [...this.#counting, { step, countedMillis }].slice(-2);
  }
}

function stepOf(millis: number): number {
  return Math.floor(millis / COUNTING_MILLIS);
}

function isOver({ startMillis }: Slot, now: number): boolean {
  return startMillis + SLOT_MILLIS <= now - SHOWN_MILLIS;
}

function isShown(slot: Slot, now: number): boolean {
  return !isOver(slot, now) && slot.startMillis <= now + CLOCKS_APART_MILLIS;
}

function newest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/**
 * The slots that are over, those without events too: at most so long back, at least since the first that is known.
 */
function fullSlots(slots: Slot[], now: number, lookBackMillis: number): Slot[] {
  const end = now - ARRIVAL_MILLIS - ((now - ARRIVAL_MILLIS) % SLOT_MILLIS);
  const start = Math.max(end - lookBackMillis, slots[0]?.startMillis ?? end);
  const known = new Map(slots.map((slot) => [slot.startMillis, slot]));
  const count = Math.max(0, (end - start) / SLOT_MILLIS);
  return Array.from({ length: count }, (_, index) => {
    const startMillis = start + index * SLOT_MILLIS;
    return known.get(startMillis) ?? { ...NO_EVENTS, startMillis };
  });
}

function eventsPerSecond({ events }: Slot): number {
  return events / (SLOT_MILLIS / 1000);
}

function totalsOf(slots: Slot[]): Record<TotalName, number> {
  return eachTotal((name) => sum(slots.map((slot) => slot[name])));
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
