import { setTimeout as sleep } from 'node:timers/promises';
import { describe, type ExpectStatic, it, type TestContext } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { type LogLine, OperatorProcess, podEnvironment } from '../../testkit/operator/operator-process.ts';
import { operatorWrites, type Reign, reigns } from '../../testkit/operator/writes.ts';
import { ControllerApi } from '../../testkit/stand-ins/api.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const plane = connectedControlPlane();
const LEASE = 'lease/gameanalytics-operator';
/** For how long nobody takes it from a leader that does not renew it. */
const LEASE_MILLIS = 15_000;
const METRICS = [
  'controller_runtime_reconcile_total{controller="gameanalytics",result="success"}',
  'controller_runtime_reconcile_errors_total{controller="gameanalytics"}',
  'controller_runtime_terminal_reconcile_errors_total{controller="gameanalytics"}',
  'controller_runtime_reconcile_time_seconds_bucket{le="0.005",controller="gameanalytics"}',
  'controller_runtime_max_concurrent_reconciles{controller="gameanalytics"}',
  'controller_runtime_active_workers{controller="gameanalytics"}',
  'workqueue_depth{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_adds_total{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_retries_total{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_unfinished_work_seconds{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_longest_running_processor_seconds{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_queue_duration_seconds_count{name="gameanalytics",controller="gameanalytics"}',
  'workqueue_work_duration_seconds_count{name="gameanalytics",controller="gameanalytics"}',
  'rest_client_requests_total{',
  'gameanalytics_watch_relists_total{kind="GameAnalytics",cause="start"} 1',
  'gameanalytics_watch_events_total{kind="Deployment",type="ADDED"}',
  'gameanalytics_watch_last_event_timestamp_seconds{kind="Deployment"}',
  'gameanalytics_watch_connected{kind="FlinkDeployment"} 1',
  'process_resident_memory_bytes',
];

type Hooks = Pick<TestContext, 'onTestFinished'>;

/** A leader and a warm standby, in a namespace of their own, with a resource that is ready. */
async function leaderAndStandby({ onTestFinished }: Hooks) {
  const namespace = await plane.newNamespace();
  const environment = await podEnvironment(plane, namespace, namespace);
  const standIns = await startStandIns(plane.kubeConfig(), { namespaces: [namespace] });
  onTestFinished(() => standIns.stop());
  await createKafka(plane.kubeConfig(), namespace, 'games');
  const start = (identity: string) => {
    const process = new OperatorProcess(environment, identity);
    onTestFinished(() => process.kill());
    return process;
  };
  const leader = start('first');
  await leader.leading();
  const standby = start('second');
  await standby.ready();
  const arcade = new Arcade(plane, namespace);
  await arcade.apply({ injector: {} });
  await arcade.ready();
  return { leader, standby, arcade, namespace };
}

/** Changes the resource five times a second, so that the leader is always about to write. */
function keepBusy({ onTestFinished }: Hooks, { namespace, name }: Arcade): void {
  const stopping = new AbortController();
  const api = new ControllerApi(plane.kubeConfig(), 'busy');
  const change = async () => {
    for (let eventsPerSecond = 1; !stopping.signal.aborted; eventsPerSecond++) {
      const spec = { kafka: { cluster: 'games' }, injector: { eventsPerSecond } };
      const metadata = { name, namespace };
      await api.apply({ apiVersion: 'gameanalytics.dev/v1alpha1', kind: 'GameAnalytics', metadata, spec });
      await sleep(200);
    }
  };
  const changing = change();
  onTestFinished(async () => {
    stopping.abort();
    await changing;
    await api.close();
  });
}

/** Applies another resource, and waits until it gets a child. */
async function workIsDone(namespace: string): Promise<void> {
  const fresh = new Arcade(plane, namespace, 'fresh');
  await fresh.apply();
  const look = () => fresh.get('deployment', 'fresh-dashboard').catch(() => undefined);
  await until(look, { everyMillis: 100, signal: AbortSignal.timeout(40_000) });
}

/** What the processes logged as warnings or worse. */
function complaints(...processes: OperatorProcess[]): LogLine[] {
  return processes.flatMap(({ log }) => log.filter(({ level }) => level >= 40));
}

/**
 * The standby began when the leader had ended, and the leader never came back. Returns when the standby
 * began: the API server keeps the time, so that a test that is slow itself does not count.
 */
