import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import {
  DEPLOYMENT,
  FLINK_DEPLOYMENT,
  findKind,
  KAFKA,
  KAFKA_TOPIC,
  type Kind,
} from '../../operator/kube/kinds.ts';
import type { Manifest } from '../../operator/kube/object.ts';
import type { Deployment, FlinkDeployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { startFaultProxy } from '../../testkit/fault-proxy/fault-proxy.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { type Controlled, ControllerApi } from '../../testkit/stand-ins/api.ts';
import type { AppOutcome } from '../../testkit/stand-ins/deployment-status.ts';
import type { JobOutcome } from '../../testkit/stand-ins/flink-status.ts';
import { createKafka, setKafkaNotReady } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';
import { ImaginaryTopics } from '../../testkit/stand-ins/topics.ts';

const plane = connectedControlPlane();
const user = new ControllerApi(plane.kubeConfig(), 'a-user');
const client = new KubeClient(plane.kubeConfig());
let namespace: string;
let topics: ImaginaryTopics;
let standIns: StandIns;
let jobOutcome: JobOutcome;
let appOutcome: AppOutcome;

afterAll(async () => {
  await user.close();
  await client.close();
});

beforeEach(async () => {
  namespace = await plane.newNamespace();
  topics = new ImaginaryTopics();
  jobOutcome = { state: 'stable' };
  appOutcome = 'available';
  standIns = await startStandIns(plane.kubeConfig(), {
    namespaces: [namespace],
    backends: { topics },
    outcomes: { job: () => jobOutcome, app: () => appOutcome },
  });
});

afterEach(() => standIns.stop());

interface Live extends Controlled {
  spec: Record<string, unknown>;
  status?: {
    observedGeneration?: number;
    conditions?: { type: string; status: string }[];
    [field: string]: unknown;
  };
}

const here = (object: Manifest): Manifest => ({ ...object, metadata: { ...object.metadata, namespace } });
const apply = (object: Manifest) => user.apply(here(object));
const now = (kind: Kind, name: string) => client.get(kind, namespace, name) as Promise<Live | undefined>;

/** Waits until our object was acted on, and has a condition of this type with this status. */
function settled(object: Manifest, type: string, status: string): Promise<Live> {
  const look = async () => {
    const live = await now(findKind(object), object.metadata.name);
    const isObserved = live?.status?.observedGeneration === live?.metadata.generation;
    return isObserved && says(live, type, status) ? live : undefined;
  };
  return until(look, { everyMillis: 20, signal: AbortSignal.timeout(10_000) });
}

function says(live: Live | undefined, type: string, status: string): boolean {
  return !!live?.status?.conditions?.some((one) => one.type === type && one.status === status);
}

async function gone(object: Manifest): Promise<void> {
  await expect
    .poll(() => now(findKind(object), object.metadata.name), { timeout: 5_000, interval: 20 })
    .toBeUndefined();
}

async function remove(object: Manifest): Promise<void> {
  const live = await now(findKind(object), object.metadata.name);
  if (live) await client.delete(live);
}

/** Objects as the operator writes them. */
const planned = plan(resource({ leaderboards: [{ name: 'top', type: 'TopTeams' }] }, 'arcade'), {
  bootstrapServers: 'games-kafka-bootstrap:9092',
  appImage: 'app',
  flinkImage: 'flink',
});
const only = <T>(kind: string) => planned.find((object) => object.kind === kind) as T;
const job = only<FlinkDeployment>('FlinkDeployment');
const app = only<Deployment>('Deployment');

function topic(name: string, spec: object = {}, annotations: Record<string, string> = {}): KafkaTopic {
  const labels = { 'strimzi.io/cluster': 'games' };
  return {
    apiVersion: 'kafka.strimzi.io/v1',
    kind: 'KafkaTopic',
    metadata: { name, labels, annotations },
    spec: { partitions: 3, config: {}, ...spec },
  };
}

function jobWith(change: Partial<FlinkDeployment['spec']['job']>): FlinkDeployment {
  return { ...job, spec: { ...job.spec, job: { ...job.spec.job, ...change } } };
}

describe('the topic operator', () => {
  it('makes a topic of a KafkaTopic, and deletes it with the object', async () => {
    await apply(topic('scores'));
    const live = await settled(topic('scores'), 'Ready', 'True');
    expect(live.metadata.finalizers).toEqual(['strimzi.io/topic-operator']);
    expect(live.status).toMatchObject({ topicName: 'scores', topicId: expect.stringMatching(/^[\w-]{22}$/) });
    expect(topics.names).toEqual([`${namespace}/scores`]);
    await remove(topic('scores'));
    await gone(topic('scores'));
    expect(topics.names).toEqual([]);
  });

  it('grows partitions, and says so when they should shrink', async () => {
    await apply(topic('scores'));
    await settled(topic('scores'), 'Ready', 'True');
    await apply(topic('scores', { partitions: 5 }));
    await settled(topic('scores'), 'Ready', 'True');
    await apply(topic('scores', { partitions: 4 }));
    const { status } = await settled(topic('scores'), 'Ready', 'False');
    expect(status?.conditions).toMatchObject([
      { reason: 'NotSupported', message: 'Decreasing partitions not supported' },
    ]);
  });

  it.each([
    [{ 'foo.bar': 1 }, 'Unknown topic config name: foo.bar'],
    [
      { 'retention.ms': 'abc' },
      'Invalid value abc for configuration retention.ms: Not a number of type LONG',
    ],
  ])('passes on what Kafka says against a configuration: %o', async (config, words) => {
    await apply(topic('scores', { config }));
    const { status } = await settled(topic('scores'), 'Ready', 'False');
    expect(status?.conditions).toMatchObject([
      { reason: 'KafkaError', message: expect.stringContaining(words) },
    ]);
  });

  it('lets no second object have a topic, and keeps the topic when that one goes', async () => {
    await apply(topic('scores'));
    await settled(topic('scores'), 'Ready', 'True');
    const second = topic('other', { topicName: 'scores' });
    await apply(second);
    const { status } = await settled(second, 'Ready', 'False');
    const message = `Managed by Ref{namespace='${namespace}', name='scores'}`;
    expect(status?.conditions).toMatchObject([{ reason: 'ResourceConflict', message }]);
    await remove(second);
    await gone(second);
    expect(topics.names).toEqual([`${namespace}/scores`]);
  });

  it('leaves an unmanaged topic alone, also when the object goes', async () => {
    await apply(topic('scores'));
    const { status: before } = await settled(topic('scores'), 'Ready', 'True');
    await apply(topic('scores', {}, { 'strimzi.io/managed': 'false' }));
    await settled(topic('scores'), 'Unmanaged', 'True');
    await remove(topic('scores'));
    await gone(topic('scores'));
    expect(topics.names).toEqual([`${namespace}/scores`]);
    await apply(topic('scores'));
    const { status: after } = await settled(topic('scores'), 'Ready', 'True');
    expect(after?.topicId).toBe(before?.topicId);
  });
});

describe('the Flink operator', () => {
  /** A status of a FlinkDeployment as far as it is looked at here. */
  interface JobStatus {
    lifecycleState: string;
    jobManagerDeploymentStatus: string;
    jobStatus: { state?: string; jobId?: string };
    error?: string;
    conditions?: { status: string }[];
  }

  /**
   * The statuses that a watch of the job shows while something happens to it, until one with which it is
   * over.
   */
  async function statusesUntil(
    isOver: (status: JobStatus) => boolean,
    happens: () => Promise<unknown>,
  ): Promise<JobStatus[]> {
    const { resourceVersion } = await client.list(FLINK_DEPLOYMENT, { namespace });
    const statuses: JobStatus[] = [];
    await happens();
    const { signal } = new AbortController();
    const options = { namespace, resourceVersion, timeoutSeconds: 10, signal };
    for await (const { type, object } of client.watch(FLINK_DEPLOYMENT, options)) {
      const { status } = object as { status?: JobStatus };
      if (type === 'BOOKMARK' || !status) continue;
      statuses.push(status);
      // A change of the spec shows the status before it first.
      if (statuses.length > 1 && isOver(status)) break;
    }
    return statuses;
  }

  const stateOf = ({ lifecycleState, jobManagerDeploymentStatus, jobStatus, error }: JobStatus) => {
    const state = [lifecycleState, jobManagerDeploymentStatus, jobStatus.state ?? '-'].join('/');
    return error ? `${state}: ${error}` : state;
  };

  async function statesUntil(last: string, happens: () => Promise<unknown>): Promise<string[]> {
    const statuses = await statusesUntil((status) => stateOf(status) === last, happens);
    const states = statuses.map(stateOf);
    return states.filter((state, i) => state !== states[i - 1]);
  }

  const isUp = (status: JobStatus) => stateOf(status) === 'STABLE/READY/RUNNING';
  const running = (object: Manifest) => settled(object, 'Running', 'True');

  it('brings a job up by way of every state that the real one shows', async () => {
    expect(await statesUntil('STABLE/READY/RUNNING', () => apply(job))).toEqual([
      'UPGRADING/MISSING/-',
      'DEPLOYED/DEPLOYING/RECONCILING',
      'DEPLOYED/DEPLOYED_NOT_READY/RECONCILING',
      'DEPLOYED/READY/RECONCILING: Job Not Found',
      'DEPLOYED/READY/CREATED',
      'STABLE/READY/RUNNING',
    ]);
    const { status } = await running(job);
    expect(status).toMatchObject({
      jobStatus: { jobId: expect.stringMatching(/^[0-9a-f]{32}$/) },
      reconciliationStatus: { state: 'DEPLOYED' },
      conditions: [{ reason: 'Running', message: 'Job status RUNNING' }],
    });
    expect(standIns.deploys).toEqual([
      { namespace, name: 'arcade-job', mode: 'stateless', script: job.spec.job.args.at(-1) },
    ]);
  });

  it('says in the condition Running what was so at the write before', async () => {
    const says = ({ conditions }: JobStatus) => conditions?.[0]?.status;
    const statuses = await statusesUntil(
      (status) => says(status) === 'True',
      () => apply(job),
    );
    const running = statuses.filter((status) => stateOf(status) === 'STABLE/READY/RUNNING');
    expect(running.map(says)).toEqual(['False', 'True']);
  });

  const next = jobWith({ args: ['--script', 'SELECT 2'], upgradeMode: 'savepoint' });

  it('stops a job with a savepoint before its JobManager, and names the next one before it is deployed', async () => {
    await apply(job);
    await running(job);
    const statuses = await statusesUntil(isUp, () => apply(next));
    const { jobId } = statuses[0]!.jobStatus;
    const seen = statuses.map((status) =>
      status.jobStatus.jobId === jobId ? stateOf(status) : `${stateOf(status)} of the next`,
    );
    expect(seen).toEqual([
      'STABLE/READY/RUNNING',
      'UPGRADING/READY/FINISHED',
      'UPGRADING/MISSING/FINISHED',
      'UPGRADING/MISSING/FINISHED of the next',
      'DEPLOYED/DEPLOYING/RECONCILING of the next',
      'DEPLOYED/DEPLOYED_NOT_READY/RECONCILING of the next',
      'DEPLOYED/READY/RECONCILING: Job Not Found of the next',
      'DEPLOYED/READY/CREATED of the next',
      'STABLE/READY/RUNNING of the next',
    ]);
  });

  it('is stable all the way when a job is put back to what was stable', async () => {
    await apply(job);
    await running(job);
    jobOutcome = { state: 'failed', error: 'no slots' };
    await statesUntil('FAILED/READY/FAILED: no slots', () => apply(next));
    jobOutcome = { state: 'stable' };
    expect(await statesUntil('STABLE/READY/RUNNING', () => apply(job))).toEqual([
      'FAILED/READY/FAILED: no slots',
      'UPGRADING/MISSING/FAILED',
      'STABLE/DEPLOYING/RECONCILING',
      'STABLE/DEPLOYED_NOT_READY/RECONCILING',
      'STABLE/READY/RECONCILING: Job Not Found',
      'STABLE/READY/CREATED',
      'STABLE/READY/RUNNING',
    ]);
  });

  it.each([
    ['TaskManager', ['STABLE/READY/CREATED', 'STABLE/READY/RUNNING']],
    [
      'JobManager',
      [
        'STABLE/DEPLOYING/RECONCILING',
        'STABLE/DEPLOYED_NOT_READY/RECONCILING',
        'STABLE/READY/RECONCILING: Job Not Found',
        'STABLE/READY/RUNNING',
      ],
    ],
  ] as const)('has a job continue whose %s was killed', async (process, states) => {
    await apply(job);
    await running(job);
    const kill = () => standIns.kill(process, namespace, job.metadata.name);
    const statuses = await statusesUntil(isUp, kill);
    expect(statuses.map(stateOf)).toEqual(states);
    expect(new Set(statuses.map(({ jobStatus }) => jobStatus.jobId)).size).toBe(1);
    expect(standIns.deploys).toHaveLength(1);
  });

  it('replaces a job whose script changed, in the mode that was asked for', async () => {
    await apply(job);
    const { status: before } = await settled(job, 'Running', 'True');
    await apply(jobWith({ args: ['--script', 'SELECT 2'], upgradeMode: 'savepoint' }));
    await expect.poll(() => standIns.deploys.length).toBe(2);
    expect(standIns.deploys[1]).toMatchObject({ mode: 'savepoint', script: 'SELECT 2' });
    const { status: after } = await settled(job, 'Running', 'True');
    expect(after?.jobStatus).not.toEqual(before?.jobStatus);
  });

  it('does nothing but take note when the upgrade mode alone changes', async () => {
    await apply(job);
    const { status: before } = await settled(job, 'Running', 'True');
    await apply(jobWith({ upgradeMode: 'savepoint' }));
    const { status: after } = await settled(job, 'Running', 'True');
    expect(after?.observedGeneration).toBe(2);
    expect(after?.jobStatus).toEqual(before?.jobStatus);
    expect(standIns.deploys).toHaveLength(1);
  });

  it('shows a job that fails with its error, and one that restarts forever without any', async () => {
    jobOutcome = { state: 'failed', error: 'Failed to execute the script.' };
    const end = `FAILED/READY/FAILED: ${jobOutcome.error}`;
    expect((await statesUntil(end, () => apply(job))).at(-1)).toBe(end);
    await expect
      .poll(async () => (await now(FLINK_DEPLOYMENT, 'arcade-job'))?.status)
      .toMatchObject({ conditions: [{ status: 'False', reason: 'Failed' }] });
    jobOutcome = { state: 'restarting' };
    await apply(jobWith({ args: ['--script', 'SELECT 2'] }));
    await expect
      .poll(async () => (await now(FLINK_DEPLOYMENT, 'arcade-job'))?.status)
      .toMatchObject({ lifecycleState: 'DEPLOYED', jobStatus: { state: 'RESTARTING' } });
    expect((await now(FLINK_DEPLOYMENT, 'arcade-job'))?.status).not.toHaveProperty('error');
    jobOutcome = { state: 'stable' };
    await apply(job);
    await settled(job, 'Running', 'True');
  });

  it('lets a job go with its object', async () => {
    await apply(job);
    await settled(job, 'Running', 'True');
    await remove(job);
    await gone(job);
  });
});

describe('Deployments', () => {
  it('come up, and follow their scale', async () => {
    await apply(app);
    const live = await settled(app, 'Available', 'True');
    expect(live.status).toMatchObject({
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    });
    await apply({ ...app, spec: { ...app.spec, replicas: 3 } });
    await expect
      .poll(async () => (await now(DEPLOYMENT, app.metadata.name))?.status)
      .toMatchObject({ observedGeneration: 2, availableReplicas: 3 });
  });

  it.each([
    ['stuck', { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    ['refused', { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }],
  ] as const)('say in Kubernetes’ words when they are %s', async (outcome, condition) => {
    appOutcome = outcome;
    await apply(app);
    const { status } = await settled(app, condition.type, condition.status);
    expect(status?.conditions).toContainEqual(expect.objectContaining(condition));
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Available', status: 'False' }),
    );
  });
});

describe('a Kafka', () => {
  it('has its listeners, and says when it is not ready', async () => {
    const config = plane.kubeConfig();
    await createKafka(config, namespace, 'games', {
      listeners: ['plain', 'tls'],
      bootstrapServers: 'kafka:9092',
    });
    const ready = await now(KAFKA, 'games');
    const listeners = ['plain', 'tls'].map((name) => ({ name, bootstrapServers: 'kafka:9092' }));
    expect(ready?.status).toMatchObject({ listeners, conditions: [{ type: 'Ready', status: 'True' }] });
    const why = { reason: 'StrimziTimeoutException', message: 'Exceeded timeout of 300000ms' };
    await setKafkaNotReady(config, namespace, 'games', why);
    const failed = await now(KAFKA, 'games');
    expect(failed?.status).toMatchObject({
      listeners,
      conditions: [{ type: 'NotReady', status: 'True', ...why }],
    });
  });
});

describe('many objects', () => {
  const unsettled = async (kind: Kind, type: string) => {
    const { items } = await client.list(kind, { namespace });
    return items.filter((object) => !says(object as Live, type, 'True')).length;
  };

  it('all settle, while someone else writes to them and the API server goes away once', async () => {
    await standIns.stop();
    const proxy = await startFaultProxy(plane.kubeConfig());
    standIns = await startStandIns(proxy.config, { namespaces: [namespace] });
    onTestFinished(() => proxy.close());
    const names = Array.from({ length: 50 }, (_, i) => `many-${i}`);
    const named = <T extends Manifest>(object: T, name: string): T => ({
      ...object,
      metadata: { ...object.metadata, name },
    });
    await Promise.all(names.flatMap((name) => [topic(name), named(job, name), named(app, name)].map(apply)));
    await Promise.all(names.map((name) => apply(topic(name, { partitions: 4 }, { touched: 'yes' }))));
    await proxy.down(500);
    for (const [kind, type] of [
      [KAFKA_TOPIC, 'Ready'],
      [FLINK_DEPLOYMENT, 'Running'],
      [DEPLOYMENT, 'Available'],
    ] as const)
      await expect.poll(() => unsettled(kind, type), { timeout: 60_000 }).toBe(0);
    expect(new Set(standIns.deploys.map(({ name }) => name)).size).toBe(50);
  });

  it('are left alone once they have settled', async () => {
    await apply(topic('scores'));
    await apply(job);
    await apply(app);
    await settled(topic('scores'), 'Ready', 'True');
    await settled(job, 'Running', 'True');
    await settled(app, 'Available', 'True');
    const versions = () =>
      Promise.all(
        [topic('scores'), job, app].map(
          async (object) => (await now(findKind(object), object.metadata.name))?.metadata.resourceVersion,
        ),
      );
    const before = await versions();
    await sleep(300);
    expect(await versions()).toEqual(before);
  });
});
