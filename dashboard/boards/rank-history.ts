import type { BoardView } from './board.ts';
import type { Row } from './record.ts';

/*
 * Where everyone stood, a minute ago and since the season began. Snapshots are taken at whole steps of the
 * clock, so that replicas of the dashboard, whose clocks agree, compare with the same moment. Pure: the time
 * is passed in.
 */

/** How far back movement looks. */
const LOOK_BACK_MILLIS = 60_000;

/** Between two snapshots; older ones are further apart. */
const STEP_MILLIS = 10_000;

/** More would be more than one sees. */
const MOST_SNAPSHOTS = 60;

/** How a board stood. */
export interface RankSnapshot {
  /** Epoch milliseconds. */
  atMillis: number;
  /** The season's start in epoch milliseconds; undefined on boards without seasons. */
  season: number | undefined;
  /** Ordered by rank. */
  rows: readonly Row[];
  /** By the rows' ids. */
  ranks: ReadonlyMap<string, number>;
}

export class RankHistory {
  /** Of one season, the oldest first. */
  #snapshots: RankSnapshot[] = [];
  /** Between two that are older than a minute. */
  #thinnedMillis = STEP_MILLIS;

  /**
   * Remembers how a board stands, once per step; to be called at least as often. The view is asked for when
   * needed.
   */
  record(viewed: () => BoardView, now: number): void {
    const atMillis = now - (now % STEP_MILLIS);
    const newest = this.#snapshots.at(-1);
    if (newest?.atMillis === atMillis) return;
    const view = viewed();
    const { rows } = view;
    if (rows.length === 0) return;
    const season = currentSeason(view);
    if (newest?.season !== season) {
      this.#snapshots = [];
      this.#thinnedMillis = STEP_MILLIS;
    }
    this.#snapshots.push({ atMillis, season, rows, ranks: new Map(rows.map(({ id, rank }) => [id, rank])) });
    this.#thin(now);
    while (this.#snapshots.length > MOST_SNAPSHOTS) {
      this.#thinnedMillis *= 2;
      this.#thin(now);
    }
  }

  /**
   * How the board stood a minute ago, or when it was first seen if that is less long ago. Undefined while
   * there is nothing to compare with: its season has just begun, or it was never seen.
   *
   * @param now epoch milliseconds
   */
  previous(view: BoardView, now: number): RankSnapshot | undefined {
    const snapshots = this.since(view);
    return snapshots.findLast(({ atMillis }) => atMillis <= now - LOOK_BACK_MILLIS) ?? snapshots[0];
  }

  /** How the board has stood since its season began, or since it was first seen, the oldest first. */
  since(view: BoardView): readonly RankSnapshot[] {
    return this.#snapshots[0]?.season === currentSeason(view) ? this.#snapshots : [];
  }

  #thin(now: number): void {
    const minuteAgo = now - LOOK_BACK_MILLIS;
    this.#snapshots = this.#snapshots.filter(({ atMillis }, index, { [index + 1]: next }) => {
      // The newest that is old enough is compared with.
      const isRecent = !next || next.atMillis > minuteAgo;
      return index === 0 || isRecent || atMillis % this.#thinnedMillis === 0;
    });
  }
}

/** Ranks of two seasons do not compare; those of two instants do. */
function currentSeason({ period }: BoardView): number | undefined {
  return period?.kind === 'season' ? period.startMillis : undefined;
}
