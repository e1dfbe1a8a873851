import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { KAFKA_TOPIC } from '../../operator/kube/kinds.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds, crdFiles, foreignCrds } from '../../testkit/cluster/crds.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { startOperator, type TestOperator } from '../../testkit/operator/operator.ts';
import { Kubelet, podEnvironment } from '../../testkit/operator/operator-process.ts';
import { creations, operatorWrites } from '../../testkit/operator/writes.ts';
import { type State, stateOf } from '../../testkit/sieve/state.ts';
import { createKafka } from '../../testkit/stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../../testkit/stand-ins/stand-ins.ts';

const OUTAGE_MILLIS = 10_000;
/** A new process may have to wait for the Lease of the one before to run out. */
const RECOVERY_MILLIS = 60_000;
const SETUP_MILLIS = 240_000;
const SPEC = { injector: {}, dashboard: { replicas: 2 } };

describe('an API server that is killed for 10 s', () => {
  let plane: ControlPlane;
  let admin: KubeClient;
  let standIns: StandIns;
  let kubelet: Kubelet;
  /** Is ready before; someone changes it as soon as the API server is back. */
  let idle: Arcade;
  /** Is being made. */
  let unfinished: Arcade;
  /** What of the latter was there when the API server was killed. */
  let madeBefore: string[];
  let undisturbed: State;

  beforeAll(async () => {
    plane = await startControlPlane({ controllerManager: true, audit: true, crds: availableCrds() });
    admin = new KubeClient(plane.kubeConfig());
    standIns = await startStandIns(plane.kubeConfig());
    kubelet = new Kubelet(await podEnvironment(plane, await plane.newNamespace(), ''));
    idle = await newArcade();
    unfinished = await newArcade();
    await idle.apply(SPEC);
    await idle.ready();
    undisturbed = await stateOf(admin, idle.namespace);

    await unfinished.apply(SPEC);
    const firstTopic = async () => (await admin.list(KAFKA_TOPIC, unfinished)).items[0];
    await until(firstTopic, { everyMillis: 5, signal: AbortSignal.timeout(20_000) });
    await plane.stopApiServer();
    madeBefore = creations(await writesFor(unfinished));
    await sleep(OUTAGE_MILLIS);
    await plane.startApiServer();
    await idle.kubectl('delete', 'service', 'arcade-dashboard');
    await idle.kubectl('label', 'deployment', 'arcade-injector', 'app.kubernetes.io/component-');
    await unfinished.until('Ready', { status: 'True' }, RECOVERY_MILLIS);
  }, SETUP_MILLIS);

  afterAll(async () => {
    await kubelet?.stop();
    await standIns?.stop();
    await admin?.close();
    await plane?.stop();
  });

  const newArcade = async () => {
    const namespace = await plane.newNamespace();
    await createKafka(plane.kubeConfig(), namespace, 'games');
    return new Arcade(plane, namespace);
  };
  const writesFor = async ({ namespace }: Arcade) => operatorWrites(await plane.auditEvents(), namespace);

  it('ends a leader, whose Lease cannot be renewed for so long; the process started after it takes over', async () => {
    const ends = kubelet.processes.slice(0, -1).map(({ ended }) => ended);
    expect(await Promise.all(ends)).toEqual([{ code: 1, signal: null }]);
    expect(kubelet.processes[0]?.log.at(-1)?.msg).toMatch(/the Lease was lost/);
  });

  it('leaves nothing half done', async () => {
    expect(madeBefore).not.toContain('flinkdeployments/arcade-job');
    expect(await stateOf(admin, unfinished.namespace)).toEqual(undisturbed);
  });

  it('hides no change that is made as soon as it is back', async () => {
    const state = () => stateOf(admin, idle.namespace);
    await expect.poll(state, { timeout: RECOVERY_MILLIS }).toEqual(undisturbed);
  });

  it('makes nothing be created twice, deleted, or told again', async () => {
    const made = creations(await writesFor(unfinished));
    expect(made).toHaveLength(new Set(made).size);
    const madeAgain = creations(await writesFor(idle)).filter(
      (name, index, all) => all.indexOf(name) !== index,
    );
    expect(madeAgain).toEqual(['services/arcade-dashboard']);
    for (const arcade of [idle, unfinished]) {
      expect((await writesFor(arcade)).filter(({ verb }) => verb === 'delete')).toEqual([]);
      expect((await arcade.events()).filter((reason) => reason === 'Ready')).toHaveLength(1);
    }
  });
});

describe('operators that are installed later than ours', () => {
  let plane: ControlPlane;
  let standIns: StandIns;
  let operator: TestOperator;
  let arcade: Arcade;

  beforeEach(async () => {
    plane = await startControlPlane();
    const foreign = [...(await foreignCrds(availableCrds())).values()];
    const ours = (await crdFiles(availableCrds())).filter((file) => !foreign.includes(file));
    await install(ours);
    const namespace = await plane.newNamespace();
    arcade = new Arcade(plane, namespace);
    operator = startOperator(plane.kubeConfig(), namespace);
  });

  afterEach(async () => {
    await operator?.stop();
    await standIns?.stop();
    await plane?.stop();
  });

  const install = (files: string[]) =>
    plane.kubectl('apply', '--server-side', ...files.map((file) => `--filename=${file}`));
  const crds = async (group: string) =>
    [...(await foreignCrds(availableCrds()))]
      .filter(([name]) => name.endsWith(group))
      .map(([, file]) => file);

  it('are missed in the conditions, and used once they are there, without a new start', async () => {
    await arcade.apply(SPEC);
    const { message } = await arcade.until('KafkaReady', { status: 'False', reason: 'StrimziMissing' });
    expect(message).toMatch(/install/);
    await install(await crds('.strimzi.io'));
    await arcade.until('KafkaReady', { status: 'False', reason: 'KafkaMissing' }, RECOVERY_MILLIS);
    standIns = await startStandIns(plane.kubeConfig(), { namespaces: [arcade.namespace] });
    await createKafka(plane.kubeConfig(), arcade.namespace, 'games');
    await arcade.until('JobRunning', { status: 'False', reason: 'FlinkOperatorMissing' }, RECOVERY_MILLIS);
    await arcade.until('TopicsReady', { status: 'True' });
    await install(await crds('.flink.apache.org'));
    await arcade.until('Ready', { status: 'True' }, RECOVERY_MILLIS);
  });
});
