import type { BoardDefinition } from './definition.ts';
import { type BoardRecord, parseRecord, type RawRecord, type Row } from './record.ts';

/*
 * A board, materialised from the records of its compacted topic: the last write per (season, rank) wins. Pure: no
 * I/O, and the time is passed in, so that a board is a function of its records and the clock.
 */

/** The newest past seasons kept: the running one, the last one for its winners, and one more for late events. */
const PAST_SEASONS = 3;

/** Seasons that have not begun on our clock, nearest first: producers' clocks may be ahead of ours. */
const FUTURE_SEASONS = 2;

/** How long a board of instants may take to arrive; what is missing then is not coming. */
const ARRIVAL_MILLIS = 5000;

/** Where boards without seasons keep their rows. */
export const ALL_TIME = 0;

export type Outcome = 'applied' | 'ignored' | 'malformed';

/** The season that is running or was last played, or the last one that is over. */
export type Season = 'this' | 'last';

/** The stretch of time the shown rows belong to; all times are epoch milliseconds. */
export type ShownPeriod =
  | { kind: 'season'; startMillis: number; endMillis: number; over: boolean }
  | { kind: 'instant'; atMillis: number };

/** What there is to see of a board at one moment. */
export interface BoardView {
  /** Null on boards without a period or with an endless one, and while there is nothing to show. */
  period: ShownPeriod | null;
  /** Ordered by rank. */
  rows: Row[];
  /** Timestamp of the topic's newest record in epoch milliseconds; null before the first. */
  updatedMillis: number | null;
}

export class Board {
  readonly definition: BoardDefinition;
  readonly #seasons = new Map<number, Map<number, Row>>();
  /** The instant before the newest, as it was when the newest began to arrive. */
  #before: Pick<BoardView, 'period' | 'rows'> = { period: null, rows: [] };
  #newestInstant: { atMillis: number; arrivedMillis: number } | null = null;
  #updatedMillis: number | null = null;
  #revision = 0;

  constructor(definition: BoardDefinition) {
    this.definition = definition;
  }

  /** Grows with every record; two views of one revision can differ only by the passing of time. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Takes in one record. `now` (epoch milliseconds) decides which seasons are worth keeping.
   *
   * @returns `ignored` for ranks beyond the board's size (left over from when it was larger)
   */
  apply(raw: RawRecord, now: number): Outcome {
    this.#revision += 1;
    // A timestamp from the future is a broken clock: data is never newer than now.
    this.#updatedMillis = Math.max(this.#updatedMillis ?? 0, Math.min(raw.timestampMillis, now));
    const record = parseRecord(this.definition, raw);
    if (!record) return 'malformed';
    if (record.rank > this.definition.size) return 'ignored';
    if (record.row) this.#noteInstant(record.row.instantMillis, now);
    this.write(record, now);
    return 'applied';
  }

  /** Takes in one write to a rank that the board has. */
  write({ seasonMillis, rank, row }: BoardRecord, now: number): void {
    const season = seasonMillis ?? ALL_TIME;
    if (row) this.#put(season, row, now);
    else this.#vacate(season, rank);
  }

  /** How the board is at `now` (epoch milliseconds), as far as it was written. Boards without seasons have but one. */
  view(now: number, season: Season = 'this'): BoardView {
    const updatedMillis = this.#updatedMillis;
    const period = this.definition.period;
    if (period?.kind === 'season')
      return { ...this.#seasonAt(now, period.lengthMillis, season), updatedMillis };
    const rows = byRank(this.#seasons.get(ALL_TIME));
    if (period?.kind === 'instant')
      return { ...newestInstant(rows, now + period.everyMillis), updatedMillis };
    return { period: null, rows, updatedMillis };
  }

  /**
   * What is to be shown at `now` (epoch milliseconds): the view, but of an instant that is still arriving the one before.
   * Its rows come in several fetches, and half a board is none.
   */
  shown(now: number, season: Season = 'this'): BoardView {
    const view = this.view(now, season);
    const arrivedMillis = this.#newestInstant?.arrivedMillis ?? Number.NEGATIVE_INFINITY;
    const arriving = now - arrivedMillis < ARRIVAL_MILLIS && view.rows.length < this.#before.rows.length;
    return arriving ? { ...view, ...this.#before } : view;
  }

  /** Keeps what is shown when a newer instant begins to arrive: its rows replace those of the older one by one. */
  #noteInstant(atMillis: number | null, now: number): void {
    const period = this.definition.period;
    if (period?.kind !== 'instant' || atMillis === null || atMillis > now + period.everyMillis) return;
    if (this.#newestInstant && atMillis <= this.#newestInstant.atMillis) return;
    this.#before = newestInstant(byRank(this.#seasons.get(ALL_TIME)), now + period.everyMillis);
    this.#newestInstant = { atMillis, arrivedMillis: now };
  }

  #put(season: number, row: Row, now: number): void {
    const rows = this.#seasons.get(season) ?? new Map<number, Row>();
    this.#seasons.set(season, rows.set(row.rank, row));
    if (this.definition.period?.kind !== 'season') return;
    const kept = seasonsToKeep([...this.#seasons.keys()], now);
    for (const start of this.#seasons.keys()) if (!kept.has(start)) this.#seasons.delete(start);
  }

  #vacate(season: number, rank: number): void {
    const rows = this.#seasons.get(season);
    rows?.delete(rank);
    if (rows?.size === 0) this.#seasons.delete(season);
  }

  /** Of the seasons that have begun: one far in the future (a broken clock) must not hijack the board. */
  #seasonAt(now: number, lengthMillis: number | null, season: Season): Pick<BoardView, 'period' | 'rows'> {
    const begun = [...this.#seasons.keys()].filter((start) => start <= now).sort((a, b) => b - a);
    const isOver = (start: number, index: number) =>
      lengthMillis === null ? index > 0 : start + lengthMillis <= now;
    const startMillis = season === 'last' ? begun.find(isOver) : begun[0];
    if (startMillis === undefined) return { period: null, rows: [] };
    const rows = byRank(this.#seasons.get(startMillis));
    if (lengthMillis === null) return { period: null, rows };
    const endMillis = startMillis + lengthMillis;
    return { period: { kind: 'season', startMillis, endMillis, over: now >= endMillis }, rows };
  }
}

function seasonsToKeep(starts: number[], now: number): Set<number> {
  const newestFirst = starts.toSorted((a, b) => b - a);
  const past = newestFirst.filter((start) => start <= now).slice(0, PAST_SEASONS);
  const future = newestFirst.filter((start) => start > now).slice(-FUTURE_SEASONS);
  return new Set([...past, ...future]);
}

/** Only the rows of the newest instant: a board that became shorter leaves the ranks of older instants behind. */
function newestInstant(rows: Row[], latest: number): Pick<BoardView, 'period' | 'rows'> {
  const instants = rows.map((row) => row.instantMillis ?? 0).filter((instant) => instant <= latest);
  if (instants.length === 0) return { period: null, rows: [] };
  const atMillis = Math.max(...instants);
  return {
    period: { kind: 'instant', atMillis },
    rows: rows.filter((row) => row.instantMillis === atMillis),
  };
}

function byRank(rows: ReadonlyMap<number, Row> | undefined): Row[] {
  return [...(rows?.values() ?? [])].sort((a, b) => a.rank - b.rank);
}
