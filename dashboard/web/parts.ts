import type { Season } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Live } from '../live.ts';
import { panelOf } from '../page/panel.ts';
import { renderBoard, renderFreshness, renderStatus, renderTraffic } from '../page/render.ts';
import { statusOf } from '../page/status.ts';
import type { TeamColors } from '../page/team-color.ts';
import { freshnessOf, trafficOf } from '../page/traffic.ts';
import { shownBoards, type View } from '../page/view.ts';
import type { ObservedState, PipelineMonitor } from '../pipeline-state.ts';
import type { ScreenDelays } from '../stats/screen-delays.ts';
import type { Stats } from '../stats/stats.ts';
import type { Metrics } from './metrics.ts';

/*
 * The parts of the page that change, as HTML. Each is rendered at most once per tick, only while someone looks at it, and
 * is the same string for all who do.
 */

/** A part as it was last rendered. */
export interface Part {
  /** Of the element. */
  id: string;
  html: string;
  /** Equal versions look the same; without one, only the HTML tells. */
  version: string | undefined;
  /** The ticks at which it was last looked at, and last differed from before. */
  seenTick: number;
  changedTick: number;
}

export interface PartsOptions {
  boards: readonly LiveBoard[];
  stats: Live<Stats>;
  colors: TeamColors;
  delays: ScreenDelays;
  pipeline: PipelineMonitor;
  /** What to do when the job counts nothing; empty when nobody knows. */
  jobAdvice: string;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
}

export class Parts {
  readonly #options: PartsOptions;
  readonly #parts = new Map<string, Part>();
  #tick = 0;
  #pipeline: ObservedState;

  constructor(options: PartsOptions) {
    this.#options = options;
    this.#pipeline = options.pipeline.observe(options.now());
  }

  /** Goes on to how things are now. */
  tick(): void {
    const { boards, pipeline, now } = this.#options;
    this.#tick += 1;
    this.#pipeline = pipeline.observe(now());
    this.#noteDelays();
    for (const board of boards) board.note(now());
  }

  /** All parts of a view, as they were at the last tick. */
  of(view: View): Part[] {
    const { boards, season } = shownBoards(this.#options.boards, view);
    return [
      this.#status(),
      this.#traffic(),
      this.#freshness(),
      ...boards.map((board) => this.#board(board, season)),
    ];
  }

  /** True when the part looks different since the last tick. */
  hasChanged({ changedTick }: Part): boolean {
    return changedTick === this.#tick;
  }

  /** What has come to the boards goes to the screens now. */
  #noteDelays(): void {
    const { boards, delays, metrics, now } = this.#options;
    const nowMillis = now();
    // Who makes the events may have a clock that runs ahead.
    const shown = boards.flatMap((board) => board.takeArrivals()).map((at) => Math.max(nowMillis - at, 0));
    delays.note(shown, nowMillis);
    for (const delay of shown) metrics.eventShown(delay);
  }

  #status(): Part {
    return this.#part('status', 'status', () =>
      renderStatus(statusOf(this.#pipeline, this.#options.jobAdvice)),
    );
  }

  #traffic(): Part {
    const { stats, now } = this.#options;
    return this.#part('traffic', 'traffic', () =>
      renderTraffic(trafficOf(stats, this.#pipeline.kind, now())),
    );
  }

  #freshness(): Part {
    const { stats, delays, now } = this.#options;
    return this.#part('freshness', 'freshness', () => renderFreshness(freshnessOf(stats, delays, now())));
  }

  #board(board: LiveBoard, season: Season): Part {
    const { colors, metrics, now } = this.#options;
    const { name } = board.definition;
    const pipeline = this.#pipeline.kind;
    const render = () =>
      metrics.timeRender(() => renderBoard(panelOf(board, { season, now: now(), pipeline, colors })));
    const version = `${pipeline} ${board.version(now(), season)}`;
    return this.#part(`${name} ${season}`, `board-${name}`, render, version);
  }

  /** @param version what the HTML depends on, where comparing that is cheaper than rendering */
  #part(key: string, id: string, render: () => string, version?: string): Part {
    const before = this.#parts.get(key);
    if (before?.seenTick === this.#tick) return before;
    const same = version !== undefined && before?.version === version;
    const html = same ? before.html : render();
    const changedTick = before?.html === html ? before.changedTick : this.#tick;
    const part = { id, html, version, seenTick: this.#tick, changedTick };
    this.#parts.set(key, part);
    return part;
  }
}
