import { TEAM_FIELDS } from '../../contract/event.ts';
import type { Season } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import { createNotCounted } from '../page/not-counted.ts';
import { foundIn, type Page, type PageBoard } from '../page/page.ts';
import { askedValue, type BoardFilter, shownBoards, valueParameter } from '../page/page-state.ts';
import { createPanel, nameOf, type Panel } from '../page/panel.ts';
import { createRankChart } from '../page/rank-chart.ts';
import {
  renderBoard,
  renderFreshness,
  renderNotCounted,
  renderRankChart,
  renderStatus,
  renderTraffic,
} from '../page/render.ts';
import { type Advice, createStatus } from '../page/status.ts';
import { TeamColors } from '../page/team-color.ts';
import { createFreshness, createTraffic } from '../page/traffic.ts';
import type { ObservedState, PipelineMonitor } from '../pipeline-state.ts';
import type { ScreenDelays } from '../stats/screen-delays.ts';
import type { Stats } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
import type { Metrics } from './metrics.ts';

/*
 * The parts of the page that change, as HTML. Each is rendered at most once per tick, only while someone
 * views it, and is the same string for all viewers.
 */

/** A part as it was last rendered. */
export interface Fragment extends Rendered {
  /** Equal versions look the same; without one, only the HTML tells. */
  version: string | undefined;
  /** The ticks at which it was last asked for, and last differed from before. */
  seenTick: number;
  changedTick: number;
  /** Anyone can ask for any value and season: what nobody looks at is not kept. */
  isAsked: boolean;
}

interface Rendered {
  /** Of the element. */
  id: string;
  html: string;
}

/** A board, and what of it is shown. */
interface Shown {
  board: LiveBoard;
  season: Season;
  /** Of a board by value; undefined: the first. */
  value: string | undefined;
  /** On a page of its own. */
  isAlone: boolean;
}

/** The parts of a page, those of its boards by themselves. */
export interface PageFragments
  extends Pick<Page, 'status' | 'traffic' | 'freshness' | 'notCounted' | 'found'> {
  boards: PageBoard[];
}

export interface FragmentCacheOptions {
  boards: readonly LiveBoard[];
  stats: TopicState<Stats>;
  delays: ScreenDelays;
  pipeline: PipelineMonitor;
  /** What to do when the job counts nothing; empty when unknown. */
  advice: Advice;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
}

export class FragmentCache {
  readonly #options: FragmentCacheOptions;
  readonly #fragments = new Map<string, Fragment>();
  #tick = 0;
  readonly #colors: TeamColors;
  readonly #hasTeams: boolean;
  #pipeline: ObservedState;

