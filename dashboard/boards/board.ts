import { type BoardDefinition, DEFAULT_KEEP_SEASONS, seasonEndMillis } from '../../contract/board.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
import { type BoardRecord, parseRecord, type Row } from './record.ts';

/*
 * A board, materialized from its compacted topic: of each season the newest record counts, of instants the
 * latest one. A record is a whole board, so there is no moment at which half of one can be seen. Pure: the
 * time is passed in.
 */

/** Seasons that have not begun on this clock, nearest first: producers' clocks may be ahead. */
const FUTURE_SEASONS = 2;

/**
 * `ignored`: of another definition of the board, or of an instant that was overtaken, lies ahead, or is none.
 */
export type Outcome = 'applied' | 'ignored' | 'malformed';

/** The season that is running or was last played, or the last one that is over. */
export type Season = 'this' | 'last';

/** The time that the shown rows belong to; all times are epoch milliseconds. */
export type ShownPeriod = ShownSeason | { kind: 'instant'; atMillis: number };

export interface ShownSeason {
  kind: 'season';
  startMillis: number;
  endMillis: number;
  over: boolean;
}

/** What there is to see of a board at one moment. */
export interface BoardView {
  /** Null on boards without a period or with an endless one, and while there is nothing to show. */
  period: ShownPeriod | null;
  /** Ordered by rank. */
  rows: readonly Row[];
  /** Timestamp of the newest record that counts, in epoch milliseconds; null before the first. */
  updatedMillis: number | null;
}

export class Board {
  readonly definition: BoardDefinition;
  readonly #seasons = new Map<number, BoardRecord>();
  /** The newest event that each season ever had. */
  readonly #newestEvents = new Map<number, number>();
  #newEvents: readonly number[] = [];
  #updatedMillis: number | null = null;
  #revision = 0;

  constructor(definition: BoardDefinition) {
    this.definition = definition;
  }

  /** Grows with every record; two views of one revision can differ only by the passing of time. */
  get revision(): number {
    return this.#revision;
  }

  /** The events that the last record brought to the rows, by when Kafka got them (epoch milliseconds). */
  get newEvents(): readonly number[] {
    return this.#newEvents;
  }

  /** Takes in one record. `now` (epoch milliseconds) decides which seasons are worth keeping. */
  apply(raw: KafkaRecord, now: number): Outcome {
    this.#newEvents = [];
    const record = parseRecord(this.definition, raw);
    if (record === 'malformed') return 'malformed';
    if (record === 'foreign' || !this.#isDue(record, now)) return 'ignored';
    this.#revision += 1;
    // A timestamp from the future comes from a broken clock: data is never newer than now.
    this.#updatedMillis = Math.max(this.#updatedMillis ?? 0, Math.min(raw.timestampMillis, now));
    this.#noteEvents(record);
    this.#seasons.set(record.seasonMillis, record);
    if (this.definition.period?.kind === 'season') this.#forgetSeasons(now);
    return 'applied';
  }

  /** How the board is at `now` (epoch milliseconds). Boards without seasons have one view. */
  view(now: number, season: Season = 'this'): BoardView {
    const updatedMillis = this.#updatedMillis;
    const { period } = this.definition;
    if (period?.kind === 'season') {
      const endOf = (startMillis: number) => seasonEndMillis(period, startMillis);
      return { ...this.#seasonAt(now, endOf, season), updatedMillis };
    }
    const [record] = this.#seasons.values();
    const atMillis = record?.instantMillis ?? null;
    return {
      period: atMillis === null ? null : { kind: 'instant', atMillis },
      rows: record?.rows ?? [],
      updatedMillis,
    };
  }

  /** The seasons that have begun and are kept, the newest first; none on boards whose seasons never end. */
  seasons(now: number): ShownSeason[] {
    const { period } = this.definition;
    if (period?.kind !== 'season') return [];
    return this.#begun(now).flatMap((startMillis) => {
      const endMillis = seasonEndMillis(period, startMillis);
      return endMillis === null ? [] : [{ kind: 'season', startMillis, endMillis, over: now >= endMillis }];
    });
  }

