import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { COUNTERS, TOTAL_NAMES } from '../../contract/stats.ts';
import type { Outcome } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import { PIPELINE_KINDS, type PipelineMonitor } from '../pipeline-state.ts';
import { type Stats, sumReasons } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';

/**
 * The process's own numbers, for Prometheus. One registry per dashboard, so that several can live in one
 * process.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #now: () => number;
  readonly #records = this.#counter('records_read_total', 'Records read from board topics', ['board']);
  readonly #malformed = this.#counter('malformed_records_total', 'Records skipped as malformed', ['board']);
  readonly #frames = this.#counter('frames_sent_total', 'Frames sent to browsers');
  readonly #bytes = this.#counter('bytes_sent_total', 'Bytes of frames sent to browsers');
  readonly #refused = this.#counter('refused_total', 'Requests refused and sockets turned out', ['reason']);
  readonly #render = new Histogram({
    name: 'dashboard_render_seconds',
    help: 'Time to render one board',
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    registers: [this.registry],
  });
  readonly #eventToScreen = new Histogram({
    name: 'dashboard_event_to_screen_seconds',
    help: 'Age of the events that change a board, when the board goes to the screens',
    buckets: [0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60],
    registers: [this.registry],
  });
  readonly #lag = new Gauge({
    name: 'dashboard_consumer_lag_records',
    help: 'Records of a topic not yet read, as of the last that were',
    labelNames: ['topic'],
    registers: [this.registry],
  });

  /** @param now epoch milliseconds */
  constructor(boards: readonly LiveBoard[], now: () => number) {
    this.#now = now;
    collectDefaultMetrics({ register: this.registry });
    // A counter that starts to exist with its first error raises no alert on it.
    for (const { definition } of boards) this.#malformed.inc({ board: definition.name }, 0);
    new Gauge({
      name: 'dashboard_data_age_seconds',
      help: 'Age of the newest record of a board topic',
      labelNames: ['board'],
      registers: [this.registry],
      collect() {
        for (const board of boards) {
          const { updatedMillis } = board.content;
          if (updatedMillis !== undefined)
            this.set({ board: board.definition.name }, (now() - updatedMillis) / 1000);
        }
      },
    });
    new Gauge({
      name: 'dashboard_board_values',
      help: 'Values of the season that is shown, on boards by value: kept, and left out (10000: so many, or more)',
      labelNames: ['board', 'state'],
      registers: [this.registry],
      collect() {
        for (const { definition, content } of boards) {
          if (!definition.by) continue;
          const { values = [], leftOut = 0 } = content.values(now()) ?? {};
          this.set({ board: definition.name, state: 'kept' }, values.length);
          this.set({ board: definition.name, state: 'left_out' }, leftOut);
        }
      },
    });
    new Gauge({
      name: 'dashboard_board_live',
      help: '1 while the topic of a board is being followed, 0 while it cannot be read',
      labelNames: ['board'],
      registers: [this.registry],
      collect() {
        for (const { definition, status } of boards)
          this.set({ board: definition.name }, status.kind === 'live' ? 1 : 0);
      },
    });
  }

  recordRead(board: string, outcome: Outcome): void {
    this.#records.inc({ board });
    if (outcome === 'malformed') this.#malformed.inc({ board });
  }

  /** An event came to a board, and the board goes to the screens so long after Kafka got the event. */
  eventShown(delayMillis: number): void {
    this.#eventToScreen.observe(delayMillis / 1000);
  }

  /** So many records of a topic were not yet read when some were. */
  lagged(topic: string, records: number): void {
    this.#lag.set({ topic }, records);
  }

  frameSent(bytes: number): void {
    this.#frames.inc();
    this.#bytes.inc(bytes);
  }

  /** A request was refused, or a socket turned out. */
  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  /** Runs `render` and records how long it took. */
  timeRender<T>(render: () => T): T {
    const stop = this.#render.startTimer();
    const result = render();
    stop();
    return result;
  }

  /** Reports the number of open sockets, asked for when the metrics are read. */
  observeSockets(count: () => number): void {
    new Gauge({
      name: 'dashboard_sockets',
      help: 'Open WebSocket connections',
      registers: [this.registry],
      collect() {
        this.set(count());
      },
    });
  }

  /** Reports the state of the pipeline, asked for when the metrics are read. */
  observePipeline(pipeline: PipelineMonitor): void {
    const now = this.#now;
    new Gauge({
      name: 'dashboard_pipeline_state',
      help: 'State of the pipeline: 1 for the one it is in, 0 for the others',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        const { kind } = pipeline.observe(now());
        for (const state of PIPELINE_KINDS) this.set({ state }, state === kind ? 1 : 0);
      },
    });
    new Gauge({
      name: 'dashboard_pipeline_state_seconds',
      help: 'How long the pipeline has been seen in its state',
      registers: [this.registry],
      collect() {
        this.set((now() - pipeline.observe(now()).sinceMillis) / 1000);
      },
    });
    new Gauge({
      name: 'dashboard_pipeline_behind_seconds',
      help: 'Age of the events that the job counts just now, while it is behind; otherwise 0',
      registers: [this.registry],
      collect() {
        const state = pipeline.observe(now());
        this.set(state.kind === 'behind' ? (now() - state.countingMillis) / 1000 : 0);
      },
    });
  }

  /** Reports what was counted in the last five minutes, asked for when the metrics are read. */
  observeStats(stats: TopicState<Stats>, pipeline: PipelineMonitor): void {
    const view = () => {
      const nowMillis = this.#now();
      return stats.content.view(nowMillis, pipeline.observe(nowMillis));
    };
    new Gauge({
      name: 'dashboard_not_counted_last_5m',
      help: 'Events and messages of the last five minutes that are not counted, by why',
      labelNames: ['reason'],
      registers: [this.registry],
      collect() {
        for (const [reason, count] of Object.entries(sumReasons(view().slots))) this.set({ reason }, count);
      },
    });
    new Gauge({
      name: 'dashboard_events_last_5m',
      help: 'Events of the last five minutes: all that were read, and those that were late, of robots, invalid, or no events at all',
      labelNames: ['kind'],
      registers: [this.registry],
      collect() {
        const { totals } = view();
        for (const name of TOTAL_NAMES) this.set({ kind: COUNTERS[name].column }, totals[name]);
      },
    });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: `dashboard_${name}`, help, labelNames, registers: [this.registry] });
  }
}
