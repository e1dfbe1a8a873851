import { Board, type BoardView } from './board.ts';
import type { BoardDefinition } from './definition.ts';
import { parseRecord, parseSeason, type RawRecord } from './record.ts';

/*
 * A board as it was shown at a moment, found in the history of its changes by reading backward from that moment: the
 * newest record of the newest season that had begun. Pure.
 */

/** How far the clocks of those who make events and of those who write boards may be apart. */
const CLOCKS_APART_MILLIS = 60_000;

export class PastBoard {
  readonly #definition: BoardDefinition;
  readonly #atMillis: number;
  /** The newest record of each season, as far as was read. */
  readonly #newest = new Map<number, RawRecord>();
  /** The same within the chunk that is being read: there, later records are newer. */
  #chunk = new Map<number, RawRecord>();
  #chunkStartMillis: number | null = null;
  #startMillis = Number.POSITIVE_INFINITY;

  /** @param atMillis the moment, in epoch milliseconds */
  constructor(definition: BoardDefinition, atMillis: number) {
    this.#definition = definition;
    this.#atMillis = atMillis;
  }

  /** Takes records in their order. Records after the moment are passed over, and those of other definitions of the board. */
  consume(records: readonly RawRecord[]): void {
    this.#chunkStartMillis ??= records[0]?.timestampMillis ?? null;
    for (const record of records) this.#consumeOne(record);
  }

  /** What was consumed is a whole chunk; what is consumed next directly precedes it. */
  endChunk(): void {
    for (const [season, record] of this.#chunk) {
      if (!this.#newest.has(season)) this.#newest.set(season, record);
    }
    this.#startMillis = this.#chunkStartMillis ?? this.#startMillis;
    this.#chunkStartMillis = null;
    this.#chunk = new Map();
  }

  /** True when nothing that lies before the chunks read can change the view. */
  get isComplete(): boolean {
    if (this.#newest.size === 0) return false;
    const { period } = this.#definition;
    if (period?.kind !== 'season' || period.lengthMillis === null) return true;
    // A season that began later can have had its last change before the changes read of this one.
    const next = Math.max(...this.#newest.keys()) + period.lengthMillis;
    return next > this.#atMillis || this.#startMillis < next - CLOCKS_APART_MILLIS;
  }

  /** What was shown, as far as the chunks read tell; `updatedMillis` is null when none had a record of that time. */
  view(): BoardView {
    const board = new Board(this.#definition);
    const seasons = [...this.#newest].sort(([a], [b]) => a - b);
    for (const [, record] of seasons) board.apply(record, this.#atMillis);
    return board.view(this.#atMillis);
  }

  #consumeOne(raw: RawRecord): void {
    if (raw.timestampMillis > this.#atMillis) return;
    const season = parseSeason(raw.key);
    if (season === undefined || season > this.#atMillis) return;
    if (typeof parseRecord(this.#definition, raw) === 'object') this.#chunk.set(season, raw);
  }
}
