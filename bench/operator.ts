import { setTimeout as sleep } from 'node:timers/promises';
import { API_VERSION, KIND } from '../api/gameanalytics.ts';
import { KubeClient } from '../operator/kube/client.ts';
import {
  DEPLOYMENT,
  findKind,
  KAFKA_TOPIC,
  NETWORK_POLICY,
  POD_DISRUPTION_BUDGET,
  ROLE_BINDING,
  SERVICE,
  SERVICE_ACCOUNT,
} from '../operator/kube/kinds.ts';
import type { LiveObject } from '../operator/kube/object.ts';
import { Store } from '../operator/kube/store.ts';
import { Watch } from '../operator/kube/watch.ts';
import { createLog } from '../operator/log.ts';
import { createMetrics } from '../operator/metrics.ts';
import { plan } from '../plan/plan.ts';
import { type ControlPlane, startControlPlane } from '../testkit/cluster/control-plane.ts';
import { availableCrds } from '../testkit/cluster/crds.ts';
import {
  OperatorProcess,
  type PodEnvironment,
  podEnvironment,
} from '../testkit/operator/operator-process.ts';
import { resource } from '../testkit/resources/resource.ts';
import { createKafka } from '../testkit/stand-ins/kafka.ts';
import { percentile } from './percentile.ts';

/*
 * How fast the operator is, as a separate process with a real API server. No other controller reacts to what
 * it writes, so this measures its own work and the API server's. The baseline is a bare client in the same
 * run.
 *
 *   make bench-operator
 */

/** What each resource has while its job waits for Strimzi. */
const CHILDREN = {
  [KAFKA_TOPIC.plural]: 5,
  [SERVICE_ACCOUNT.plural]: 2,
  [ROLE_BINDING.plural]: 1,
  [DEPLOYMENT.plural]: 1,
  [SERVICE.plural]: 1,
  [NETWORK_POLICY.plural]: 2,
  [POD_DISRUPTION_BUDGET.plural]: 1,
};
const CHILD_COUNT = Object.values(CHILDREN).reduce((sum, count) => sum + count);
/** The one that is waited for: each resource has one, and it is written with all others. */
const LAST = SERVICE;
const ALONE = 50;
const AT_ONCE = 100;
const RESOURCES = 1_000;
const BARE = 50;
const PARALLEL = 10;

async function main(): Promise<void> {
  const plane = await startControlPlane({ crds: availableCrds() });
  const client = new KubeClient(plane.kubeConfig(), { timeoutMillis: 60_000 });
  try {
    const namespace = await plane.newNamespace();
    const environment = await podEnvironment(plane, namespace, namespace);
    await createKafka(plane.kubeConfig(), namespace, 'games');
    await measureCreates(client, namespace, environment);
    await measureRestart(plane, namespace, environment);
  } finally {
    await client.close();
    await plane.stop();
  }
}

async function measureCreates(
  client: KubeClient,
  namespace: string,
  environment: PodEnvironment,
): Promise<void> {
  const bare = await rate(names('bare', BARE), (name) => applyPlan(client, namespace, name));
  say(`a bare client that applies the same objects: ${bare.toFixed(1)} resources/s, ${PARALLEL} at a time`);
  const operator = new OperatorProcess(environment, 'first');
  await operator.ready();
  await operator.leading();
  const arrivals = new Arrivals(client, namespace);
  /** Applies a resource and waits for its children; milliseconds from the answer to the one to the other. */
  const create = async (name: string) => {
    const metadata = { name, namespace };
    await client.apply({
      apiVersion: API_VERSION,
      kind: KIND,
      metadata,
      spec: { kafka: { cluster: 'games' } },
    });
    const started = performance.now();
    await arrivals.of(name);
    return performance.now() - started;
  };

  const alone: number[] = [];
  for (const name of names('alone', ALONE)) alone.push(await create(name));
  say(`apply to children, one resource at a time: ${quantiles(alone)}`);
  const atOnce = await Promise.all(names('at-once', AT_ONCE).map(create));
  say(`apply to children, ${AT_ONCE} resources at once: ${quantiles(atOnce)}`);

  const perSecond = await rate(names('rest', RESOURCES - ALONE - AT_ONCE), create);
  const ratio = (perSecond / bare).toFixed(2);
  say(
    `creating: ${perSecond.toFixed(1)} resources/s of ${CHILD_COUNT} children each, ${ratio} of the bare client`,
  );
  await arrivals.stop();
  operator.signal('SIGTERM');
  await operator.ended;
}

