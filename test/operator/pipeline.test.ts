import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../api/status.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { GAME_ANALYTICS } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import type { KafkaUser } from '../../plan/objects.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { Arcade, writesOf } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import type { JobOutcome } from '../../testkit/stand-ins/flink-status.ts';
import { createKafka, setKafkaNotReady } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const plane = connectedControlPlane();
const BOARDS = [
  { name: 'top-teams', type: 'TopTeams', size: 10 },
  { name: 'top-players', type: 'TopPlayers', size: 10 },
];
const DURABLE = { flink: { state: { claim: 'state' } } };

let arcade: Arcade;
/** Enough for a job that comes up, on a busy machine too; one that does not is waited for as long. */
const UPGRADE_MILLIS = 6_000;

let operator: TestOperator;
let standIns: StandIns;
let jobOutcome: (script: string) => JobOutcome;
let userRefusal: string | undefined;

beforeEach(async () => {
  const namespace = await plane.newNamespace();
  arcade = new Arcade(plane, namespace);
  jobOutcome = () => ({ state: 'stable' });
  userRefusal = undefined;
  standIns = await startStandIns(plane.kubeConfig(), {
    namespaces: [namespace],
    outcomes: { job: ({ spec }) => jobOutcome(spec.job.args.join()), user: () => userRefusal },
  });
  operator = startOperator(plane.kubeConfig(), namespace, { upgradeTimeoutMillis: UPGRADE_MILLIS });
});

afterEach(async () => {
  await operator.stop();
  await standIns.stop();
});

const kafka = () => createKafka(plane.kubeConfig(), arcade.namespace, 'games');
const names = async (kind: string) =>
  [...(await arcade.children()).keys()]
    .filter((id) => id.startsWith(`${kind} `))
    .map((id) => id.split(' ')[1]);
const annotations = async () => (await arcade.get('flinkdeployment', 'arcade-job')).metadata.annotations;

describe('a GameAnalytics that is applied', () => {
  it('waits for its Kafka, says so, and becomes ready once it is there', async () => {
    await arcade.apply({ injector: {} });
    const waiting = await arcade.until('KafkaReady', { status: 'False', reason: 'KafkaMissing' });
    expect(waiting.message).toMatch(/There is no Kafka 'games'/);
    expect(await arcade.children()).toEqual(new Map());
    await kafka();
    await arcade.kubectl('wait', '--for=condition=Ready', 'ga/arcade', '--timeout=30s');
    const status = await arcade.status();
    expect(status.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual(
      [
        'Ready',
        'KafkaReady',
        'SchemaReady',
        'TopicsReady',
        'UsersReady',
        'JobRunning',
        'InjectorReady',
        'DashboardReady',
        'ResultsReady',
        'HistoryReady',
      ].map((type) => `${type} True`),
    );
    expect(status).toMatchObject({
      observedGeneration: 1,
      job: { state: 'RUNNING', id: expect.any(String), revision: expect.any(String) },
      dashboard: { service: 'arcade-dashboard', port: 80 },
      leaderboards: ['top-teams', 'top-players', 'hot-streakers', 'team-mvps'].map((name) => ({
        name,
        topic: `arcade-${name}`,
      })),
    });
    expect(await arcade.kubectl('get', 'ga')).toMatch(/arcade +True +RUNNING +arcade-dashboard/);
    expect(await arcade.events()).toEqual(['KafkaMissing', 'Ready']);
  });

  it('owns everything but the topic that is to outlive it', async () => {
    await kafka();
    await arcade.apply({ injector: {} });
    await arcade.ready();
    const children = [...(await arcade.children()).values()];
    const owned = children.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === 'arcade');
    const others = children.filter((child) => !owned.includes(child));
    expect(owned.length).toBeGreaterThan(10);
    expect(others.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'KafkaTopic arcade-user-score',
    ]);
  });

  it('is written once: nothing is written while nothing changes, by this operator or its successor', async () => {
    await kafka();
    await arcade.apply({
      injector: {},
      dashboard: {
        ingress: { host: 'games.example' },
        resources: { limits: { cpu: '1000m', memory: '1024Mi' } },
      },
    });
    await arcade.ready();
    await sleep(500);
    const before = await writesOf(operator.metrics);
    await sleep(1_500);
    expect(await writesOf(operator.metrics)).toBe(before);
    await operator.stop();
    operator = startOperator(plane.kubeConfig(), arcade.namespace);
    await sleep(2_500);
    const reconciles = await operator.metrics.registry.getSingleMetricAsString(
      'controller_runtime_reconcile_total',
    );
    expect(reconciles).toMatch(/result="success"\} [1-9]/);
    expect(await writesOf(operator.metrics)).toBe(0);
  });

  it('goes with everything but the retained topic, which the next of its name takes over', async () => {
    await kafka();
    await arcade.apply({ injector: {} });
    await arcade.ready();
    await arcade.kubectl('delete', 'ga', 'arcade', '--wait');
    await expect
      .poll(async () => [...(await arcade.children()).keys()], { timeout: 30_000 })
      .toEqual(['KafkaTopic arcade-user-score']);
    await arcade.apply({ injector: {}, events: { deletionPolicy: 'Delete' } });
    await arcade.ready();
    await arcade.kubectl('delete', 'ga', 'arcade', '--wait');
    await expect.poll(async () => [...(await arcade.children()).keys()], { timeout: 30_000 }).toEqual([]);
  });
});

