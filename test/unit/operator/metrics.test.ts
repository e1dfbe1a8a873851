import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../operator/metrics.ts';
import { series } from './observed.ts';

/** The names that controller-runtime and client-go use, and dashboards for those. */
const OF_CONTROLLER_RUNTIME = [
  ...['success', 'error', 'requeue', 'requeue_after'].map(
    (result) => `controller_runtime_reconcile_total{controller="gameanalytics",result="${result}"}`,
  ),
  ...[
    'controller_runtime_reconcile_errors_total',
    'controller_runtime_terminal_reconcile_errors_total',
    'controller_runtime_reconcile_time_seconds_count',
    'controller_runtime_max_concurrent_reconciles',
    'controller_runtime_active_workers',
  ].map((name) => `${name}{controller="gameanalytics"}`),
  ...[
    'workqueue_depth',
    'workqueue_adds_total',
    'workqueue_queue_duration_seconds_count',
    'workqueue_work_duration_seconds_count',
    'workqueue_retries_total',
    'workqueue_unfinished_work_seconds',
    'workqueue_longest_running_processor_seconds',
  ].map((name) => `${name}{name="gameanalytics",controller="gameanalytics"}`),
];

describe('the metrics', () => {
  it('have everything of a controller from the start, at 0, so that rates and alerts work', async () => {
    const values = await series(createMetrics().registry);
    for (const name of OF_CONTROLLER_RUNTIME) expect([name, values[name]]).toEqual([name, 0]);
  });

  it('tell how each watch is, beginning with zeros', async () => {
    const { registry, watch } = createMetrics();
    const topics = watch('KafkaTopic');
    watch('Deployment');
    const before = Date.now() / 1000;
    topics.relist('start');
    topics.connected(true);
    topics.event('ADDED');
    topics.event('BOOKMARK');
    const values = await series(registry);
    expect(values).toMatchObject({
      'gameanalytics_watch_relists_total{kind="KafkaTopic",cause="start"}': 1,
      'gameanalytics_watch_relists_total{kind="KafkaTopic",cause="expired"}': 0,
      'gameanalytics_watch_events_total{kind="KafkaTopic",type="ADDED"}': 1,
      'gameanalytics_watch_events_total{kind="KafkaTopic",type="BOOKMARK"}': 1,
      'gameanalytics_watch_events_total{kind="KafkaTopic",type="DELETED"}': 0,
      'gameanalytics_watch_connected{kind="KafkaTopic"}': 1,
      'gameanalytics_watch_connected{kind="Deployment"}': 0,
    });
    const lastEvent = values['gameanalytics_watch_last_event_timestamp_seconds{kind="KafkaTopic"}'];
    expect(lastEvent).toBeGreaterThanOrEqual(before);
    expect(lastEvent).toBeLessThanOrEqual(Date.now() / 1000);
    // No event yet: an age since 1970 would be an alarm.
    expect(values).not.toHaveProperty('gameanalytics_watch_last_event_timestamp_seconds{kind="Deployment"}');
  });

  it('tell who leads, what the API server answers, and how the process is', async () => {
    const { registry, leader, restClient } = createMetrics();
    leader('the-lease', false);
    restClient({ method: 'GET', code: 200, host: 'api:6443' });
    restClient({ method: 'GET', code: 200, host: 'api:6443' });
    restClient({ method: 'PATCH', code: '<error>', host: 'api:6443' });
    expect(await series(registry)).toMatchObject({
      'leader_election_master_status{name="the-lease"}': 0,
      'rest_client_requests_total{method="GET",code="200",host="api:6443"}': 2,
      'rest_client_requests_total{method="PATCH",code="<error>",host="api:6443"}': 1,
      process_resident_memory_bytes: expect.any(Number),
    });
    leader('the-lease', true);
    expect(await series(registry)).toMatchObject({ 'leader_election_master_status{name="the-lease"}': 1 });
  });

  it('of two operators in one process are apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.reconcile.error();
    const name = 'controller_runtime_reconcile_errors_total{controller="gameanalytics"}';
    expect((await series(one.registry))[name]).toBe(1);
    expect((await series(other.registry))[name]).toBe(0);
  });
});
