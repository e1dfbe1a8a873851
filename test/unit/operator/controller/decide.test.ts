import { describe, expect, it } from 'vitest';
import { withAppliedHash } from '../../../../operator/controller/children.ts';
import { type Decision, decide, sortPlan } from '../../../../operator/controller/decide.ts';
import type { Observed } from '../../../../operator/controller/observe.ts';
import { plannedRevision, type Revision } from '../../../../operator/controller/revision.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import type { KafkaUser, KubernetesObject } from '../../../../plan/objects.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';
import { live } from './live.ts';

const GAME = live('GameAnalytics', {}, { name: 'game', namespace: 'arcades', uid: 'game' });
const SIGNED_IN = { kafka: { cluster: 'games', authentication: { type: 'tls' } } };
const boards = (...names: string[]) => ({
  ...SIGNED_IN,
  leaderboards: names.map((name) => ({ name, type: 'TopTeams' })),
});
const READY = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const STABLE = { observedGeneration: 1, lifecycleState: 'STABLE', jobStatus: { state: 'RUNNING' } };

const objectsOf = (spec: Record<string, unknown>) =>
  plan(resource(spec, 'game', { namespace: 'arcades', uid: 'game' }), {
    bootstrapServers: 'kafka:9093',
    appImage: 'app',
    flinkImage: 'flink',
  });
const sorted = (spec: Record<string, unknown>) => sortPlan(objectsOf(spec));

/** The objects of a plan as the cluster has them once all controllers have answered. */
function applied(objects: KubernetesObject[], status: object = READY): LiveObject[] {
  return objects.map(withAppliedHash).map((object) => ({
    ...object,
    metadata: { ...object.metadata, uid: object.metadata.name, resourceVersion: '1', generation: 1 },
    status,
  }));
}

function observed(children: LiveObject[], job?: LiveObject, lastGood?: Revision): Observed {
  return { children: job ? [...children, job] : children, pods: [], job, lastGood, servesFlink: true };
}

/** What is decided where all of a spec is applied but the job. */
function decideWithoutJob(children: LiveObject[], facts: Partial<Observed> = {}): Decision {
  return decideFor(boards('a'), { ...observed(children), ...facts });
}

function decideFor(spec: Record<string, unknown>, there: Observed): Decision {
  const parts = { resource: GAME, now: new Date(0), upgradeTimeoutMillis: 1_000 };
  return decide(sorted(spec), there, parts);
}

const names = (objects: { kind: string; metadata: { name: string } }[]) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const topicsIn = ({ spec }: KafkaUser) =>
  spec.authorization.acls.flatMap(({ resource: { type, name } }) => (type === 'topic' ? [name] : []));

describe('a plan', () => {
  it('has its job and users apart, and its topics among the supporting objects', () => {
    const { supporting, topics, users, job } = sorted(boards('a'));
    expect(job.kind).toBe('FlinkDeployment');
    expect(new Set(users.map(({ kind }) => kind))).toEqual(new Set(['KafkaUser']));
    expect(names(supporting)).toEqual(expect.arrayContaining(names(topics)));
    expect([...supporting, ...users, job]).toHaveLength(objectsOf(boards('a')).length);
  });

  it('without a job is a mistake', () => {
    expect(() => sortPlan([])).toThrow('no job');
  });
});

describe('the job', () => {
  const { supporting, users } = sorted(boards('a'));
  const ready = applied([...supporting, ...users]);

  it('is applied once topics and users are ready', () => {
    expect(names(decideWithoutJob(ready).apply)).toEqual(['FlinkDeployment game-job']);
  });

  it.each([
    ['KafkaTopic game-a', 'KafkaTopic game-a: Strimzi has not answered yet.'],
    ['KafkaUser game-flink-kafka', 'KafkaUser game-flink-kafka: Strimzi has not answered yet.'],
  ])('waits for %s, and says so', (name, message) => {
    const children = ready.filter((object) => !names([object]).includes(name));
    const decision = decideWithoutJob(children);
    expect(decision.apply).toEqual([]);
    expect(decision.job.message).toBe(`The job is started once Kafka is set up for it. ${message}`);
  });

  it('that has all it should does not wait, whatever has happened to a topic', () => {
    const [job] = applied(decideWithoutJob(ready).apply, STABLE);
    const lost = ready.filter(({ kind }) => kind !== 'KafkaTopic');
    const decision = decideFor(boards('a'), observed(lost, job));
    expect(decision.topics.status).toBe('False');
    expect(decision.job.reason).toBe('Running');
  });

  it('is not applied where the cluster does not know FlinkDeployments', () => {
    const decision = decideWithoutJob(ready, { servesFlink: false });
    expect(decision.apply).toEqual([]);
    expect(decision.job.reason).toBe('FlinkOperatorMissing');
  });
});

describe('what a removed board needed', () => {
  const before = sorted(boards('a', 'b'));
  const after = boards('a');
  const children = applied([...before.supporting, ...before.users]);
  const lastGood = plannedRevision(before.job);

  it('stays until the job has been replaced', () => {
    const [job] = applied(decideFor(boards('a', 'b'), observed(children)).apply, STABLE);
    const { prune, revoke } = decideFor(after, observed(children, job, lastGood));
    expect(prune).toEqual([]);
    expect(revoke).toEqual([]);
  });

  it('goes then: its topic, and all rights to it', () => {
    const [, job] = applied(decideFor(after, observed(children, undefined, lastGood)).apply, STABLE);
    const { prune, revoke } = decideFor(after, observed(children, job, lastGood));
    expect(names(prune)).toEqual(['KafkaTopic game-b']);
    expect(names(revoke)).toEqual(['KafkaUser game-flink-kafka', 'KafkaUser game-dashboard-kafka']);
    for (const user of revoke) expect(topicsIn(user)).not.toContain('game-b');
  });
});