describe('a change of the spec', () => {
  beforeEach(async () => {
    await kafka();
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS, injector: {} });
    await arcade.ready();
  });

  it('of a board’s size within its rank leaves the job alone', async () => {
    await arcade.apply({ ...DURABLE, leaderboards: [{ ...BOARDS[0], size: 5 }, BOARDS[1]], injector: {} });
    await arcade.ready();
    expect(standIns.deploys).toHaveLength(1);
  });

  it('of a board’s season replaces the job from its savepoint, and says which board is recomputed', async () => {
    await arcade.apply({
      ...DURABLE,
      leaderboards: [{ ...BOARDS[0], season: '2h' }, BOARDS[1]],
      injector: {},
    });
    await arcade.ready();
    expect(standIns.deploys.map(({ mode }) => mode).slice(-1)).toEqual(['savepoint']);
    expect(await arcade.events()).toEqual(['Ready', 'Upgrading', 'Ready']);
    expect(await arcade.note('Upgrading')).toContain('top-teams (its definition changed)');
  });

  it('of the events’ lateness reads the events again, and says so', async () => {
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS, injector: {}, events: { maxLateness: '9s' } });
    await arcade.ready();
    expect(standIns.deploys.map(({ mode }) => mode)).toEqual(['savepoint', 'stateless']);
    expect(await arcade.events()).toEqual(['Ready', 'Replaying', 'Ready']);
  });

  it('that adds a board makes its topic first, and restores the savepoint', async () => {
    const added = { name: 'hot', type: 'HotStreakers' };
    await arcade.apply({ ...DURABLE, leaderboards: [...BOARDS, added], injector: {} });
    await arcade.ready();
    expect(await names('KafkaTopic')).toContain('arcade-hot');
    expect(standIns.deploys.map(({ mode }) => mode)).toEqual(['savepoint', 'savepoint']);
    expect(await arcade.events()).toEqual(['Ready', 'Upgrading', 'Ready']);
    // Once it is stable it is as planned, whatever the path, and that starts no job.
    const job = await arcade.get<{ spec: { job: { upgradeMode: string } } }>('flinkdeployment', 'arcade-job');
    expect(job.spec.job.upgradeMode).toBe('savepoint');
  });

  it('that removes a board removes its topic, once the job does not write it any more', async () => {
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS.slice(0, 1), injector: {} });
    await arcade.ready();
    await expect
      .poll(() => names('KafkaTopic'))
      .toEqual(['arcade-pipeline-stats', 'arcade-top-teams', 'arcade-user-score']);
    expect(await arcade.events()).toEqual(['Ready', 'Upgrading', 'Deleted', 'Ready']);
  });

  it('of the injector or the dashboard rolls that alone', async () => {
    await arcade.apply({
      ...DURABLE,
      leaderboards: BOARDS,
      injector: { eventsPerSecond: 50 },
      dashboard: { replicas: 3 },
    });
    await arcade.ready();
    expect(standIns.deploys).toHaveLength(1);
    const dashboard = await arcade.get<{ status: { readyReplicas: number } }>(
      'deployment',
      'arcade-dashboard',
    );
    expect(dashboard.status.readyReplicas).toBe(3);
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS });
    await arcade.until('InjectorReady', { reason: 'Disabled' });
    expect(await names('Deployment')).toEqual(['arcade-dashboard']);
    expect(await names('ServiceAccount')).toEqual(['arcade-dashboard', 'arcade-job']);
    expect(await names('NetworkPolicy')).toEqual(['arcade-dashboard', 'arcade-job']);
  });

  it('that is invalid leaves what runs as it was, with the reason in Ready', async () => {
    const before = await arcade.settled();
    const twoStatements = {
      name: 'mine',
      type: 'Query',
      columns: [
        { name: 'rnk', type: 'BIGINT' },
        { name: 'a', type: 'STRING' },
      ],
      query: 'SELECT 1; DROP TABLE x',
    };
    await arcade.apply({ ...DURABLE, leaderboards: [twoStatements], injector: { eventsPerSecond: 99 } });
    const { message } = await arcade.until('Ready', { status: 'False', reason: 'InvalidSpec' });
    expect(message).toMatch(/spec\.leaderboards\[0\]\.query/);
    await sleep(300);
    expect(await arcade.settled()).toEqual(before);
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS, injector: {} });
    await arcade.ready();
    expect(await arcade.events()).toEqual(['Ready', 'InvalidSpec', 'Ready']);
  });

  it('to a Flink image that the operator does not allow leaves what runs as it was', async () => {
    await operator.stop();
    operator = startOperator(plane.kubeConfig(), arcade.namespace, { allowedFlinkImages: ['ours.example/'] });
    const before = await arcade.settled();
    await arcade.apply({ flink: { ...DURABLE.flink, image: 'theirs.example/flink:2' } });
    expect(await arcade.until('Ready', { status: 'False', reason: 'InvalidSpec' })).toMatchObject({
      message:
        'spec.flink.image: must be an image that the operator allows, ours.example/, not "theirs.example/flink:2"',
    });
    await sleep(300);
    expect(await arcade.settled()).toEqual(before);
    await arcade.apply({ flink: { ...DURABLE.flink, image: 'ours.example/flink:2' } });
    await arcade.ready();
    const job = await arcade.get<{ spec: { image: string } }>('flinkdeployment', 'arcade-job');
    expect(job.spec.image).toBe('ours.example/flink:2');
  });

  it('while paused changes nothing, and is made up for afterwards', async () => {
    await arcade.kubectl('patch', 'ga', 'arcade', '--type=merge', '--patch={"spec":{"paused":true}}');
    await arcade.until('Ready', { status: 'False', reason: 'Paused' });
    const before = await arcade.settled();
    await arcade.kubectl(
      'patch',
      'ga',
      'arcade',
      '--type=merge',
      '--patch={"spec":{"dashboard":{"replicas":2},"injector":{"eventsPerSecond":7}}}',
    );
    await arcade.kubectl(
      'label',
      'service',
      'arcade-dashboard',
      'app.kubernetes.io/component=other',
      '--overwrite',
    );
    await arcade.until('Ready', { reason: 'Paused', observedGeneration: 3 });
    await sleep(300);
    const { 'Service arcade-dashboard': service, ...others } = await arcade.settled();
    const { 'Service arcade-dashboard': serviceBefore, ...othersBefore } = before;
    expect(others).toEqual(othersBefore);
    expect(service).not.toEqual(serviceBefore);
    await arcade.kubectl('patch', 'ga', 'arcade', '--type=merge', '--patch={"spec":{"paused":false}}');
    await arcade.ready();
    expect((await arcade.settled())['Service arcade-dashboard']).toEqual(serviceBefore);
  });
});

