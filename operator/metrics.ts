import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ApiResponse } from './kube/transport.ts';
import type { RelistCause, WatchMetrics } from './kube/watch.ts';
import { createQueueMetrics, type QueueMetrics, type ReconcileMetrics } from './queue/metrics.ts';

/** Everything the operator counts, under controller-runtime's names where it has one. */
export interface Metrics {
  readonly registry: Registry;
  readonly queue: QueueMetrics;
  readonly reconcile: ReconcileMetrics;
  watch(kind: string): WatchMetrics;
  leader(name: string, leading: boolean): void;
  restClient(response: ApiResponse): void;
}

const RELIST_CAUSES: RelistCause[] = ['start', 'expired', 'missing', 'error'];
const EVENT_TYPES = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'];

/** Metrics with a registry of their own, so that several operators can live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the Lease (1) or stands by (0)',
    labelNames: ['name'],
    registers: [registry],
  });
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server, by status code, method and host',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  return {
    registry,
    ...createQueueMetrics(registry, () => performance.now()),
    watch: createWatchMetrics(registry),
    leader: (name, leading) => leader.set({ name }, leading ? 1 : 0),
    restClient: ({ method, code, host }) => requests.inc({ method, code, host }),
  };
}

function createWatchMetrics(registry: Registry): Metrics['watch'] {
  const registers = [registry];
  const relists = new Counter({
    name: 'gameanalytics_watch_relists_total',
    help: 'Times all objects were listed, by cause',
    labelNames: ['kind', 'cause'],
    registers,
  });
  const events = new Counter({
    name: 'gameanalytics_watch_events_total',
    help: 'Events that the API server sent, by type',
    labelNames: ['kind', 'type'],
    registers,
  });
  const lastEvent = new Gauge({
    name: 'gameanalytics_watch_last_event_timestamp_seconds',
    help: 'When the last event came, bookmarks included, in seconds since the epoch',
    labelNames: ['kind'],
    registers,
  });
  const connected = new Gauge({
    name: 'gameanalytics_watch_connected',
    help: 'Whether the watch is open (1) or not (0)',
    labelNames: ['kind'],
    registers,
  });
  return (kind) => {
    // A rate needs a zero to rise from.
    for (const cause of RELIST_CAUSES) relists.inc({ kind, cause }, 0);
    for (const type of EVENT_TYPES) events.inc({ kind, type }, 0);
    connected.set({ kind }, 0);
    return {
      relist: (cause) => relists.inc({ kind, cause }),
      event(type) {
        events.inc({ kind, type });
        lastEvent.setToCurrentTime({ kind });
      },
      connected: (open) => connected.set({ kind }, open ? 1 : 0),
    };
  };
}
