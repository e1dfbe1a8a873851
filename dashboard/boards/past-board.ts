import { type BoardDefinition, seasonEndMillis } from '../../contract/board.ts';
import { isGap } from '../../contract/history.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
import { Board, type BoardView } from './board.ts';
import { LivePlayers } from './live-players.ts';
import { parseRecord } from './record.ts';

/*
 * A board as it was shown at a moment, found in the history of its changes by reading backward from that
 * moment: the newest record of the newest season that had begun, or that of the newest instant. Pure.
 */

/** How far the clocks of those who make events and of those who write boards may be apart. */
const CLOCKS_APART_MILLIS = 60_000;

/** A record that the board may have been shown by. */
interface Candidate {
  raw: KafkaRecord;
  /** Of the candidates, the latest is shown: the season's start, or the instant, in epoch milliseconds. */
  periodMillis: number;
}

export class PastBoard {
  readonly #definition: BoardDefinition;
  readonly #players: LivePlayers;
  readonly #atMillis: number;
  /** How long before its period begins a record may have been written, or before its instant. */
  readonly #aheadMillis: number;
  /** What the chunks read so far show. */
  #shown: Candidate | undefined;
  /** The same for the chunk that is being read: within it, later records are newer. */
  #chunkShown: Candidate | undefined;
  #chunkStartMillis: number | undefined;
  #startMillis = Number.POSITIVE_INFINITY;
  #updatedMillis: number | undefined;
  #hasGap = false;

  /**
   * @param atMillis the moment, in epoch milliseconds
   * @param players those that are hidden now; by default nobody is
   */
  constructor(definition: BoardDefinition, atMillis: number, players = new LivePlayers()) {
    const { period } = definition;
    this.#players = players;
    this.#definition = definition;
    this.#atMillis = atMillis;
    this.#aheadMillis = period?.kind === 'instant' ? period.everyMillis : 0;
  }

  /**
   * Takes records in their order. Records after the moment are passed over, and those of other definitions of
   * the board.
   */
  consume(records: readonly KafkaRecord[]): void {
    for (const record of records) this.#consumeOne(record);
  }

  /** What was consumed is a whole chunk; what is consumed next directly precedes it. */
  endChunk(): void {
    if (isLater(this.#chunkShown, this.#shown)) this.#shown = this.#chunkShown;
    this.#startMillis = this.#chunkStartMillis ?? this.#startMillis;
    this.#chunkStartMillis = undefined;
    this.#chunkShown = undefined;
  }

  /** True when it is not known what lies before what the view shows: changes are missing. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  /** True when nothing that lies before the chunks read can change the view. */
  get isComplete(): boolean {
    const { period } = this.#definition;
    if (!this.#shown) return false;
    if (!period) return true;
    const { periodMillis } = this.#shown;
    const endMillis = period.kind === 'season' ? seasonEndMillis(period, periodMillis) : undefined;
    // The one season of a board without an end; no other follows it.
    if (period.kind === 'season' && endMillis === undefined && periodMillis === 0) return true;
    // A later period can have had its last record before those that were read of this one.
    const nextMillis = endMillis ?? periodMillis + 1;
    const latestMillis = this.#atMillis + this.#aheadMillis;
    return (
      nextMillis > latestMillis || this.#startMillis < nextMillis - this.#aheadMillis - CLOCKS_APART_MILLIS
    );
  }

  /**
   * What was shown, as far as the chunks read tell; `updatedMillis` is undefined when none had a record of
   * that time.
   */
  view(): BoardView {
    const board = new Board(this.#definition, this.#players);
    if (this.#shown) board.apply(this.#shown.raw, this.#atMillis);
    const view = board.view(this.#atMillis);
    // Of instants the one that is shown was the last to be taken in; a late change of an earlier season is a
    // change too.
    return this.#definition.period?.kind === 'instant'
      ? view
      : { ...view, updatedMillis: this.#updatedMillis };
  }

  #consumeOne(raw: KafkaRecord): void {
    const isAfter = raw.timestampMillis > this.#atMillis;
    if (isGap(raw.value) && !isAfter) {
      // What was before does not count, so what comes next is where the chunk begins.
      this.#hasGap = true;
      this.#chunkStartMillis = undefined;
      this.#chunkShown = undefined;
      return;
    }
    this.#chunkStartMillis ??= raw.timestampMillis;
    if (isAfter) return;
    const record = parseRecord(this.#definition, raw);
    if (typeof record !== 'object') return;
    this.#updatedMillis = Math.max(this.#updatedMillis ?? 0, raw.timestampMillis);
    const isInstant = this.#definition.period?.kind === 'instant';
    const periodMillis = isInstant ? record.instantMillis : record.seasonMillis;
    if (periodMillis === undefined || periodMillis > this.#atMillis + this.#aheadMillis) return;
    const candidate = { raw, periodMillis };
    if (!isLater(this.#chunkShown, candidate)) this.#chunkShown = candidate;
  }
}

function isLater(one: Candidate | undefined, other: Candidate | undefined): boolean {
  return one !== undefined && (other === undefined || one.periodMillis > other.periodMillis);
}
