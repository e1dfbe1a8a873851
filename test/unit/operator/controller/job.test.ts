import { describe, expect, it } from 'vitest';
import { decideJob, type JobDecision, type JobFacts } from '../../../../operator/controller/job.ts';
import { plannedRevision, type Revision } from '../../../../operator/controller/revision.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import { layOut } from '../../../../plan/layout.ts';
import type { FlinkDeployment } from '../../../../plan/objects.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

type Spec = Record<string, unknown>;

const TIMEOUT = 300_000;
const DURABLE = { flink: { state: { claim: 'state' } } };
const boards = (...sizes: number[]) => ({
  leaderboards: sizes.map((size, i) => ({ name: `top-${i}`, type: 'TopTeams', size })),
});

const STABLE = { lifecycleState: 'STABLE', jobStatus: { state: 'RUNNING' } };
const FAILED = {
  lifecycleState: 'FAILED',
  jobStatus: { state: 'FAILED' },
  error: 'Failed to execute the script.',
};
const RESTARTING = { lifecycleState: 'DEPLOYED', jobStatus: { state: 'RESTARTING' } };

/** The FlinkDeployment of a spec; where another ran before, laid out to restore it. */
function planned(spec: Spec, before?: Spec): FlinkDeployment {
  const objects = plan(resource(spec, 'game', { namespace: 'arcades', uid: '1' }), {
    bootstrapServers: 'kafka:9092',
    appImage: 'app:1',
    flinkImage: 'flink:1',
    layout: before && layOut(resource(before)),
  });
  return objects.find(
    (object): object is FlinkDeployment => object.kind === 'FlinkDeployment',
  ) as FlinkDeployment;
}

/** A FlinkDeployment as it is once it was applied and the Flink operator has answered. */
function applied(desired: FlinkDeployment, status: object, generation = 1): LiveObject {
  const metadata = { ...desired.metadata, uid: '2', resourceVersion: '3', generation };
  return { ...desired, metadata, status: { observedGeneration: generation, ...status } };
}

function decide(facts: Partial<JobFacts> & { planned: FlinkDeployment }): JobDecision {
  const none = { live: undefined, lastGood: undefined, podTroubles: '' };
  return decideJob({ ...none, ageMillis: 0, timeoutMillis: TIMEOUT, ...facts });
}

/** A job of this spec that came up. */
function running(spec: Spec): { live: LiveObject; lastGood: Revision } {
  const { desired } = decide({ planned: planned(spec) });
  return { live: applied(desired, STABLE), lastGood: plannedRevision(planned(spec)) };
}

describe('a job that is not there', () => {
  it('is made as planned', () => {
    const decision = decide({ planned: planned(DURABLE) });
    expect(decision.desired.spec).toEqual(planned(DURABLE).spec);
    expect(decision).toMatchObject({
      rolloutComplete: false,
      condition: { status: 'False', reason: 'Deploying' },
    });
  });
});

describe('a first revision', () => {
  const { desired } = decide({ planned: planned(DURABLE) });

  it('is good once it is stable', () => {
    const decision = decide({ planned: planned(DURABLE), live: applied(desired, STABLE) });
    expect(decision).toMatchObject({
      rolloutComplete: true,
      condition: { status: 'True', reason: 'Running' },
    });
    expect(decision.lastGood).toEqual(plannedRevision(planned(DURABLE)));
    expect(decision.desired).toEqual(desired);
  });

  it('is not good while the Flink operator has only answered to what was there before', () => {
    const live = applied(desired, { ...STABLE, observedGeneration: 1 }, 2);
    expect(decide({ planned: planned(DURABLE), live })).toMatchObject({
      lastGood: undefined,
      rolloutComplete: false,
    });
  });

  it('is not failed because the job before it has', () => {
    const live = applied(desired, {
      ...{ lifecycleState: 'UPGRADING', jobManagerDeploymentStatus: 'MISSING' },
      jobStatus: { state: 'FAILED' },
    });
    expect(decide({ planned: planned(DURABLE), live }).condition).toMatchObject({
      reason: 'Deploying',
      message: 'The job is being started: UPGRADING/MISSING',
    });
  });

  it('that Flink’s operator has not found yet is being started, and that is no error', () => {
    const status = {
      lifecycleState: 'DEPLOYED',
      jobManagerDeploymentStatus: 'READY',
      error: 'Job Not Found',
    };
    const live = applied(desired, { ...status, jobStatus: { state: 'RECONCILING' } });
    expect(decide({ planned: planned(DURABLE), live }).condition).toEqual({
      status: 'False',
      reason: 'Deploying',
      message: 'The job is being started: DEPLOYED/READY/RECONCILING',
    });
  });

  it('that waits for a pod says so in Kubernetes’ words, also when it is given up', () => {
    const live = applied(desired, { ...RESTARTING });
    const podTroubles = 'TaskManager game-job-taskmanager-1-1 is Pending: 0/1 nodes are available';
    const facts = { planned: planned(DURABLE), live, podTroubles };
    expect(decide(facts).condition.message).toBe(
      `The job is being started: DEPLOYED/RESTARTING. ${podTroubles}`,
    );
    expect(decide({ ...facts, ageMillis: TIMEOUT }).condition.message).toContain(podTroubles);
  });

  it('that fails says so in the words of the Flink operator, and there is nothing to go back to', () => {
    const decision = decide({ planned: planned(DURABLE), live: applied(desired, FAILED) });
    expect(decision.desired).toEqual(desired);
    expect(decision.condition).toMatchObject({ reason: 'Failed' });
    expect(decision.condition.message).toContain('Failed to execute the script.');
  });

  it('that failed is replaced by the next without a state, since it has none', () => {
    const live = applied(desired, FAILED);
    const next = planned({ flink: { ...DURABLE.flink, parallelism: 2 } });
    const decision = decide({ planned: next, live });
    expect(decision.desired.spec.job).toMatchObject({ args: next.spec.job.args, upgradeMode: 'stateless' });
    expect(decision.condition.reason).toBe('Deploying');
  });
});

