import type { Players } from '../contract/players.ts';
import { isReadUntil, type PartitionProgress } from '../kafka/group-progress.ts';
import type { BoardSeasons, DueSeason, FinalSeason } from './board-seasons.ts';

/*
 * When the board of a season is final, and in its topic.
 *
 * Events that reach Kafka after the season is frozen do not count in it. So its board is final once the job
 * has counted, in each partition, all records before that moment. The job commits the offsets that it has
 * read up to when a checkpoint is complete, and what it had to write is in the topics by then. A job that is
 * restored from a checkpoint does not go back before it.
 *
 * But a job that starts without its state does: it reads all events again, and rewrites each board from its
 * first event on. Until its first checkpoint, the commits are those of the job before. Nothing in the topic
 * tells such a board from a final one, and no time is long enough to wait. So:
 *
 *   1. Read the board's topic to its end.
 *   2. Remove the commits. Flink does not use them: it starts from its state, or from the first event.
 *   3. Wait for commits that say that the season is final. They are of a job that ran after (1). It has
 *      written the final board, and before it committed, also if it had lost its state.
 *   4. Read the board's topic to its end. If nothing was written of the season since (1), then what was read
 *      in (1) is the final board: a job that began to rewrite it before (1) would have ended that between
 *      (1) and (3), and one that begins after (3) has written nothing yet. Otherwise begin with (1) again.
 *
 * Of jobs, one runs at a time. No delay takes part in this, and no clock, except that a season is not looked
 * at before the time at which it is frozen: a partition without any record after that has no other clock.
 */

/** The boards whose events the job reads in one consumer group. */
export interface BoardsOfGroup {
  boards: readonly BoardSeasons[];
  /** How far the job has read, up to a moment in epoch milliseconds. */
  fetchProgress(untilMillis: number): Promise<PartitionProgress[]>;
  forgetCommits(): Promise<void>;
  isWritten(id: string): boolean;
  /** The players that are hidden, as their topic says now. */
  readPlayers(signal: AbortSignal): Promise<Players>;
}

export class Closing {
  readonly #group: BoardsOfGroup;
  /** Seasons that wait for the job's next commits. */
  #asked: DueSeason[] = [];
  #due = 0;

  constructor(group: BoardsOfGroup) {
    this.#group = group;
  }

  /** How many seasons are frozen and have no result. */
  get due(): number {
    return this.#due;
  }

  /** Whether the job's next commits are being waited for. */
  get isAsking(): boolean {
    return this.#asked.length > 0;
  }

  /**
   * Continues as far as it can now.
   *
   * @param now epoch milliseconds
   * @returns the seasons whose boards are final
   */
  async advance(now: number, signal: AbortSignal): Promise<FinalSeason[]> {
    if (!this.isAsking) {
      await this.#catchUp(signal);
      const due = this.#group.boards.flatMap((board) => board.dueSeasons(now));
      this.#due = due.length;
      // While even the commits that there are say that it is not, they can stay.
      if ((await this.#findFinal(due)).length === 0) return [];
      await this.#group.forgetCommits();
      this.#asked = due;
      return [];
    }
    const final = await this.#findFinal(this.#asked);
    if (final.length === 0) return [];
    this.#asked = [];
    await this.#catchUp(signal);
    const players = await this.#group.readPlayers(signal);
    return final.flatMap((due) => due.board.finish(due, players) ?? []);
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (const board of this.#group.boards) await board.catchUp(this.#group.isWritten, signal);
  }

  /** The seasons that the job has come to the end of, as its commits say: all that are frozen by a time. */
  async #findFinal(due: DueSeason[]): Promise<DueSeason[]> {
    const times = [...new Set(due.map(({ season }) => season.frozenMillis))].sort((a, b) => b - a);
    for (const time of times) {
      const progress = await this.#group.fetchProgress(time);
      if (isReadUntil(progress)) return due.filter(({ season }) => season.frozenMillis <= time);
    }
    return [];
  }
}
