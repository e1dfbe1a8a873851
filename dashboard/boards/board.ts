import {
  type BoardDefinition,
  DEFAULT_KEEP_SEASONS,
  seasonEndMillis,
  shownRows,
} from '../../contract/board.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
import { LivePlayers } from './live-players.ts';
import { type BoardRecord, NO_VALUE, parseRecord, type Row, readValue } from './record.ts';
import { type SeasonBoard, SeasonBoards } from './season-boards.ts';

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

/**
 * The season that is running or was last played, the last one that is over, or the one that a moment lies in
 * (epoch milliseconds).
 */
export type Season = 'this' | 'last' | number;

/** The time that the shown rows belong to; all times are epoch milliseconds. */
export type ShownPeriod = ShownSeason | { kind: 'instant'; atMillis: number };

export interface ShownSeason {
  kind: 'season';
  startMillis: number;
  endMillis: number;
  /** From when on no event that reaches Kafka counts in it; not set: events always do. */
  frozenMillis?: number;
  over: boolean;
}

/** What there is to see of a board at one moment. */
export interface BoardView {
  /** Undefined on boards without a period or with an endless one, and while there is nothing to show. */
  period: ShownPeriod | undefined;
  /** Ordered by rank. */
  rows: readonly Row[];
  /** Timestamp of the newest record that counts, in epoch milliseconds; undefined before the first. */
  updatedMillis: number | undefined;
  /** Of a board by value. */
  value?: ShownValue;
}

/** A value of a board by value, and what is kept of the others. */
export interface ShownValue {
  /** Whose rows they are; undefined while the season has no values. */
  name: string | undefined;
  /** False: the season has no rows of it that are kept. */
  isKept: boolean;
  /** How many values of the season are kept. */
  kept: number;
  /** How many values of the season are left out (10,000: so many, or more). */
  leftOut: number;
}

/** What is kept of the values of a season. */
export interface SeasonValues {
  period: ShownPeriod | undefined;
  /** In the order of their UTF-16 units. */
  values: { name: string; rows: readonly Row[] }[];
  leftOut: number;
}

export class Board {
  readonly definition: BoardDefinition;
  readonly #players: LivePlayers;
  /** What is shown of rows, as long as nobody else is hidden. */
  readonly #shownRows = new WeakMap<readonly Row[], { shown: readonly Row[]; version: string }>();
  readonly #seasons = new Map<number, SeasonBoards>();
  /** Of the record that is shown, on boards of instants. */
  #instantMillis: number | undefined;
  #newEvents: readonly number[] = [];
  #updatedMillis: number | undefined;
  #revision = 0;

  /** @param players those that are hidden; by default nobody is */
  constructor(definition: BoardDefinition, players = new LivePlayers()) {
    this.definition = definition;
    this.#players = players;
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
    const updatedMillis = Math.min(raw.timestampMillis, now);
    this.#updatedMillis = Math.max(this.#updatedMillis ?? 0, updatedMillis);
    this.#take(record, updatedMillis);
    if (this.definition.period?.kind === 'season') this.#forgetSeasons(now);
    return 'applied';
  }

  /** When the newest record that counts was written, in epoch milliseconds; undefined before the first. */
  get updatedMillis(): number | undefined {
    return this.#updatedMillis;
  }

