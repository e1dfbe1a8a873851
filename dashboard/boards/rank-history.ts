import type { BoardView, SeasonValues } from './board.ts';
import type { Row } from './record.ts';

/*
 * Where everyone stood, a minute ago, in the last ten minutes and since the season began. Snapshots are taken
 * at whole steps of the clock, so that replicas of the dashboard, whose clocks agree, compare with the same
 * moment. Pure: the time is passed in.
 */

/** How far back movement looks. */
const LOOK_BACK_MILLIS = 60_000;

/** Between two snapshots; older ones are further apart. */
const STEP_MILLIS = 10_000;

/** How far back the samples of the scores go, and how far apart they are. */
export const SAMPLED_MILLIS = 600_000;
export const SAMPLE_MILLIS = 20_000;

/** Some thirty of the last ten minutes, and of the time before as many as one sees. */
const MOST_SNAPSHOTS = 90;

/** Of so many rows it is drawn how they went: of all of a large board, memory would not last. */
export const MOST_DRAWN = 100;

/** Who stood where. */
export type Place = Pick<Row, 'id' | 'rank'>;

/** How a board stood. */
export interface RankSnapshot<Kept extends Place = Row> {
  /** Epoch milliseconds. */
  atMillis: number;
  /** The season's start in epoch milliseconds; undefined on boards without seasons. */
  season: number | undefined;
  /** Ordered by rank. */
  rows: readonly Kept[];
}

export class RankHistory {
  /** Of one season, the oldest first. */
  #snapshots: RankSnapshot[] = [];
  /** Between two that are older than ten minutes. */
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
    this.#snapshots.push({ atMillis, season, rows });
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
    return comparedWith(this.#of(view), now);
  }

  /** How the board has stood since its season began, or since it was first seen, the oldest first. */
  since(view: BoardView): readonly RankSnapshot[] {
    return this.#of(view).filter(
      ({ atMillis }, index, all) =>
        index === 0 || index === all.length - 1 || atMillis % this.#thinnedMillis === 0,
    );
  }

  /**
   * The same in the ten minutes before the last sample, at whole multiples of 20 s; there is none of a moment
   * at which the board was not seen.
   */
  samples(view: BoardView): readonly RankSnapshot[] {
    const samples = this.#of(view).filter(({ atMillis }) => atMillis % SAMPLE_MILLIS === 0);
    const firstMillis = (samples.at(-1)?.atMillis ?? 0) - SAMPLED_MILLIS;
    return samples.filter(({ atMillis }) => atMillis >= firstMillis);
  }

  #of(view: BoardView): readonly RankSnapshot[] {
    return this.#snapshots[0]?.season === currentSeason(view) ? this.#snapshots : [];
  }

  #thin(now: number): void {
    this.#snapshots = this.#snapshots.flatMap((snapshot, index, { [index + 1]: next }) => {
      // The newest that is old enough is compared with, row by row.
      if (!next || next.atMillis > now - LOOK_BACK_MILLIS) return [snapshot];
      const { atMillis, rows } = snapshot;
      const isSample = atMillis % SAMPLE_MILLIS === 0 && next.atMillis > now - SAMPLED_MILLIS;
      if (index > 0 && atMillis % this.#thinnedMillis !== 0 && !isSample) return [];
      return [rows.length > MOST_DRAWN ? { ...snapshot, rows: rows.slice(0, MOST_DRAWN) } : snapshot];
    });
  }
}

/**
 * The same of a board by value, in the last minute: there may be so many values that of each the places alone
 * are kept, once while they stay the same.
 */
export class ValueRankHistory {
  /** Of one season, from the newest that is a minute old. */
  #snapshots: {
    atMillis: number;
    season: number | undefined;
    places: ReadonlyMap<string, readonly Place[]>;
  }[] = [];

  /** Remembers how the boards of all values stand, once per step; to be called at least as often. */
  record(viewed: () => SeasonValues | undefined, now: number): void {
    const atMillis = now - (now % STEP_MILLIS);
    const newest = this.#snapshots.at(-1);
    if (newest?.atMillis === atMillis) return;
    const view = viewed();
    if (!view) return;
    const season = currentSeason(view);
    if (newest?.season !== season) this.#snapshots = [];
    const places = new Map(
      view.values.map(({ name, rows }): [string, readonly Place[]] => {
        const before = newest?.places.get(name) ?? [];
        const isSame = (row: Row, index: number) =>
          row.id === before[index]?.id && row.rank === before[index].rank;
        const stayed = rows.length === before.length && rows.every(isSame);
        return [name, stayed ? before : rows.map(({ id, rank }) => ({ id, rank }))];
      }),
    );
    this.#snapshots.push({ atMillis, season, places });
    const oldest = comparedWith(this.#snapshots, now);
    this.#snapshots = this.#snapshots.filter((one) => one.atMillis >= (oldest?.atMillis ?? 0));
  }

  /** How the board of the value that is viewed stood a minute ago, or when it was first seen since then. */
  previous(view: BoardView, now: number): RankSnapshot<Place> | undefined {
    const { value } = view;
    const season = currentSeason(view);
    if (value?.name === undefined || this.#snapshots[0]?.season !== season) return undefined;
    const { name } = value;
    const known = this.#snapshots.flatMap(({ atMillis, places }) => {
      const rows = places.get(name);
      return rows ? [{ atMillis, season, rows }] : [];
    });
    return comparedWith(known, now);
  }
}

/** The newest snapshot that is a minute old, or the first. */
function comparedWith<Kept extends { atMillis: number }>(
  snapshots: readonly Kept[],
  now: number,
): Kept | undefined {
  return snapshots.findLast(({ atMillis }) => atMillis <= now - LOOK_BACK_MILLIS) ?? snapshots[0];
}

/** Ranks of two seasons do not compare; those of two instants do. */
function currentSeason({ period }: Pick<BoardView, 'period'>): number | undefined {
  return period?.kind === 'season' ? period.startMillis : undefined;
}