  /** The board of the season that a moment lies in; undefined when it is none that has begun and is kept. */
  seasonOf(atMillis: number, now: number): BoardView | undefined {
    const period = this.seasons(now).find(
      ({ startMillis, endMillis }) => startMillis <= atMillis && atMillis < endMillis,
    );
    if (!period) return undefined;
    const rows = this.#seasons.get(period.startMillis)?.rows ?? [];
    return { period, rows, updatedMillis: this.#updatedMillis };
  }

  #begun(now: number): number[] {
    return [...this.#seasons.keys()].filter((start) => start <= now).sort((a, b) => b - a);
  }

  /**
   * Instants only go forward, also when a job that was restored computes earlier ones again. A tombstone is
   * of no instant.
   */
  #isDue({ seasonMillis, instantMillis }: BoardRecord, now: number): boolean {
    const { period } = this.definition;
    if (period?.kind !== 'instant') return true;
    if (instantMillis === null) return false;
    const shownMillis = this.#seasons.get(seasonMillis)?.instantMillis ?? Number.NEGATIVE_INFINITY;
    return instantMillis >= shownMillis && instantMillis <= now + period.everyMillis;
  }

  /**
   * A job that starts over writes boards of old events again: none of them is new until it has come to where
   * it was.
   */
  #noteEvents({ seasonMillis, rows }: BoardRecord): void {
    const before = this.#seasons.get(seasonMillis)?.rows ?? [];
    const known = this.#newestEvents.get(seasonMillis) ?? Math.max(...this.#newestEvents.values());
    const newest = newestEvent(rows);
    if (newest < known) return;
    this.#newestEvents.set(seasonMillis, newest);
    const wasBack = newestEvent(before) < known;
    const lastEvents = new Map(before.map(({ id, lastEventMillis }) => [id, lastEventMillis]));
    this.#newEvents = rows.flatMap(({ id, lastEventMillis }) => {
      const last = wasBack ? known : (lastEvents.get(id) ?? known);
      return lastEventMillis !== null && lastEventMillis > last ? [lastEventMillis] : [];
    });
  }

  #forgetSeasons(now: number): void {
    const newestFirst = [...this.#seasons.keys()].sort((a, b) => b - a);
    const kept = 1 + (this.definition.keepSeasons ?? DEFAULT_KEEP_SEASONS);
    const past = this.#begun(now).slice(kept);
    const future = newestFirst.filter((start) => start > now).slice(0, -FUTURE_SEASONS);
    for (const start of [...past, ...future]) {
      this.#seasons.delete(start);
      this.#newestEvents.delete(start);
    }
  }

  /** Of the seasons that have begun: one far in the future (a broken clock) must not hijack the board. */
  #seasonAt(
    now: number,
    endOf: (startMillis: number) => number | null,
    season: Season,
  ): Pick<BoardView, 'period' | 'rows'> {
    const begun = this.#begun(now);
    const isOver = (start: number, index: number) => {
      const endMillis = endOf(start);
      return endMillis === null ? index > 0 : endMillis <= now;
    };
    const startMillis = season === 'last' ? begun.find(isOver) : begun[0];
    if (startMillis === undefined) return { period: null, rows: [] };
    const rows = this.#seasons.get(startMillis)?.rows ?? [];
    const endMillis = endOf(startMillis);
    if (endMillis === null) return { period: null, rows };
    return { period: { kind: 'season', startMillis, endMillis, over: now >= endMillis }, rows };
  }
}

function newestEvent(rows: readonly Row[]): number {
  return Math.max(...rows.map(({ lastEventMillis }) => lastEventMillis ?? Number.NEGATIVE_INFINITY));
}