describe('a job', () => {
  beforeEach(async () => {
    await standIns.stop();
    // So slow that the operator sees every state.
    standIns = await startStandIns(plane.kubeConfig(), { namespaces: [arcade.namespace], stepMillis: 200 });
  });

  /** What JobRunning says while something happens, until the job runs again. */
  async function saidUntilRunning(happens: () => Promise<unknown>): Promise<string[]> {
    const { resourceVersion } = (await arcade.get('gameanalytics', 'arcade')).metadata;
    await happens();
    const client = new KubeClient(plane.kubeConfig());
    onTestFinished(() => client.close());
    const { signal } = new AbortController();
    const options = { namespace: arcade.namespace, resourceVersion, timeoutSeconds: 20, signal };
    const said: string[] = [];
    for await (const { object } of client.watch(GAME_ANALYTICS, options)) {
      const { conditions = [] } = ((object as LiveObject).status ?? {}) as Status;
      const job = conditions.find(({ type }) => type === 'JobRunning');
      if (job) said.push(`${job.reason}: ${job.message}`);
      if (job?.status === 'True' && said.length > 1) break;
    }
    return said;
  }

  it('that starts is not in error because Flink does not know it yet', async () => {
    await kafka();
    await arcade.apply(DURABLE);
    const said = await saidUntilRunning(async () => {});
    expect(said).toContain('Deploying: The job is being started: DEPLOYED/READY/RECONCILING');
    expect(said.join()).not.toMatch(/not found/i);
  });

  it.each(['TaskManager', 'JobManager'] as const)(
    'whose %s is killed is being restarted, and is Flink’s to restart',
    async (process) => {
      await kafka();
      await arcade.apply(DURABLE);
      await arcade.ready();
      const said = await saidUntilRunning(() => standIns.kill(process, arcade.namespace, 'arcade-job'));
      expect(said.some((words) => words.startsWith('Restarting: The job is being restarted: STABLE/'))).toBe(
        true,
      );
      expect(said.join()).not.toMatch(/not found/i);
      expect(standIns.deploys).toHaveLength(1);
    },
  );
});

