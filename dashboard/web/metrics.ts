import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';

/** The process's own numbers, for Prometheus. One registry per dashboard, so that several can live in one process. */
export class Metrics {
  readonly registry = new Registry();
  readonly #records = this.#counter('records_read_total', 'Records read from board topics', ['board']);
  readonly #malformed = this.#counter('malformed_records_total', 'Records skipped as malformed', ['board']);
  readonly #frames = this.#counter('frames_sent_total', 'Frames sent to browsers');
  readonly #bytes = this.#counter('bytes_sent_total', 'Bytes of frames sent to browsers');
  readonly #render = new Histogram({
    name: 'dashboard_render_seconds',
    help: 'Time to render one board',
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    registers: [this.registry],
  });

  /** @param now epoch milliseconds */
  constructor(boards: readonly LiveBoard[], now: () => number) {
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
          const { updatedMillis } = board.view(now());
          if (updatedMillis !== null)
            this.set({ board: board.definition.name }, (now() - updatedMillis) / 1000);
        }
      },
    });
  }

  recordRead(board: string, outcome: Outcome): void {
    this.#records.inc({ board });
    if (outcome === 'malformed') this.#malformed.inc({ board });
  }

  frameSent(bytes: number): void {
    this.#frames.inc();
    this.#bytes.inc(bytes);
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

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: `dashboard_${name}`, help, labelNames, registers: [this.registry] });
  }
}
