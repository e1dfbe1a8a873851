import type { BoardDefinition } from '../contract/board.ts';
import { Players } from '../contract/players.ts';
import type { ResultSource, SeasonResult } from '../contract/results.ts';
import type { KafkaRecord } from '../kafka/topic-reader.ts';
import type { TopicSlices } from '../kafka/topic-slices.ts';
import { TopicTail } from '../kafka/topic-tail.ts';
import { parseSeason, type Season, toResult } from './season-result.ts';

/** A season that is frozen, with its board as it was when the topic was last read. */
export interface DueSeason {
  season: Season;
  record: KafkaRecord;
  /** The board that has it. */
  board: BoardSeasons;
}

/** One whose board is final. */
export interface FinalSeason extends DueSeason {
  result: SeasonResult;
}

interface BoardSeasonsOptions {
  source: ResultSource;
  definition: BoardDefinition;
  topic: Pick<TopicSlices, 'extent' | 'read'>;
  /**
   * How long the events that a board is recomputed from are kept, in milliseconds; undefined: a job that is
   * started again need not recompute.
   */
  keptMillis: number | undefined;
  /** Called with a season of which not all events were kept when its board was written. */
  onIncomplete(id: string): void;
}

/** The seasons of a board that have no result yet, each with its newest record. */
export class BoardSeasons {
  readonly #options: BoardSeasonsOptions;
  readonly #tail: TopicTail;
  readonly #newest = new Map<string, { season: Season; record: KafkaRecord }>();

  constructor(options: BoardSeasonsOptions) {
    this.#options = options;
    this.#tail = new TopicTail(options.topic, () => this.#newest.clear());
  }

  /**
   * Reads what has come since the last time, up to the topic's end at the time of the call.
   *
   * @param isWritten whether there is a result of this id
   */
  async catchUp(isWritten: (id: string) => boolean, signal: AbortSignal): Promise<void> {
    const { source, definition } = this.#options;
    for await (const records of this.#tail.catchUp(signal)) {
      for (const record of records) {
        const season = parseSeason(source, definition, record.key);
        if (season && !isWritten(season.id)) this.#newest.set(season.id, { season, record });
      }
    }
  }

  /** The seasons that are frozen by that time, with their boards as of the last reading of the topic. */
  dueSeasons(now: number): DueSeason[] {
    const frozen = [...this.#newest.values()].filter(({ season }) => season.frozenMillis <= now);
    return frozen.flatMap(({ season, record }) => {
      if (this.#toResult(season, record, new Players())) return [{ season, record, board: this }];
      // Should it be written again, it comes again.
      this.#newest.delete(season.id);
      return [];
    });
  }

  /**
   * A season with its result, if nothing was written of it after the record.
   *
   * @param players those that are hidden
   */
  finish(due: DueSeason, players: Players): FinalSeason | undefined {
    const { season, record } = due;
    if (this.#newest.get(season.id)?.record !== record) return undefined;
    const result = this.#toResult(season, record, players);
    // All players on it are hidden. Should it be written again, it comes again.
    if (!result) this.#newest.delete(season.id);
    return result && { ...due, result };
  }

  /** Its result is written. */
  forget({ id }: Season): void {
    this.#newest.delete(id);
  }

  #toResult(
    season: Season,
    { value, timestampMillis }: KafkaRecord,
    players: Players,
  ): SeasonResult | undefined {
    const { source, definition, keptMillis, onIncomplete } = this.#options;
    const result = toResult(source, definition, season, value, players);
    // A job without its state writes the board again from the events that there still are: since then those
    // from before may be gone.
    const isComplete = keptMillis === undefined || timestampMillis - season.startMillis <= keptMillis;
    if (result && !isComplete) onIncomplete(season.id);
    return isComplete ? result : undefined;
  }
}
