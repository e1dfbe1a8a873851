import {
  eachReason,
  eachTotal,
  MALFORMED,
  REASONS,
  SLOT_MILLIS,
  type TotalName,
} from '../../contract/stats.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
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

/**
 * How far the clocks of those who make events may be ahead; slots beyond are kept until their time comes
 * near.
 */
const CLOCKS_APART_MILLIS = 60_000;

/** What is further ahead of now is of a broken clock, and not believed. */
export const MOST_AHEAD_MILLIS = 3_600_000;

/** What was counted within this time is being counted just now. */
const COUNTING_MILLIS = 10_000;

/** How far the counts can be believed, in epoch milliseconds by Kafka's time. */
export interface Counted {
  /** All events before that are counted, and rates and shares end there; undefined when that is not known. */
  countedUntilMillis: number | undefined;
  /**
   * The job's commits say that it has read all before that: it reads events and messages separately, and a
   * message without an event is malformed only then. Undefined when that is not known.
   */
  readUntilMillis?: number | undefined;
}

/** A slot as it is shown. */
export interface ShownSlot extends Omit<Slot, 'undecodableMessages' | 'reasons'> {
  /** Undefined until the job has read all events of the slot. */
  undecodableMessages: number | undefined;
  /** The same by reason. */
  reasons: Record<string, number | undefined>;
}

/** A reason why something was not counted in the last five minutes. */
export interface NotCounted {
  id: string;
  text: string;
  count: number;
  /** Of the last minute's events, 0..1; of malformed messages, of the messages. Undefined without any. */
  minuteShare: number | undefined;
  /** The newest, masked; undefined when none is known. */
  example: string | undefined;
}

/** What there is to see at one moment. */
export interface StatsView {
  /** In order; a slot without events has none. */
  slots: ShownSlot[];
  /** Over the last full slots; undefined while the first one is being counted. */
  eventsPerSecond: number | undefined;
  /**
   * Events per second of each full slot of the last five minutes, oldest first; since the first that is
   * known.
   */
  rates: number[];
  /** Of the last five minutes, as far as it is known. */
  totals: Record<TotalName, number>;
  /** Of the events of the last minute, 0..1; undefined without events. */
  lateShare: number | undefined;
  robotShare: number | undefined;
  uncountedShare: number | undefined;
  /** Of the messages of the last minute, 0..1; undefined without any whose events have all been read. */
  undecodableShare: number | undefined;
  /** By why; the most frequent reason first, and none that did not occur. */
  notCounted: NotCounted[];
  /** In the last slot whose windows have closed; undefined when that was too long ago. */
  activePlayers: number | undefined;
  activeTeams: number | undefined;
}

/** How far the job has come, in epoch milliseconds; undefined: nowhere yet. */
export interface Progress {
  /** Kafka's time of the newest event that was counted. */
  countedMillis: number | undefined;
  /** The same, or of a newer message that gave no event for so long that it is taken for malformed. */
  handledMillis: number | undefined;
  /** The same of the events that are being counted just now; a job that starts over counts old ones. */
  countingMillis: number | undefined;
  /** When the job last wrote a count. */
  progressMillis: number | undefined;
}

export class Stats {
  readonly #slots = new Map<number, Slot>();
  #newestEventMillis: number | undefined;
  #countedMillis: number | undefined;
  /** Kafka's time of the newest messages without events. */
  #emptyMillis: number | undefined;
  #progressMillis: number | undefined;
  /** The newest time counted, by when it was, in steps of `COUNTING_MILLIS`; the last two steps. */
  #counting: { step: number; countedMillis: number }[] = [];

  /**
   * Takes in one record; a malformed one changes nothing. `now` (epoch milliseconds) decides what is worth
   * keeping.
   */
  apply(raw: KafkaRecord, now: number): void {
    const record = parseSlot(raw);
    if (!record || record.startMillis > now + MOST_AHEAD_MILLIS) return;
    const writtenMillis = Math.min(raw.timestampMillis, now);
    this.#progressMillis = newest(this.#progressMillis, writtenMillis);
    if (record.slot) this.#put(record.slot, writtenMillis, now);
    else this.#slots.delete(record.startMillis);
  }

  /** When the newest event ever seen happened, in epoch milliseconds; undefined before the first. */
  get newestEventMillis(): number | undefined {
    return this.#newestEventMillis;
  }