describe('an upgrade that does not come up', () => {
  const changed = { ...DURABLE, leaderboards: [{ ...BOARDS[0], season: '2h' }, BOARDS[1]] };

  beforeEach(async () => {
    await kafka();
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS });
    await arcade.ready();
  });

  it.each<[string, JobOutcome, RegExp]>([
    ['fails', { state: 'failed', error: 'Failed to execute the script.' }, /Failed to execute the script\./],
    ['restarts forever without a word', { state: 'restarting' }, /did not come up within 6 s: DEPLOYED/],
  ])(
    'because it %s is put back by itself, and is not tried again until the spec changes',
    async (_, outcome, words) => {
      const { 'FlinkDeployment arcade-job': before } = await arcade.settled();
      jobOutcome = (script) => (script.includes('7200000') ? outcome : { state: 'stable' });
      await arcade.apply(changed);
      const rolledBack = await arcade.until('JobRunning', { status: 'True', reason: 'RolledBack' });
      expect(rolledBack.message).toMatch(words);
      await arcade.until('Ready', { status: 'False', reason: 'RolledBack' });
      const { 'FlinkDeployment arcade-job': after } = await arcade.settled();
      expect((after as { spec: unknown }).spec).toEqual((before as { spec: unknown }).spec);
      const deploys = standIns.deploys.length;
      await sleep(UPGRADE_MILLIS + 500);
      await operator.stop();
      operator = startOperator(plane.kubeConfig(), arcade.namespace, {
        upgradeTimeoutMillis: UPGRADE_MILLIS,
      });
      await sleep(UPGRADE_MILLIS + 500);
      expect(standIns.deploys).toHaveLength(deploys);
      expect(await arcade.events()).toEqual(['Ready', 'Upgrading', 'RolledBack']);
      jobOutcome = () => ({ state: 'stable' });
      await arcade.apply({ ...changed, leaderboards: [{ ...BOARDS[0], season: '3h' }, BOARDS[1]] });
      await arcade.ready();
      expect(await annotations()).not.toHaveProperty('gameanalytics.dev/refused-revision');
    },
  );

  it('keeps the topics of the boards that run, and loses none of them', async () => {
    jobOutcome = (script) =>
      script.includes('top-players') ? { state: 'stable' } : { state: 'failed', error: 'no' };
    await arcade.apply({ ...DURABLE, leaderboards: BOARDS.slice(0, 1) });
    await arcade.until('JobRunning', { status: 'True', reason: 'RolledBack' });
    expect(await names('KafkaTopic')).toEqual([
      'arcade-pipeline-stats',
      'arcade-top-players',
      'arcade-top-teams',
      'arcade-user-score',
    ]);
  });

  it('says so in the words of the Flink operator when there is nothing to go back to', async () => {
    jobOutcome = () => ({ state: 'failed', error: 'no slots' });
    const other = new Arcade(plane, arcade.namespace, 'other');
    await other.apply();
    const { message } = await other.until('JobRunning', { status: 'False', reason: 'Failed' });
    expect(message).toMatch(/no slots/);
    jobOutcome = () => ({ state: 'stable' });
    await other.apply({ flink: { parallelism: 2 } });
    await other.ready();
  });
});