describe('an upgrade', () => {
  const before = { ...DURABLE, ...boards(10) };
  const more = { ...DURABLE, ...boards(10, 10) };
  const another = { ...before, events: { maxLateness: '9s' } };

  it('keeps the state where the boards stay what they are', () => {
    const wider = { ...before, flink: { ...DURABLE.flink, parallelism: 2 } };
    const decision = decide({ planned: planned(wider, before), ...running(before) });
    expect(decision.desired.spec.job.upgradeMode).toBe('savepoint');
    expect(decision.condition).toEqual({
      status: 'False',
      reason: 'Upgrading',
      message: 'The job is being replaced and restores its state (savepoint).',
    });
    expect(decision.lastGood).toEqual(plannedRevision(planned(before)));
  });

  it('keeps the state of all other boards, and says which is recomputed and why', () => {
    const decision = decide({ planned: planned(more, before), ...running(before) });
    expect(decision.desired.spec.job.upgradeMode).toBe('savepoint');
    expect(decision.condition.message).toMatch(
      /Recomputed from the events that are kept: top-1 \(it is new\)\.$/,
    );
  });

  it('reads the events again where it cannot keep the state, and says so', () => {
    const decision = decide({ planned: planned(another, before), ...running(before) });
    expect(decision.desired.spec.job.upgradeMode).toBe('stateless');
    expect(decision.condition.reason).toBe('Replaying');
    expect(decision.condition.message).toMatch(
      /\(the events, their mapping, their lateness or the SQL of all boards changed\): the boards are recomputed from the events that are kept/,
    );
  });

  it('reads the events again when there was no durable state, or it was elsewhere', () => {
    const decision = decide({ planned: planned(before), ...running(boards(10)) });
    expect(decision.desired.spec.job.upgradeMode).toBe('stateless');
  });

  it('stays as it was begun until it is stable, and then is as planned', () => {
    const { live, lastGood } = running(before);
    const begun = decide({ planned: planned(another, before), live, lastGood }).desired;
    const pending = decide({
      planned: planned(another, before),
      lastGood,
      live: applied(begun, RESTARTING, 2),
    });
    expect(pending.desired).toEqual(begun);
    expect(pending.condition.reason).toBe('Replaying');
    const done = decide({
      planned: planned(another, before),
      lastGood,
      live: applied(begun, STABLE, 2),
    });
    expect(done.desired).toEqual(decide({ planned: planned(another, before) }).desired);
    expect(done.lastGood).toEqual(plannedRevision(planned(another, before)));
  });

  it('looks again when its time is up, although nothing happens', () => {
    const { live, lastGood } = running(before);
    const begun = decide({ planned: planned(another, before), live, lastGood }).desired;
    const pending = { planned: planned(another, before), lastGood, live: applied(begun, RESTARTING, 2) };
    expect(decide({ ...pending, ageMillis: 100_000 }).requeueAfterMillis).toBe(200_000);
  });
});

