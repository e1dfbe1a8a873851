import type { BoardView } from './board.ts';

/*
 * Where everyone stood a minute ago. Standings are noted at whole steps of the clock, so that replicas of the
 * dashboard, whose clocks agree, compare with the same moment. Pure: the time is passed in.
 */

/** How far back movement looks. */
const LOOK_BACK_MILLIS = 60_000;

/** Between two standings. */
const STEP_MILLIS = 10_000;

/** Who stood where on a board. */
export interface RankSnapshot {
  /** Epoch milliseconds. */
  atMillis: number;
  /** The season's start in epoch milliseconds; undefined on boards without seasons. */
  season: number | undefined;
  /** By the rows' ids. */
  ranks: ReadonlyMap<string, number>;
}

export class RankHistory {
  /** Oldest first. */
  #standings: RankSnapshot[] = [];

  /**
   * Remembers how a board stands, once per step; to be called at least as often. The view is asked for when
   * needed.
   */
  record(viewed: () => BoardView, now: number): void {
    const atMillis = now - (now % STEP_MILLIS);
    if (this.#standings.at(-1)?.atMillis === atMillis) return;
    const view = viewed();
    if (view.rows.length === 0) return;
    const ranks = new Map(view.rows.map(({ id, rank }) => [id, rank]));
    this.#standings.push({ atMillis, season: currentSeason(view), ranks });
    // The newest that is old enough is compared with; those before it are not needed any more.
    while ((this.#standings[1]?.atMillis ?? now) <= now - LOOK_BACK_MILLIS) this.#standings.shift();
  }

  /**
   * How the board stood a minute ago, or when it was first seen if that is less long ago. Undefined while
   * there is nothing to compare with: its season has just begun, or it was never seen.
   */
  previous(view: BoardView): RankSnapshot | undefined {
    const season = currentSeason(view);
    return this.#standings.find((standing) => standing.season === season);
  }
}

/** Ranks of two seasons do not compare; those of two instants do. */
function currentSeason({ period }: BoardView): number | undefined {
  return period?.kind === 'season' ? period.startMillis : undefined;
}
