import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** How a run ended. */
export type Outcome = 'success' | 'error' | 'requeue_after';

/** What the work queue reports of its keys. */
export interface QueueMetrics {
  /** A key has become due that was not. */
  added(key: string): void;
  /** Someone wants a key back later. */
  retried(): void;
  /** A worker has taken the key. */
  started(key: string): void;
  /** The worker is done with it. */
  finished(key: string): void;
}

/** What the work queue reports of its runs. */
export interface ReconcileMetrics {
  workers(count: number): void;
  observe(outcome: Outcome, seconds: number): void;
  error(): void;
  /** An error, counted by error() too, that is not tried again. */
  terminalError(): void;
}

const CONTROLLER = 'gameanalytics';
/** `requeue` never happens here; dashboards made for controller-runtime look for it. */
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'];
/** 10 ns to 1000 s, each ten times the last. */
const QUEUE_SECONDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
const RECONCILE_SECONDS = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9],
  ...[1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60],
];

/**
 * The work queue under the names and with the buckets of client-go and controller-runtime, so that their
 * dashboards and alerts fit.
 *
 * @param now monotonic milliseconds
 */
export function createQueueMetrics(
  registry: Registry,
  now: () => number,
): { queue: QueueMetrics; reconcile: ReconcileMetrics } {
  /** Since when each key is with a worker. */
  const running = new Map<string, number>();
  return {
    queue: queueMetrics(registry, now, running),
    reconcile: reconcileMetrics(registry, () => running.size),
  };
}

function queueMetrics(registry: Registry, now: () => number, running: Map<string, number>): QueueMetrics {
  const waiting = new Map<string, number>();
  const secondsSince = (then: number) => (now() - then) / 1000;
  const runningSeconds = () => [...running.values()].map(secondsSince);
  const make = instruments(registry, { name: CONTROLLER, controller: CONTROLLER });

  const adds = make.counter('workqueue_adds_total', 'Times a key became due');
  const retries = make.counter('workqueue_retries_total', 'Times a key was wanted back later');
  const queueSeconds = make.histogram(
    'workqueue_queue_duration_seconds',
    'How long keys were due before a worker took them',
    QUEUE_SECONDS,
  );
  const workSeconds = make.histogram(
    'workqueue_work_duration_seconds',
    'How long workers had keys',
    QUEUE_SECONDS,
  );
  make.gauge('workqueue_depth', 'Keys that are due and not yet with a worker', () => waiting.size);
  make.gauge('workqueue_unfinished_work_seconds', 'How long all runs under way have taken together', () =>
    runningSeconds().reduce((sum, seconds) => sum + seconds, 0),
  );
  make.gauge(
    'workqueue_longest_running_processor_seconds',
    'How long the longest run under way has taken',
    () => Math.max(0, ...runningSeconds()),
  );

  return {
    added(key) {
      adds.inc();
      waiting.set(key, now());
    },
    retried: () => retries.inc(),
    started(key) {
      queueSeconds.observe(secondsSince(waiting.get(key) ?? now()));
      waiting.delete(key);
      running.set(key, now());
    },
    finished(key) {
      workSeconds.observe(secondsSince(running.get(key) ?? now()));
      running.delete(key);
    },
  };
}

function reconcileMetrics(registry: Registry, activeWorkers: () => number): ReconcileMetrics {
  const make = instruments(registry, { controller: CONTROLLER });
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Runs, by how they ended',
    labelNames: ['controller', 'result'],
    registers: [registry],
  });
  for (const result of RESULTS) total.inc({ controller: CONTROLLER, result }, 0);
  const errors = make.counter('controller_runtime_reconcile_errors_total', 'Runs that failed');
  const terminalErrors = make.counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Runs that failed and are not tried again until the resource changes',
  );
  const seconds = make.histogram(
    'controller_runtime_reconcile_time_seconds',
    'How long runs took',
    RECONCILE_SECONDS,
  );
  let workers = 0;
  make.gauge('controller_runtime_max_concurrent_reconciles', 'Workers', () => workers);
  make.gauge('controller_runtime_active_workers', 'Workers that have a key', activeWorkers);

  return {
    workers: (count) => {
      workers = count;
    },
    observe(outcome, duration) {
      total.inc({ controller: CONTROLLER, result: outcome });
      seconds.observe(duration);
    },
    error: () => errors.inc(),
    terminalError: () => terminalErrors.inc(),
  };
}

function instruments(registry: Registry, labels: Record<string, string>) {
  const common = (name: string, help: string) => ({
    name,
    help,
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  return {
    counter(name: string, help: string) {
      const counter = new Counter(common(name, help)).labels(labels);
      // There with 0 from the start.
      counter.inc(0);
      return counter;
    },
    histogram(name: string, help: string, buckets: number[]) {
      const histogram = new Histogram({ ...common(name, help), buckets });
      histogram.zero(labels);
      return histogram.labels(labels);
    },
    gauge(name: string, help: string, read: () => number) {
      new Gauge({
        ...common(name, help),
        collect() {
          this.set(labels, read());
        },
      });
    },
  };
}
