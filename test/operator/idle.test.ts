import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

/**
 * Longer than the longest watch, which the API server ends after ten minutes: each is restarted at least
 * once.
 */
const IDLE_MILLIS = 12 * 60_000;
/** What the operator watches: the resource, Kafka, eleven kinds of children, and pods. */
const WATCHES = 14;

const plane = connectedControlPlane();
let standIns: StandIns;
let operator: TestOperator;

beforeAll(async () => {
  const namespace = await plane.newNamespace();
  standIns = await startStandIns(plane.kubeConfig(), { namespaces: [namespace] });
  operator = startOperator(plane.kubeConfig(), namespace);
  await createKafka(plane.kubeConfig(), namespace, 'games');
  for (const name of ['one', 'two', 'three']) {
    const arcade = new Arcade(plane, namespace, name);
    await arcade.apply({ injector: {}, dashboard: { ingress: { host: `${name}.example` } } });
    await arcade.ready();
  }
  // What is still under way is no sign of unrest.
  await sleep(5_000);
});

afterAll(async () => {
  await operator?.stop();
  await standIns?.stop();
});

describe('twelve minutes in which nobody changes anything', () => {
  it(
    'are twelve minutes in which the operator changes nothing, though its watches start over',
    async () => {
      const before = await counts();
      await sleep(IDLE_MILLIS);
      const after = await counts();
      const grown = (name: keyof typeof before) => after[name] - before[name];
      expect({ writes: grown('writes'), relists: grown('relists'), runs: grown('runs') }).toEqual({
        writes: 0,
        relists: 0,
        runs: 0,
      });
      // A leader reads nothing but what it watches; a watch lasts five minutes at the least.
      expect(grown('reads')).toBeGreaterThanOrEqual(WATCHES);
      expect(grown('reads')).toBeLessThanOrEqual(3 * WATCHES);
      expect(operator.log.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
    },
    IDLE_MILLIS + 60_000,
  );
});

/**
 * What the operator has done so far, by its metrics. The Lease is renewed by PUT, which nothing else is
 * written by.
 */
async function counts() {
  const requests = (...methods: string[]) =>
    sum('rest_client_requests_total', ({ method }) => methods.includes(String(method)));
  return {
    writes: await requests('PATCH', 'POST', 'DELETE'),
    reads: await requests('GET'),
    relists: await sum('gameanalytics_watch_relists_total'),
    runs: await sum('controller_runtime_reconcile_total'),
  };
}

type Labels = Record<string, string | number>;

async function sum(name: string, isMeant: (labels: Labels) => boolean = () => true): Promise<number> {
  const metrics = await operator.metrics.registry.getMetricsAsJSON();
  const values = metrics.find((metric) => metric.name === name)?.values ?? [];
  return values
    .filter(({ labels }) => isMeant(labels as Labels))
    .reduce((total, { value }) => total + value, 0);
}