describe('a pipeline that signs in to Kafka', () => {
  const SIGNED_IN = {
    ...DURABLE,
    kafka: { cluster: 'games', authentication: { type: 'scram-sha-512' } },
    leaderboards: BOARDS,
  };
  const securedKafka = () =>
    createKafka(plane.kubeConfig(), arcade.namespace, 'games', {
      listeners: ['plain', { name: 'tls', authentication: 'scram-sha-512' }],
    });
  const written = async () => {
    const { spec } = await arcade.get<LiveObject & { spec: KafkaUser['spec'] }>(
      'kafkauser',
      'arcade-flink-kafka',
    );
    return spec.authorization.acls
      .filter(({ operations }) => operations.includes('Write'))
      .map(({ resource }) => resource.name);
  };

  it('has its users, and says when it is not let in so', async () => {
    await kafka();
    await arcade.apply({ ...SIGNED_IN, kafka: { ...SIGNED_IN.kafka, listener: 'plain' }, injector: {} });
    const { message } = await arcade.until('KafkaReady', { status: 'False', reason: 'ListenerMismatch' });
    expect(message).toMatch(/Listener 'plain' of Kafka 'games' asks for no authentication/);
    expect(await arcade.children()).toEqual(new Map());
    await securedKafka();
    await arcade.apply({ ...SIGNED_IN, injector: {} });
    await arcade.ready();
    await arcade.until('UsersReady', { status: 'True', message: '3 users are there.' });
    expect((await names('KafkaUser')).sort()).toEqual([
      'arcade-dashboard-kafka',
      'arcade-flink-kafka',
      'arcade-injector-kafka',
    ]);
  });

  it('starts its job once Strimzi takes its users, and says in its words why it does not', async () => {
    userRefusal = 'Simple authorization ACL rules are configured but not supported in the Kafka cluster.';
    await securedKafka();
    await arcade.apply(SIGNED_IN);
    const refused = await arcade.until('UsersReady', { status: 'False', reason: 'NotReady' });
    expect(refused.message).toContain(`InvalidResourceException: ${userRefusal}`);
    // Of what the job waits for it names the first, and that is a topic until all of them are there.
    const waitsFor = async () =>
      (await arcade.until('JobRunning', { status: 'False', reason: 'WaitingForDependency' })).message;
    await expect.poll(waitsFor, { timeout: 30_000 }).toContain(userRefusal);
    expect(await names('FlinkDeployment')).toEqual([]);
  });

  it('keeps the rights of the job that runs until it has been replaced', async () => {
    await securedKafka();
    await arcade.apply(SIGNED_IN);
    await arcade.ready();
    const before = await written();
    expect(before).toContain('arcade-top-players');
    jobOutcome = (script) =>
      script.includes('arcade-new') ? { state: 'failed', error: 'no' } : { state: 'stable' };
    await arcade.apply({ ...SIGNED_IN, leaderboards: [BOARDS[0], { ...BOARDS[1], name: 'new' }] });
    await arcade.until('JobRunning', { status: 'True', reason: 'RolledBack' });
    expect((await written()).sort()).toEqual([...before, 'arcade-new'].sort());
    await arcade.apply({ ...SIGNED_IN, leaderboards: [BOARDS[0], { ...BOARDS[1], name: 'other' }] });
    await arcade.ready();
    await expect
      .poll(async () => (await written()).sort(), { timeout: 10_000 })
      .toEqual(['arcade-other', 'arcade-pipeline-stats', 'arcade-top-teams']);
  });

  it('has no right to a topic that is someone else’s', async () => {
    await securedKafka();
    await plane.apply({
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'KafkaTopic',
      metadata: {
        name: 'arcade-payments',
        namespace: arcade.namespace,
        labels: { 'strimzi.io/cluster': 'games' },
      },
      spec: { partitions: 1 },
    });
    const payments = { name: 'payments', type: 'TopTeams' };
    await arcade.apply({ ...SIGNED_IN, leaderboards: [payments] });
    const { message } = await arcade.until('TopicsReady', { status: 'False', reason: 'NameConflict' });
    expect(message).toContain('KafkaTopic arcade-payments already exists and belongs to another owner');
    await arcade.until('UsersReady', { status: 'False', reason: 'Progressing' });
    expect(await names('KafkaUser')).toEqual([]);
    await arcade.apply(SIGNED_IN);
    await arcade.ready();
    const before = await written();
    await arcade.apply({ ...SIGNED_IN, leaderboards: [...BOARDS, payments] });
    await arcade.until('TopicsReady', { status: 'False', reason: 'NameConflict' });
    expect(await written()).toEqual(before);
  });

  it('loses its users once its job does not sign in any more', async () => {
    await securedKafka();
    await arcade.apply(SIGNED_IN);
    await arcade.ready();
    await arcade.apply({ ...SIGNED_IN, kafka: { cluster: 'games' } });
    await arcade.ready();
    await expect.poll(() => names('KafkaUser'), { timeout: 10_000 }).toEqual([]);
    await arcade.until('UsersReady', { status: 'True', reason: 'Disabled' });
  });
});

