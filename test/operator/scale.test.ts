import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { listOf } from '../../testkit/cluster/chart.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import { operatorWrites } from '../../testkit/operator/writes.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const COUNT = 100;
/** One board and no injector: what a resource needs at the least. */
const SPEC = {
  leaderboards: [{ name: 'top', type: 'TopTeams' }],
  events: { deletionPolicy: 'Delete' },
};
/** Each of them is written once, ever: there is nothing to correct. */
const CHILDREN_OF_EACH = {
  kafkatopics: 3,
  serviceaccounts: 2,
  rolebindings: 1,
  deployments: 1,
  services: 1,
  networkpolicies: 2,
  poddisruptionbudgets: 1,
  flinkdeployments: 1,
  controllerrevisions: 1,
};
/** More than the states that one goes through; when there is much to do, some of them are never seen. */
const STATUSES_OF_EACH = 12;
const TIMEOUT_MILLIS = 180_000;

const plane = connectedControlPlane();
let namespace: string;
let standIns: StandIns;
let operator: TestOperator;

beforeAll(async () => {
  namespace = await plane.newNamespace();
  await createKafka(plane.kubeConfig(), namespace, 'games');
  standIns = await startStandIns(plane.kubeConfig(), { namespaces: [namespace] });
  operator = startOperator(plane.kubeConfig(), namespace);
});

afterAll(async () => {
  await operator?.stop();
  await standIns?.stop();
});

const kubectl = (...args: string[]) => plane.kubectl(`--namespace=${namespace}`, ...args);

/** Waits until a look returns what is hoped for; looks seldom, because a look at so many is work too. */
const eventually = (look: () => Promise<boolean>) =>
  until(async () => (await look()) || undefined, {
    everyMillis: 2_000,
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
  });

async function areReady(): Promise<boolean> {
  const readiness = await kubectl(
    'get',
    'ga',
    '--no-headers',
    '--output=custom-columns=R:.status.conditions[?(@.type=="Ready")].status',
  );
  return readiness.split('\n').filter((status) => status === 'True').length === COUNT;
}

async function areGone(): Promise<boolean> {
  const kinds = Object.keys(CHILDREN_OF_EACH).join();
  const selector = '--selector=app.kubernetes.io/managed-by=gameanalytics-operator';
  return (await kubectl('get', kinds, selector, '--output=name')) === '';
}

/** How many writes of each sort the operator has made, by `resource code`. */
async function writes(): Promise<Record<string, number>> {
  const sorts = operatorWrites(await plane.auditEvents(), namespace).map(
    ({ objectRef, responseStatus }) => `${objectRef?.resource} ${responseStatus?.code}`,
  );
  const counts: Record<string, number> = {};
  for (const sort of sorts) counts[sort] = (counts[sort] ?? 0) + 1;
  return counts;
}

const metric = async (name: string) => {
  const text = await operator.metrics.registry.getSingleMetricAsString(name);
  return Number(/ (\S+)$/.exec(text)?.[1]);
};

describe('100 resources at once', { timeout: TIMEOUT_MILLIS }, () => {
  it('all become ready, with as many writes as if each were alone, and nothing is tried twice', async () => {
    const all = Array.from({ length: COUNT }, (_, index) => new Arcade(plane, namespace, `arcade-${index}`));
    const manifests = listOf(all.map((arcade) => arcade.manifest(SPEC)));
    await plane.kubectlWithInput(manifests, 'create', '--filename=-');
    await eventually(areReady);
    const { 'gameanalytics 200': statuses, ...others } = await writes();
    const children = Object.entries(CHILDREN_OF_EACH).map(([kind, count]) => [`${kind} 201`, COUNT * count]);
    expect(others).toEqual({ ...Object.fromEntries(children), 'events 201': COUNT });
    expect(statuses).toBeLessThanOrEqual(COUNT * STATUSES_OF_EACH);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(0);
    expect(standIns.deploys).toHaveLength(COUNT);
  });

  it('all go, with everything they owned, and the operator has nothing to write for that', async () => {
    const before = await writes();
    await kubectl('delete', 'ga', '--all', '--wait=false');
    await eventually(areGone);
    expect(await writes()).toEqual(before);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(0);
  });
});
