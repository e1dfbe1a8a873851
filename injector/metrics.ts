import { Histogram, Registry } from 'prom-client';
import { registerGauge, registerTotal } from '../lib/metrics.ts';
import type { Progress } from './progress.ts';

export interface Metrics {
  readonly registry: Registry;
  observeSend(millis: number): void;
}

const SEND_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * The Prometheus view of the injector's progress, read when it is asked for. `behindMillis` tells how late
 * the game is.
 */
export function createMetrics(progress: Progress, behindMillis: () => number): Metrics {
  const registry = new Registry();
  registerTotal(
    registry,
    'injector_events_sent_total',
    'Events that Kafka has acknowledged',
    () => progress.acknowledged,
  );
  registerTotal(
    registry,
    'injector_send_errors_total',
    'Errors of connecting or sending, each tried again',
    () => progress.errors,
  );
  registerGauge(
    registry,
    'injector_behind_seconds',
    'How long the next event has been due',
    () => behindMillis() / 1000,
  );
  const sendSeconds = new Histogram({
    name: 'injector_send_duration_seconds',
    help: 'From handing a batch over to the acknowledgement of its last event',
    buckets: SEND_SECONDS,
    registers: [registry],
  });
  return { registry, observeSend: (millis) => sendSeconds.observe(millis / 1000) };
}