describe('an upgrade that does not come up', () => {
  const before = { ...DURABLE, ...boards(10) };
  const bad = { ...before, flink: { ...DURABLE.flink, parallelism: 3 } };
  const { live, lastGood } = running(before);
  const begun = decide({ planned: planned(bad), live, lastGood }).desired;

  it.each([
    ['fails', FAILED, 0, /Failed to execute the script\./],
    [
      'restarts for too long without an error',
      RESTARTING,
      TIMEOUT,
      /did not come up within 300 s: DEPLOYED\/RESTARTING/,
    ],
  ])('because it %s is put back to the last good revision', (_, status, ageMillis, words) => {
    const decision = decide({
      planned: planned(bad),
      lastGood,
      ageMillis,
      live: applied(begun, status, 2),
    });
    expect(decision.desired.spec).toEqual(planned(before).spec);
    expect(decision.lastGood).toEqual(lastGood);
    expect(decision.rolloutComplete).toBe(false);
    expect(decision.condition).toMatchObject({ status: 'False', reason: 'RolledBack' });
    expect(decision.condition.message).toMatch(words);
  });

  it('is not refused because the one before it failed', () => {
    const live = applied(begun, { ...FAILED, lifecycleState: 'UPGRADING', error: undefined }, 2);
    const { condition } = decide({ planned: planned(bad), lastGood, live });
    expect(condition.reason).not.toBe('RolledBack');
  });

  const back = decide({ planned: planned(bad), lastGood, live: applied(begun, FAILED, 2) }).desired;

  it('is not tried again, whatever becomes of the one that was put back', () => {
    for (const status of [STABLE, RESTARTING, FAILED]) {
      const decision = decide({
        planned: planned(bad),
        lastGood,
        ageMillis: 9e9,
        live: applied(back, status, 3),
      });
      expect(decision.desired).toEqual(back);
      expect(decision.condition.reason).toBe('RolledBack');
      expect(decision.condition.message).toContain('Failed to execute the script.');
    }
  });

  it('is not tried again when nobody remembers the last good revision but the job itself', () => {
    const decision = decide({ planned: planned(bad), lastGood: undefined, live: applied(back, STABLE, 3) });
    expect(decision.desired.spec).toEqual(back.spec);
  });

  it('runs as the one before it once that is stable', () => {
    const decision = decide({ planned: planned(bad), lastGood, live: applied(back, STABLE, 3) });
    expect(decision.condition.status).toBe('True');
  });

  it('is forgotten when the spec changes back', () => {
    const decision = decide({ planned: planned(before), lastGood, live: applied(back, STABLE, 3) });
    expect(decision.desired).toEqual(decide({ planned: planned(before) }).desired);
    expect(decision).toMatchObject({ rolloutComplete: true, condition: { reason: 'Running' } });
  });

  it('gives way to another change', () => {
    const decision = decide({
      planned: planned({ ...DURABLE, ...boards(4) }),
      lastGood,
      live: applied(back, STABLE, 3),
    });
    expect(decision.desired.metadata.annotations).not.toHaveProperty('gameanalytics.dev/refused-revision');
    expect(decision.desired.spec).toEqual(planned({ ...DURABLE, ...boards(4) }).spec);
  });

  it('goes back without a state when it was begun without one, since that is lost', () => {
    const another = { ...before, events: { maxLateness: '9s' } };
    const replaying = decide({ planned: planned(another, before), live, lastGood }).desired;
    const failed = { planned: planned(another, before), lastGood, live: applied(replaying, FAILED, 2) };
    const undone = decide(failed).desired;
    expect(undone.spec.job.upgradeMode).toBe('stateless');
    const stable = decide({ ...failed, live: applied(undone, STABLE, 3) });
    expect(stable.desired.spec.job.upgradeMode).toBe('savepoint');
  });
});

describe('a job that was once stable', () => {
  const { live, lastGood } = running(DURABLE);

  it.each([
    [RESTARTING, 'Restarting'],
    [FAILED, 'Failed'],
  ])('and is not any more is left to Flink, however long', (status, reason) => {
    const decision = decide({
      planned: planned(DURABLE),
      lastGood,
      ageMillis: 9e9,
      live: applied(live as unknown as FlinkDeployment, status),
    });
    expect(decision.desired.spec).toEqual(planned(DURABLE).spec);
    expect(decision.condition).toMatchObject({ status: 'False', reason });
    expect(decision.requeueAfterMillis).toBeUndefined();
  });

  it('is being restarted, and not in error, while a new JobManager does not know it yet', () => {
    const status = {
      ...{ lifecycleState: 'STABLE', jobManagerDeploymentStatus: 'READY' },
      ...{ jobStatus: { state: 'RECONCILING' }, error: 'Job Not Found' },
    };
    const restarted = applied(live as unknown as FlinkDeployment, status);
    expect(decide({ planned: planned(DURABLE), lastGood, live: restarted }).condition).toMatchObject({
      reason: 'Restarting',
      message: 'The job is being restarted: STABLE/READY/RECONCILING',
    });
  });

  it('is still well while the Flink operator has not answered to what changes nothing', () => {
    const changed = { ...live, metadata: { ...live.metadata, generation: 7 } };
    expect(decide({ planned: planned(DURABLE), lastGood, live: changed }).condition.reason).toBe('Running');
  });
});