  constructor(options: FragmentCacheOptions) {
    this.#options = options;
    this.#colors = new TeamColors(options.boards, options.now);
    this.#hasTeams = options.boards.some(({ definition: { columns, identity } }) =>
      [...identity, ...columns.map(({ name }) => name)].some((name) => TEAM_FIELDS.includes(name)),
    );
    this.#pipeline = options.pipeline.observe(options.now());
  }

  /** Advances to the current state, and takes note of what goes to the screens with it. */
  tick(): void {
    const { boards, delays, metrics, pipeline, now } = this.#options;
    const nowMillis = now();
    for (const [key, { isAsked, seenTick }] of this.#fragments)
      if (isAsked && seenTick < this.#tick) this.#fragments.delete(key);
    this.#tick += 1;
    this.#pipeline = pipeline.observe(nowMillis);
    // Who makes the events may have a clock that runs ahead.
    const shown = boards.flatMap((board) => board.takeArrivals()).map((at) => Math.max(nowMillis - at, 0));
    delays.note(shown, nowMillis);
    for (const delay of shown) metrics.eventShown(delay);
    for (const board of boards) board.note(nowMillis);
  }

  /** Grows with every tick. */
  get currentTick(): number {
    return this.#tick;
  }

  /** All parts of a view, as they were at the last tick. */
  of(view: BoardFilter): Fragment[] {
    const others = [this.#status(), this.#traffic(), this.#freshness(), this.#notCounted()];
    const boards = this.#shown(view).flatMap((shown) => [this.#board(shown), this.#rankChart(shown) ?? []]);
    return [...others, ...boards.flat()];
  }

  /**
   * The same, for the page.
   *
   * @param search whose rows to mark as found, for which the boards are rendered again; empty: none
   */
  page(view: BoardFilter, search: string): PageFragments {
    const others = {
      status: this.#status().html,
      traffic: this.#traffic().html,
      freshness: this.#freshness().html,
      notCounted: this.#notCounted().html,
    };
    const shown = this.#shown(view);
    const panels = search === '' ? [] : shown.map((one) => this.#panel(one, search));
    const marked = panels.map((panel) => ({ id: panel.id, html: renderBoard(panel) }));
    return {
      ...others,
      found: search === '' ? '' : foundIn(panels),
      boards: shown.map((one, index) => this.#complete(one, marked[index] ?? this.#board(one))),
    };
  }

  #shown(view: BoardFilter): Shown[] {
    const { boards, season } = shownBoards(this.#options.boards, view);
    const isAlone = view.board !== undefined;
    return boards.map((board) => ({ board, season, value: askedValue(board.definition, view), isAlone }));
  }

  /** A board with what the page says of it outside of what changes, such as the values to choose from. */
  #complete(shown: Shown, { id, html }: Rendered): PageBoard {
    const { board, season, isAlone } = shown;
    const { name, title, by } = board.definition;
    const now = this.#options.now();
    const { rows, value } = board.view(now, season, shown.value);
    return {
      id,
      name,
      title,
      html,
      rankChart: this.#rankChart(shown)?.html ?? '',
      isEmpty: rows.length === 0,
      pastSeasons: isAlone ? this.#pastSeasons(shown) : [],
      by: by && {
        label: by.label,
        parameter: valueParameter(board.definition),
        shown: value?.name,
        values: board.content.values(now, season)?.values.map((one) => one.name) ?? [],
      },
    };
  }

  #pastSeasons({ board, value }: Shown): PageBoard['pastSeasons'] {
    const now = this.#options.now();
    const over = board.content.seasons(now).filter((season) => season.over);
    return over.map(({ startMillis, endMillis }) => {
      const [winner] = board.view(now, startMillis, value).rows;
      return { startMillis, endMillis, winner: winner ? nameOf(board.definition, winner) : '' };
    });
  }

  /** True when the part looks different since the last tick. */
  hasChanged({ changedTick }: Fragment): boolean {
    return changedTick === this.#tick;
  }

  #status(): Fragment {
    return this.#fragment('status', 'status', () =>
      renderStatus(createStatus(this.#pipeline, this.#options.advice)),
    );
  }

  #traffic(): Fragment {
    const { stats, now } = this.#options;
    return this.#fragment('traffic', 'traffic', () =>
      renderTraffic(createTraffic(stats, this.#pipeline, now(), this.#hasTeams)),
    );
  }

  #freshness(): Fragment {
    const { stats, delays, now } = this.#options;
    return this.#fragment('freshness', 'freshness', () =>
      renderFreshness(createFreshness(stats, delays, now())),
    );
  }

  #notCounted(): Fragment {
    const { stats, now } = this.#options;
    return this.#fragment('not-counted', 'not-counted', () =>
      renderNotCounted(createNotCounted(stats, this.#pipeline, now())),
    );
  }

  #board(shown: Shown): Fragment {
    const { board, season, value } = shown;
    const { metrics, now } = this.#options;
    const { name } = board.definition;
    const key = JSON.stringify([name, season, value]);
    const render = () => metrics.timeRender(() => renderBoard(this.#panel(shown)));
    const versionOf = () => `${this.#pipeline.kind} ${board.version(now(), season, value)}`;
    const isAsked = value !== undefined || typeof season === 'number';
    return this.#fragment(key, `board-${name}`, render, versionOf, isAsked);
  }

  /** Of the newest season: of others it is not known. On a board of instants, few stay for long. */
  #rankChart({ board, season, isAlone }: Shown): Fragment | undefined {
    const { by, period } = board.definition;
    if (!isAlone || season !== 'this' || by || period?.kind === 'instant') return undefined;
    const now = this.#options.now();
    const id = `ranks-${board.definition.name}`;
    const render = () => renderRankChart(createRankChart(board, now, this.#colors));
    const versionOf = () => `${board.players.version} ${board.snapshots(now).at(-1)?.atMillis}`;
    return this.#fragment(id, id, render, versionOf);
  }

  #panel({ board, season, value }: Shown, search = ''): Panel {
    const now = this.#options.now();
    const pipeline = this.#pipeline.kind;
    return createPanel(board, { season, value, now, pipeline, colors: this.#colors, search });
  }

  #fragment(
    key: string,
    id: string,
    render: () => string,
    versionOf?: () => string,
    isAsked = false,
  ): Fragment {
    const before = this.#fragments.get(key);
    if (before?.seenTick === this.#tick) return before;
    // Comparing versions, where there are any, is cheaper than rendering.
    const version = versionOf?.();
    const same = version !== undefined && before?.version === version;
    const html = same ? before.html : render();
    const changedTick = before?.html === html ? before.changedTick : this.#tick;
    const fragment = { id, html, version, seenTick: this.#tick, changedTick, isAsked };
    this.#fragments.set(key, fragment);
    return fragment;
  }
}
