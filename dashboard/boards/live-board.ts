import type { BoardDefinition } from '../../contract/board.ts';
import { TopicState } from '../topic-state.ts';
import { Board, type BoardView, type Season } from './board.ts';
import { LivePlayers } from './live-players.ts';
import { type Place, RankHistory, type RankSnapshot, ValueRankHistory } from './rank-history.ts';

/** Without a change for longer, a board is shown as quiet. */
const QUIET_MILLIS = 60_000;

/** How long the first scores of a new season may take before the page reports them missing. */
const NEW_SEASON_MILLIS = 5000;

/** A board as it is now. */
export class LiveBoard extends TopicState<Board> {
  readonly definition: BoardDefinition;
  readonly players: LivePlayers;
  readonly #ranks = new RankHistory();
  readonly #valueRanks = new ValueRankHistory();
  #arrivals: number[] = [];

  /** @param players those that are hidden; by default nobody is */
  constructor(definition: BoardDefinition, players = new LivePlayers()) {
    super(new Board(definition, players));
    this.definition = definition;
    this.players = players;
  }

  view(now: number, season: Season = 'this', value?: string): BoardView {
    return this.content.view(now, season, value);
  }

  /** Events have come to the rows, which Kafka got at these times (epoch milliseconds). */
  noteArrivals(eventMillis: readonly number[]): void {
    this.#arrivals.push(...eventMillis);
  }

  /** The times of the events that have come since this was last asked. */
  takeArrivals(): number[] {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    return arrivals;
  }

  /**
   * Remembers how the board stands, to tell later who moved, unless it cannot be read. To be called a few
   * times a minute at least.
   */
  note(now: number): void {
    if (this.status.kind !== 'live') return;
    if (this.definition.by) this.#valueRanks.record(() => this.content.values(now), now);
    else this.#ranks.record(() => this.view(now), now);
  }

  /** How the board stood a minute ago; undefined when there is nothing to compare with. */
  before(now: number, value?: string): RankSnapshot<Place> | undefined {
    const view = this.view(now, 'this', value);
    if (this.definition.by) return this.#valueRanks.previous(view, now);
    const previous = this.#ranks.previous(view, now);
    return previous && this.#withoutHidden(previous);
  }

  /** How the board has stood since its season began, or since it was first seen, the oldest first. */
  snapshots(now: number): readonly RankSnapshot[] {
    return this.#ranks.since(this.view(now)).map((snapshot) => this.#withoutHidden(snapshot));
  }

  /** How the board stood every 20 s of the last ten minutes, as far as it was seen, the oldest first. */
  samples(now: number): readonly RankSnapshot[] {
    return this.#ranks.samples(this.view(now)).map((snapshot) => this.#withoutHidden(snapshot));
  }

  /** Who is hidden now is not shown as having been there before. */
  #withoutHidden(snapshot: RankSnapshot): RankSnapshot {
    return { ...snapshot, rows: this.content.withoutHidden(snapshot.rows) };
  }

  /** True when it was read to its end, and has not changed for a while. */
  isQuiet(now: number, value?: string): boolean {
    const { updatedMillis } = this.view(now, 'this', value);
    return updatedMillis !== undefined && now - updatedMillis > QUIET_MILLIS;
  }

  /** True when the newest season with scores has been over for a moment. */
  hasEnded(now: number): boolean {
    const { period } = this.view(now);
    return period?.kind === 'season' && now - period.endMillis >= NEW_SEASON_MILLIS;
  }

  /** Equal versions look the same, so a board is drawn again only when its version changes. */
  version(now: number, season: Season, value?: string): string {
    const { period } = this.view(now, season, value);
    const { publications, status, content, players } = this;
    const compared = [this.before(now, value)?.atMillis, this.samples(now).at(-1)?.atMillis];
    const pastDue = [this.isQuiet(now, value), this.hasEnded(now)];
    return JSON.stringify([
      publications,
      content.revision,
      players.version,
      status,
      period,
      compared,
      pastDue,
    ]);
  }
}