  /**
   * How far the job had come at `now` (epoch milliseconds). Once it has read messages that are newer than all
   * that is counted, those without events are malformed, and the newest of them too.
   */
  progress(now: number, readUntilMillis: number | undefined): Progress {
    const recent = this.#counting.filter(({ step }) => step >= countingStep(now) - 1);
    const isMalformed = (readUntilMillis ?? 0) > (this.#countedMillis ?? 0);
    return {
      countedMillis: this.#countedMillis,
      handledMillis: newest(this.#countedMillis, isMalformed ? this.#emptyMillis : undefined),
      countingMillis: recent.map(({ countedMillis }) => countedMillis).reduce(newest, undefined),
      progressMillis: this.#progressMillis,
    };
  }

  /**
   * What the last five minutes were at `now`.
   *
   * @param now epoch milliseconds
   */
  view(now: number, { countedUntilMillis, readUntilMillis }: Counted): StatsView {
    // A job that does not keep up may have begun to count again what it had read.
    const slots = this.#shown(now, countedUntilMillis === undefined ? undefined : readUntilMillis);
    const end = Math.min(now - ARRIVAL_MILLIS, countedUntilMillis ?? now);
    const lastMinute = fullSlots(slots, end, RATE_MILLIS);
    const minute = sumTotals(lastMinute);
    const read = sumTotals(lastMinute.filter(({ undecodableMessages }) => undecodableMessages !== undefined));
    const crowd = lastMinute.findLast(({ activePlayers }) => activePlayers > 0);
    return {
      slots,
      eventsPerSecond: slots.length === 0 ? 0 : mean(lastMinute.map(eventsPerSecond)),
      rates: fullSlots(slots, end, SHOWN_MILLIS).map(eventsPerSecond),
      totals: sumTotals(slots),
      lateShare: share(minute.lateEvents, minute.events),
      robotShare: share(minute.robotEvents, minute.events),
      uncountedShare: share(minute.uncountedEvents, minute.events),
      undecodableShare: share(read.undecodableMessages, read.events + read.undecodableMessages),
      notCounted: notCounted(slots, lastMinute),
      activePlayers: crowd?.activePlayers,
      activeTeams: crowd?.activeTeams,
    };
  }

  #put(slot: Slot, writtenMillis: number, now: number): void {
    const { startMillis } = slot;
    // An event that is further on than the count of it is of a broken clock.
    const newestEventMillis = slot.newestEventMillis && Math.min(slot.newestEventMillis, writtenMillis);
    // A job that was restarted counts the events since its last checkpoint again.
    const before = this.#slots.get(startMillis)?.events ?? 0;
    if (slot.events < before) this.#countedMillis = startMillis + SLOT_MILLIS;
    // Players and teams are counted in the slot in which their events happened, whenever that was.
    if (slot.events > 0) this.#noteCounted(startMillis + SLOT_MILLIS, writtenMillis);
    if (slot.undecodableMessages > 0)
      this.#emptyMillis = newest(this.#emptyMillis, startMillis + SLOT_MILLIS);
    this.#newestEventMillis = newest(this.#newestEventMillis, newestEventMillis);
    this.#slots.set(startMillis, { ...slot, newestEventMillis });
    for (const kept of this.#slots.values()) {
      if (isOver(kept, now)) this.#slots.delete(kept.startMillis);
    }
  }

  /** The slots of the last five minutes, in order. */
  #shown(now: number, readUntilMillis = 0): ShownSlot[] {
    const slots = [...this.#slots.values()].filter((slot) => isShown(slot, now));
    return slots
      .sort((a, b) => a.startMillis - b.startMillis)
      .map((slot) => {
        const isRead = slot.startMillis + SLOT_MILLIS <= readUntilMillis;
        const undecodableMessages = isRead ? slot.undecodableMessages : undefined;
        return {
          ...slot,
          undecodableMessages,
          reasons: { ...slot.reasons, [MALFORMED]: undecodableMessages },
        };
      });
  }

  #noteCounted(countedMillis: number, writtenMillis: number): void {
    this.#countedMillis = newest(this.#countedMillis, countedMillis);
    const step = countingStep(writtenMillis);
    const before = this.#counting.find((one) => one.step === step);
    if (before) before.countedMillis = Math.max(before.countedMillis, countedMillis);
    else this.#counting = [...this.#counting, { step, countedMillis }].slice(-2);
  }
}

function countingStep(millis: number): number {
  return Math.floor(millis / COUNTING_MILLIS);
}

function isOver({ startMillis }: Pick<Slot, 'startMillis'>, now: number): boolean {
  return startMillis + SLOT_MILLIS <= now - SHOWN_MILLIS;
}

function isShown(slot: Pick<Slot, 'startMillis'>, now: number): boolean {
  return !isOver(slot, now) && slot.startMillis <= now + CLOCKS_APART_MILLIS;
}

function newest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/**
 * The slots that are over at `endMillis`, those without events too: at most so long back, at least since the
 * first that is known.
 */
function fullSlots(slots: ShownSlot[], endMillis: number, lookBackMillis: number): ShownSlot[] {
  const end = endMillis - (endMillis % SLOT_MILLIS);
  const start = Math.max(end - lookBackMillis, slots[0]?.startMillis ?? end);
  const known = new Map(slots.map((slot) => [slot.startMillis, slot]));
  const count = Math.max(0, (end - start) / SLOT_MILLIS);
  return Array.from({ length: count }, (_, index) => {
    const startMillis = start + index * SLOT_MILLIS;
    return known.get(startMillis) ?? { ...NO_EVENTS, startMillis };
  });
}

function eventsPerSecond({ events }: ShownSlot): number {
  return events / (SLOT_MILLIS / 1000);
}

function sumTotals(slots: ShownSlot[]): Record<TotalName, number> {
  return eachTotal((name) => sum(slots.map((slot) => slot[name] ?? 0)));
}

/** What was not counted in some slots, by reason. */
export function sumReasons(slots: ShownSlot[]): Record<string, number> {
  return eachReason(({ id }) => sum(slots.map(({ reasons }) => reasons[id] ?? 0)));
}

function notCounted(slots: ShownSlot[], lastMinute: ShownSlot[]): NotCounted[] {
  const counts = sumReasons(slots);
  const minute = sumReasons(lastMinute);
  const read = sumTotals(lastMinute.filter(({ undecodableMessages }) => undecodableMessages !== undefined));
  const { events } = sumTotals(lastMinute);
  return REASONS.map(({ id, text }) => ({
    id,
    text,
    count: counts[id] ?? 0,
    minuteShare: share(minute[id] ?? 0, id === MALFORMED ? read.events + read.undecodableMessages : events),
    example: slots.map(({ examples }) => examples[id]).findLast((example) => example !== undefined),
  }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

function share(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length;
}