async function successionOf(expect: ExpectStatic, namespace: string): Promise<number> {
  const found = reigns(operatorWrites(await plane.auditEvents(), namespace));
  expect(found.map(({ identity }) => identity)).toEqual(['first', 'second']);
  const [first, second] = found as [Reign, Reign];
  expect(second.from).toBeGreaterThanOrEqual(first.to);
  return second.from;
}

async function leaseOf(arcade: Arcade): Promise<{ holderIdentity: string }> {
  return JSON.parse(await arcade.kubectl('get', LEASE, '--output=jsonpath={.spec}'));
}

describe('an operator and its standby, as processes under the chart’s account', () => {
  it('are both ready, and say which one leads and what it does', async ({ expect, ...hooks }) => {
    const { leader, standby, namespace } = await leaderAndStandby(hooks);
    for (const [process, isLeader] of [
      [leader, 1],
      [standby, 0],
    ] as const) {
      expect(await process.get('/healthz')).toMatchObject({ status: 200 });
      expect(await process.get('/readyz')).toMatchObject({ status: 200 });
      const { text } = await process.get('/metrics');
      expect(text).toContain(`leader_election_master_status{name="gameanalytics-operator"} ${isLeader}`);
      expect(METRICS.filter((metric) => !text.includes(metric))).toEqual([]);
    }
    const said = leader.log.filter(({ name }) => name === 'arcade');
    expect(said.at(-1)).toMatchObject({ namespace, reason: 'Ready' });
    expect(complaints(leader, standby)).toEqual([]);
    const writers = reigns(operatorWrites(await plane.auditEvents(), namespace));
    expect(writers).toMatchObject([{ identity: 'first' }]);
  });

  it('change places before the Lease has run out when the leader is stopped, and leave a Lease of nobody', async ({
    expect,
    ...hooks
  }) => {
    const { leader, standby, arcade, namespace } = await leaderAndStandby(hooks);
    keepBusy(hooks, arcade);
    await sleep(1_000);
    const toldAt = Date.now();
    leader.signal('SIGTERM');
    await workIsDone(namespace);
    expect((await successionOf(expect, namespace)) - toldAt).toBeLessThan(LEASE_MILLIS);
    expect(await leader.ended).toEqual({ code: 0, signal: null });
    expect(await leaseOf(arcade)).toMatchObject({ holderIdentity: 'second' });
    standby.signal('SIGTERM');
    expect(await standby.ended).toEqual({ code: 0, signal: null });
    expect(await leaseOf(arcade)).toMatchObject({ holderIdentity: '' });
    expect(complaints(leader, standby)).toEqual([]);
  });

  it('never both work on when the Lease is taken from the leader by force: it ends', async ({
    expect,
    ...hooks
  }) => {
    const { leader, standby, arcade } = await leaderAndStandby(hooks);
    await arcade.kubectl('patch', LEASE, '--type=merge', '--patch={"spec":{"holderIdentity":"thief"}}');
    expect(await leader.ended).toEqual({ code: 1, signal: null });
    expect(leader.log.map(({ msg }) => msg)).toContain('the lease is lost: thief holds it now');
    expect(standby.log.map(({ msg }) => msg)).not.toContain('this process is the leader');
  });

  it.concurrent('change places once the Lease has run out when the leader is killed, and never write both', async ({
    expect,
    ...hooks
  }) => {
    const { leader, standby, arcade, namespace } = await leaderAndStandby(hooks);
    keepBusy(hooks, arcade);
    await sleep(1_000);
    const killedAt = Date.now();
    leader.signal('SIGKILL');
    await workIsDone(namespace);
    expect((await successionOf(expect, namespace)) - killedAt).toBeLessThan(2 * LEASE_MILLIS);
    expect(complaints(standby)).toEqual([]);
  });

  it.concurrent('never write both when the leader stands still for 20 s and then continues: it ends', async ({
    expect,
    ...hooks
  }) => {
    const { leader, standby, arcade, namespace } = await leaderAndStandby(hooks);
    keepBusy(hooks, arcade);
    await sleep(1_000);
    leader.signal('SIGSTOP');
    await sleep(20_000);
    await standby.leading();
    leader.signal('SIGCONT');
    expect(await leader.ended).toEqual({ code: 1, signal: null });
    expect(leader.log.map(({ msg }) => msg)).toContain('the lease is lost: it could not be renewed in time');
    await workIsDone(namespace);
    await successionOf(expect, namespace);
  });
});