describe('pods that do not start', () => {
  const LABELS = {
    'app.kubernetes.io/name': 'gameanalytics',
    'app.kubernetes.io/instance': 'arcade',
    'app.kubernetes.io/component': 'flink',
    component: 'taskmanager',
  };
  const RESTRICTED_POD = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'a',
        image: 'a',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
  const createPod = async (name: string, labels: Record<string, string>, message: string) => {
    await plane.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: arcade.namespace, labels },
      spec: RESTRICTED_POD,
    });
    const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const status = JSON.stringify({ status: { phase: 'Pending', conditions: [scheduled] } });
    await arcade.kubectl('patch', 'pod', name, '--subresource=status', `--patch=${status}`);
  };

  it('are named by the job, in the scheduler’s words, until they do', async () => {
    jobOutcome = () => ({ state: 'restarting' });
    await kafka();
    await arcade.apply(DURABLE);
    await createPod('other', { ...LABELS, 'app.kubernetes.io/instance': 'other' }, 'not told');
    await createPod('arcade-job-taskmanager-1-1', LABELS, '0/1 nodes are available: 1 Insufficient cpu.');
    const message = async () => (await arcade.until('JobRunning', { status: 'False' })).message;
    const words =
      'TaskManager arcade-job-taskmanager-1-1 is Pending: 0/1 nodes are available: 1 Insufficient cpu';
    await expect.poll(message, { timeout: 10_000 }).toContain(words);
    expect(await message()).not.toContain('not told');
    await arcade.kubectl('delete', 'pod', 'arcade-job-taskmanager-1-1', '--force');
    await expect.poll(message, { timeout: 10_000 }).not.toContain('Insufficient');
  });
});