  /**
   * How the board is at `now` (epoch milliseconds). Boards without seasons have one view.
   *
   * @param value of a board by value; not set: the first in the order of their UTF-16 units
   */
  view(now: number, season: Season = 'this', value?: string): BoardView {
    if (this.definition.period?.kind === 'season') {
      const startMillis = this.#startOf(now, season);
      return { period: this.#periodOf(startMillis, now), ...this.#shown(startMillis, value) };
    }
    const atMillis = this.#instantMillis;
    const period = atMillis === undefined ? undefined : { kind: 'instant' as const, atMillis };
    return { period, ...this.#shown(0, value) };
  }

  /** The values of a season that are kept; undefined when it is none that has begun and is kept. */
  values(now: number, season: Season = 'this'): SeasonValues | undefined {
    const startMillis = this.#startOf(now, season);
    const boards = startMillis === undefined ? undefined : this.#seasons.get(startMillis);
    if (!boards) return undefined;
    return {
      period: this.#periodOf(startMillis, now),
      values: this.#names(boards).map((name) => ({ name, rows: this.#rows(boards, name) })),
      leftOut: boards.leftOut,
    };
  }

  /** Rows of the board without those of hidden players, with the ranks that are shown. */
  withoutHidden(rows: readonly Row[]): readonly Row[] {
    if (this.definition.player === undefined) return rows;
    const { version } = this.#players;
    const before = this.#shownRows.get(rows);
    if (before?.version === version) return before.shown;
    const shown = shownRows(this.definition, rows, readValue, (id) => this.#players.isHidden(id));
    this.#shownRows.set(rows, { shown, version });
    return shown;
  }

  /** The seasons that have begun and are kept, the newest first; none on boards whose seasons never end. */
  seasons(now: number): ShownSeason[] {
    return this.#begun(now).flatMap((startMillis) => this.#periodOf(startMillis, now) ?? []);
  }

  #shown(startMillis: number | undefined, asked: string | undefined): Omit<BoardView, 'period'> {
    const boards = startMillis === undefined ? undefined : this.#seasons.get(startMillis);
    if (!this.definition.by) {
      return { rows: this.#rows(boards, NO_VALUE), updatedMillis: this.#updatedMillis };
    }
    const names = boards ? this.#names(boards) : [];
    const name = asked ?? names[0];
    const rows = name === undefined ? [] : this.#rows(boards, name);
    const board = name === undefined || rows.length === 0 ? undefined : boards?.get(name);
    const value = {
      name,
      isKept: board !== undefined,
      kept: names.length,
      leftOut: boards?.leftOut ?? 0,
    };
    return { rows, updatedMillis: board?.updatedMillis, value };
  }

  #rows(boards: SeasonBoards | undefined, value: string): readonly Row[] {
    return this.withoutHidden(boards?.get(value)?.rows ?? []);
  }

  /** The values of whose boards there is something to show. */
  #names(boards: SeasonBoards): readonly string[] {
    if (this.definition.player === undefined) return boards.values;
    return boards.values.filter((name) => this.#rows(boards, name).length > 0);
  }

  #begun(now: number): number[] {
    return [...this.#seasons.keys()].filter((start) => start <= now).sort((a, b) => b - a);
  }

  /**
   * Instants only go forward, also when a job that was restored computes earlier ones again. A tombstone is
   * of no instant.
   */
  #isDue({ instantMillis }: BoardRecord, now: number): boolean {
    const { period } = this.definition;
    if (period?.kind !== 'instant') return true;
    if (instantMillis === undefined) return false;
    const shownMillis = this.#instantMillis ?? Number.NEGATIVE_INFINITY;
    return instantMillis >= shownMillis && instantMillis <= now + period.everyMillis;
  }

  #take({ seasonMillis, value, instantMillis, rows }: BoardRecord, updatedMillis: number): void {
    const { by } = this.definition;
    this.#instantMillis = instantMillis;
    const boards = this.#seasons.get(seasonMillis) ?? new SeasonBoards(by?.maxValues ?? 1);
    this.#seasons.set(seasonMillis, boards);
    const newestEventMillis = this.#noteEvents(this.withoutHidden(rows), boards.get(value));
    if (by && rows.length === 0) boards.delete(value);
    else boards.set(value, { rows, newestEventMillis, updatedMillis });
  }

  /**
   * A job that starts over writes boards of old events again: none of them is new until it has come to where
   * it was. Of a value that is new, or was left out, it is not known which are.
   *
   * @returns the newest event that the board ever had
   */
  #noteEvents(rows: readonly Row[], before: SeasonBoard | undefined): number {
    const newest = newestEvent(rows);
    const known = before?.newestEventMillis ?? (this.definition.by ? newest : this.#newestEvent());
    if (newest < known) return known;
    // The rows of a job that has yet to come to where it was do not tell what was there.
    const shownBefore = this.withoutHidden(before?.rows ?? []);
    const rowsBefore = newestEvent(shownBefore) === known ? shownBefore : [];
    const lastEvents = new Map(rowsBefore.map(({ id, lastEventMillis }) => [id, lastEventMillis]));
    this.#newEvents = rows.flatMap(({ id, lastEventMillis = Number.NEGATIVE_INFINITY }) =>
      lastEventMillis > (lastEvents.get(id) ?? known) ? [lastEventMillis] : [],
    );
    return newest;
  }

  #newestEvent(): number {
    const boards = [...this.#seasons.values()].flatMap((one) => [...one.all()]);
    return Math.max(...boards.map(({ newestEventMillis }) => newestEventMillis));
  }

  #forgetSeasons(now: number): void {
    const newestFirst = [...this.#seasons.keys()].sort((a, b) => b - a);
    const kept = 1 + (this.definition.keepSeasons ?? DEFAULT_KEEP_SEASONS);
    const past = this.#begun(now).slice(kept);
    const future = newestFirst.filter((start) => start > now).slice(0, -FUTURE_SEASONS);
    for (const start of [...past, ...future]) this.#seasons.delete(start);
  }

  /** Of the seasons that have begun: one far in the future (a broken clock) must not hijack the board. */
  #startOf(now: number, season: Season): number | undefined {
    const begun = this.#begun(now);
    if (season === 'this') return begun[0];
    if (season !== 'last') {
      const startMillis = begun.find((start) => start <= season);
      const period = this.#periodOf(startMillis, now);
      return period && season < period.endMillis ? startMillis : undefined;
    }
    return begun.find((start, index) => {
      const period = this.#periodOf(start, now);
      return period ? period.over : index > 0;
    });
  }

  /** Undefined where there are no seasons, or it never ends. */
  #periodOf(startMillis: number | undefined, now: number): ShownSeason | undefined {
    const { period } = this.definition;
    if (period?.kind !== 'season' || startMillis === undefined) return undefined;
    const endMillis = seasonEndMillis(period, startMillis);
    if (endMillis === undefined) return undefined;
    const { latestArrivalMillis } = period;
    return {
      kind: 'season',
      startMillis,
      endMillis,
      over: now >= endMillis,
      ...(latestArrivalMillis && { frozenMillis: endMillis + latestArrivalMillis }),
    };
  }
}

function newestEvent(rows: readonly Row[]): number {
  return Math.max(...rows.flatMap(({ lastEventMillis }) => lastEventMillis ?? []));
}