async function measureRestart(
  plane: ControlPlane,
  namespace: string,
  environment: PodEnvironment,
): Promise<void> {
  const started = performance.now();
  const operator = new OperatorProcess(environment, 'second');
  await operator.ready();
  say(
    `restart to synced, ${RESOURCES} resources with ${RESOURCES * CHILD_COUNT} children: ${secondsSince(started)} s`,
  );
  await reconciled(operator, RESOURCES);
  say(`restart to all reconciled: ${secondsSince(started)} s`);

  const cpuBefore = await metric(operator, 'process_cpu_seconds_total');
  const doneBefore = await reconciles(operator);
  const again = performance.now();
  // A Kafka that changes is news for everyone who uses it.
  await plane.kubectl('annotate', 'kafka', 'games', `--namespace=${namespace}`, 'bench=1');
  await reconciled(operator, doneBefore + RESOURCES);
  const perSecond = RESOURCES / Number(secondsSince(again));
  const perCpuSecond = RESOURCES / ((await metric(operator, 'process_cpu_seconds_total')) - cpuBefore);
  say(
    `reconciles that change nothing: ${perSecond.toFixed(0)}/s, ${perCpuSecond.toFixed(0)} per second of a core`,
  );
  const bytes = await metric(operator, 'process_resident_memory_bytes');
  say(`memory then: ${(bytes / 1e6).toFixed(0)} MB resident`);
  operator.signal('SIGTERM');
  await operator.ended;
}

/** Tells when the last child of each resource has come. */
class Arrivals {
  readonly #arrived = new Map<string, PromiseWithResolvers<void>>();
  readonly #watch: Watch<LiveObject>;

  constructor(client: KubeClient, namespace: string) {
    this.#watch = new Watch({
      client,
      kind: LAST,
      namespace,
      store: new Store(),
      onChange: ({ metadata }) => this.#of(metadata.name).resolve(),
      onDelete: () => undefined,
      log: createLog('warn'),
      metrics: createMetrics().watch(LAST.kind),
    });
    this.#watch.start();
  }

  of(resource: string): Promise<void> {
    return this.#of(`${resource}-dashboard`).promise;
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  #of(name: string): PromiseWithResolvers<void> {
    const arrival = this.#arrived.get(name) ?? Promise.withResolvers<void>();
    this.#arrived.set(name, arrival);
    return arrival;
  }
}

/** What the operator writes for a resource, by a client that neither reads first nor reports. */
async function applyPlan(client: KubeClient, namespace: string, name: string): Promise<void> {
  const environment = { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' };
  const objects = plan(resource({}, name, { namespace }), environment);
  const children = objects.filter((object) => findKind(object).plural in CHILDREN);
  await Promise.all(children.map((child) => client.apply(child)));
}

/** How many a second, some at a time. */
async function rate(all: string[], each: (name: string) => Promise<unknown>): Promise<number> {
  const left = [...all];
  const worker = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await each(name);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return (1000 * all.length) / (performance.now() - started);
}

async function reconciled(operator: OperatorProcess, wanted: number): Promise<void> {
  while ((await reconciles(operator)) < wanted) await sleep(20);
}

function reconciles(operator: OperatorProcess): Promise<number> {
  return metric(operator, 'controller_runtime_reconcile_total');
}

/** A metric, summed over its labels. */
async function metric(operator: OperatorProcess, name: string): Promise<number> {
  const { text } = await operator.get('/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

function quantiles(millis: number[]): string {
  return `p50 ${percentile(millis, 0.5).toFixed(0)} ms, p99 ${percentile(millis, 0.99).toFixed(0)} ms`;
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(2);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
