import { ALL_TIME, Board, type BoardView } from './board.ts';
import type { BoardDefinition } from './definition.ts';
import { type BoardRecord, parsePosition, parseRecord, type RawRecord } from './record.ts';

/*
 * A board as it was shown at a moment, found in the history of its changes from that moment backwards: the newest
 * write to a position decides it, and whatever lies before need not be looked at. Pure.
 */

/** How far the clocks of those who make events and of those who write boards may be apart. */
const CLOCKS_APART_MILLIS = 60_000;

export class PastBoard {
  readonly #definition: BoardDefinition;
  readonly #atMillis: number;
  /** The newest write to each rank, by season; null instead of a row: it was vacant. */
  readonly #decided = new Map<number, Map<number, BoardRecord>>();
  /** The newest write so far to each position, within the stretch that is being taken. */
  #stretch = new Map<string, BoardRecord>();
  /** The newest season with a row; those before it were not shown. */
  #shownSeason: number | null = null;
  #stretchStartMillis: number | null = null;
  #startMillis = Number.POSITIVE_INFINITY;
  #updatedMillis: number | null = null;

  /** @param atMillis the moment, in epoch milliseconds */
  constructor(definition: BoardDefinition, atMillis: number) {
    this.#definition = definition;
    this.#atMillis = atMillis;
  }

  /** Takes records in their order. Records after the moment are passed over. */
  take(records: readonly RawRecord[]): void {
    this.#stretchStartMillis ??= records[0]?.timestampMillis ?? null;
    for (const record of records) this.#takeOne(record);
  }

  /** What was taken is a whole stretch; what is taken next directly precedes it. */
  endStretch(): void {
    for (const record of this.#stretch.values()) {
      const season = seasonOf(record);
      const ranks = this.#decided.get(season) ?? new Map<number, BoardRecord>();
      this.#decided.set(season, ranks.set(record.rank, record));
      if (record.row) this.#shownSeason = Math.max(this.#shownSeason ?? season, season);
    }
    this.#startMillis = this.#stretchStartMillis ?? this.#startMillis;
    this.#stretchStartMillis = null;
    this.#stretch = new Map();
  }

  /** True when nothing that lies before the stretches taken can change the view. */
  get settled(): boolean {
    const season = this.#shownSeason;
    if (season === null) return false;
    const { period, size } = this.#definition;
    const everyRankKnown = this.#decided.get(season)?.size === size;
    if (period?.kind !== 'season') return everyRankKnown || this.#instantIsPassed();

    // A season that began later can have had its last change before the changes seen of this one.
    const next = period.lengthMillis === null ? Number.POSITIVE_INFINITY : season + period.lengthMillis;
    const newest = next > this.#atMillis || this.#isPassed(next);
    return newest && (everyRankKnown || this.#isPassed(season));
  }

  /** What was shown, as far as the stretches taken tell; `updatedMillis` is null when none had a record of that time. */
  view(): BoardView {
    const board = new Board(this.#definition);
    for (const ranks of this.#decided.values()) {
      for (const record of ranks.values()) board.write(record, this.#atMillis);
    }
    return { ...board.view(this.#atMillis), updatedMillis: this.#updatedMillis };
  }

  #takeOne(raw: RawRecord): void {
    if (raw.timestampMillis > this.#atMillis) return;
    this.#updatedMillis = Math.max(this.#updatedMillis ?? raw.timestampMillis, raw.timestampMillis);
    // Most records are of positions that are decided: their values need not be parsed.
    const position = parsePosition(this.#definition, raw.key);
    if (!position || position.rank > this.#definition.size) return;
    const season = seasonOf(position);
    if (season > this.#atMillis || season < (this.#shownSeason ?? season)) return;
    if (this.#decided.get(season)?.has(position.rank)) return;
    const record = parseRecord(this.#definition, raw);
    if (record) this.#stretch.set(`${season} ${record.rank}`, record);
  }

  /** True when no record before the stretches taken can be of a period that began then. */
  #isPassed(periodStartMillis: number): boolean {
    return this.#startMillis < periodStartMillis - CLOCKS_APART_MILLIS;
  }

  #instantIsPassed(): boolean {
    const { period } = this.view();
    return period?.kind === 'instant' && this.#isPassed(period.atMillis);
  }
}

function seasonOf({ seasonMillis }: { seasonMillis: number | null }): number {
  return seasonMillis ?? ALL_TIME;
}