describe('what others do to the children', () => {
  beforeEach(async () => {
    await kafka();
    await arcade.apply({ injector: {}, dashboard: { replicas: 2 } });
    await arcade.ready();
  });

  it('is undone when it takes away or changes what is ours, with one event and a condition that name who and what', async () => {
    const before = await arcade.settled();
    await arcade.kubectl(
      'patch',
      'deployment',
      'arcade-injector',
      '--field-manager=someone',
      '--type=strategic',
      '--patch={"spec":{"template":{"spec":{"containers":[{"name":"injector","image":"evil:1"}]}}}}',
    );
    const conflict = await arcade.until('FieldConflict', { status: 'True', reason: 'FieldManagerConflict' });
    expect(conflict.message).toMatch(/someone had changed .*image of Deployment arcade-injector/);
    await expect.poll(() => arcade.settled(), { timeout: 20_000 }).toEqual(before);
    for (const id of [...(await arcade.children()).keys()].filter((id) => !id.startsWith('KafkaTopic'))) {
      await arcade.kubectl('delete', ...id.split(' '), '--wait=false');
    }
    await arcade.kubectl('delete', 'kafkatopic', 'arcade-top-teams');
    await expect.poll(() => arcade.settled(), { timeout: 20_000 }).toEqual(before);
    await arcade.ready();
    expect((await arcade.events()).filter((reason) => reason === 'FieldManagerConflict')).toHaveLength(1);
  });

  it('is undone when our labels are taken off', async () => {
    const before = await arcade.settled();
    for (const id of (await arcade.children()).keys())
      await arcade.kubectl(
        'label',
        ...id.split(' '),
        'app.kubernetes.io/managed-by-',
        'app.kubernetes.io/instance-',
      );
    await expect.poll(() => arcade.settled(), { timeout: 20_000 }).toEqual(before);
  });

  it('stays when it is theirs: an autoscaler’s replicas, a sidecar, a label', async () => {
    await arcade.apply({ injector: {} });
    await arcade.ready();
    const writes = await writesOf(operator.metrics);
    await arcade.kubectl('scale', 'deployment', 'arcade-dashboard', '--replicas=5');
    await arcade.kubectl('label', 'service', 'arcade-dashboard', 'team=blue');
    await arcade.kubectl(
      'patch',
      'deployment',
      'arcade-dashboard',
      '--type=strategic',
      '--patch={"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"mesh:1"}]}}}}',
    );
    await arcade.apply({ injector: {}, dashboard: { title: 'Other' } });
    await arcade.ready();
    const dashboard = await arcade.get<{
      spec: { replicas: number; template: { spec: { containers: { name: string }[] } } };
    }>('deployment', 'arcade-dashboard');
    expect(dashboard.spec.replicas).toBe(5);
    expect(dashboard.spec.template.spec.containers.map(({ name }) => name).sort()).toEqual([
      'dashboard',
      'sidecar',
    ]);
    expect((await arcade.get('service', 'arcade-dashboard')).metadata.labels).toMatchObject({ team: 'blue' });
    expect(await writesOf(operator.metrics)).toBeGreaterThan(writes);
  });

  it('is left alone when it was there first, and the condition says so', async () => {
    await arcade.plane.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'other-dashboard', namespace: arcade.namespace },
      spec: { ports: [{ port: 1 }] },
    });
    const other = new Arcade(plane, arcade.namespace, 'other');
    await other.apply();
    const { message } = await other.until('DashboardReady', { status: 'False', reason: 'NameConflict' });
    expect(message).toMatch(/Service other-dashboard already exists/);
    const service = await other.get('service', 'other-dashboard');
    expect(service.metadata.labels).toBeUndefined();
    await arcade.kubectl('delete', 'service', 'other-dashboard');
    await other.ready();
  });
});

describe('conditions', () => {
  it('repeat what the children say, in their words', async () => {
    await kafka();
    await arcade.apply();
    await arcade.ready();
    await setKafkaNotReady(plane.kubeConfig(), arcade.namespace, 'games', {
      reason: 'StrimziTimeout',
      message: 'Exceeded timeout',
    });
    const { message } = await arcade.until('KafkaReady', { status: 'False', reason: 'NotReady' });
    expect(message).toMatch(/StrimziTimeout: Exceeded timeout/);
    await arcade.until('JobRunning', { status: 'True' });
    await kafka();
    await arcade.kubectl('annotate', 'kafkatopic', 'arcade-top-teams', 'x=y');
    await arcade.ready();
  });
});
