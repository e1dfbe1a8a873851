import { describe, expect, it } from 'vitest';
import {
  computeConditions,
  deploymentCondition,
  type Findings,
  topicsCondition,
  usersCondition,
  waitingConditions,
} from '../../../../operator/controller/conditions.ts';
import { conditionFalse, conditionTrue } from '../../../../operator/controller/status.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';
import { live } from './live.ts';

const desired = (name: string, kind = 'Any') => ({ apiVersion: 'v1', kind, metadata: { name, labels: {} } });
const child = (kind: string, name: string, status?: object, metadata = {}) => ({
  desired: desired(name, kind),
  live: live(kind, { status }, { name, ...metadata }),
});
const topic = (name: string, status?: object, metadata = {}) => child('KafkaTopic', name, status, metadata);
const ready = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const refused = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'NotSupported',
      message: 'Decreasing partitions not supported',
    },
  ],
};

describe('topics', () => {
  it('are there once Strimzi says so of each', () => {
    expect(topicsCondition([topic('a', ready), topic('b', ready)])).toMatchObject({ status: 'True' });
  });

  it('that Strimzi rejects are reported before those it has not seen, in its words', () => {
    const state = topicsCondition([topic('a'), topic('b', refused)]);
    expect(state).toMatchObject({ status: 'False', reason: 'NotReady' });
    expect(state.message).toBe('KafkaTopic b: NotSupported: Decreasing partitions not supported');
  });

  it.each([
    ['is not there', { desired: desired('a'), live: undefined }],
    ['has no status', topic('a')],
    ['was answered for an earlier spec', topic('a', ready, { generation: 2 })],
    ['is being deleted', topic('a', ready, { deletionTimestamp: 'now' })],
  ])('are pending while one %s', (_, other) => {
    expect(topicsCondition([topic('b', ready), other])).toMatchObject({
      status: 'False',
      reason: 'Progressing',
    });
  });
});

describe('users', () => {
  it('are not wanted where nobody signs in', () => {
    expect(usersCondition([])).toMatchObject({ status: 'True', reason: 'Disabled' });
  });

  it('are ready once Strimzi says so of each, and a rejection is quoted', () => {
    expect(usersCondition([child('KafkaUser', 'a', ready)])).toMatchObject({
      status: 'True',
      reason: 'Available',
    });
    expect(usersCondition([child('KafkaUser', 'a')])).toMatchObject({
      status: 'False',
      reason: 'Progressing',
    });
    const conditions = [
      { type: 'NotReady', status: 'True', reason: 'InvalidResourceException', message: 'no ACLs here' },
    ];
    const state = usersCondition([child('KafkaUser', 'a', { observedGeneration: 1, conditions })]);
    expect(state.message).toBe('KafkaUser a: InvalidResourceException: no ACLs here');
  });
});

describe('a program', () => {
  const app = (status?: object, replicas = 2) => ({
    desired: desired('game-dashboard'),
    live: live('Deployment', { spec: { replicas }, status }),
  });
  const done = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

  it('is available once every copy is the new one and answers', () => {
    expect(deploymentCondition(app(done), '')).toMatchObject({ status: 'True', reason: 'Available' });
    expect(deploymentCondition(app({ observedGeneration: 1 }, 0), '')).toMatchObject({ status: 'True' });
  });

  it.each([
    ['has not been seen', undefined],
    ['was seen before it changed', { ...done, observedGeneration: 0 }],
    ['has old copies left', { ...done, replicas: 3 }],
    ['has not updated all', { ...done, updatedReplicas: 1 }],
    ['does not answer', { ...done, availableReplicas: 1 }],
  ])('is pending while it %s', (_, status) => {
    expect(deploymentCondition(app(status), '')).toMatchObject({ status: 'False', reason: 'Progressing' });
  });

  it('is not said to be there while an old copy is', () => {
    const state = deploymentCondition(
      app({ ...done, replicas: 2, updatedReplicas: 1, availableReplicas: 1 }, 1),
      '',
    );
    expect(state.message).toBe('Deployment game-dashboard: 1 of 1 updated, waiting for 1 old to go.');
  });

  it('whose pods do not start says why', () => {
    const state = deploymentCondition(
      app({ ...done, availableReplicas: 1 }),
      'Pod a is waiting: no such image',
    );
    expect(state).toEqual({
      status: 'False',
      reason: 'NotReady',
      message: 'Deployment game-dashboard: 2 of 2 updated, 1 available. Pod a is waiting: no such image',
    });
  });

  it.each([
    [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' }],
    [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }],
  ])('that stalls is reported in Kubernetes’ words', (condition) => {
    const state = deploymentCondition(app({ ...done, updatedReplicas: 0, conditions: [condition] }), '');
    expect(state.reason).toBe('NotReady');
    expect(state.message).toContain(`${condition.reason}: ${condition.message}`);
  });
});

describe('a pipeline', () => {
  const AVAILABLE = conditionTrue('Available', 'there');
  const rolledOut = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const dashboard = live(
    'Deployment',
    { spec: { replicas: 1 }, status: rolledOut },
    { name: 'game-dashboard' },
  );
  const game = (spec = {}) => resource(spec);

  function compute(findings: Partial<Findings> = {}, spec = {}) {
    const environment = { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' };
    return computeConditions(game(spec), {
      planned: plan(game(spec), environment),
      observed: { children: [dashboard], pods: [], job: undefined, lastGood: undefined, servesFlink: true },
      kafka: AVAILABLE,
      schema: AVAILABLE,
      topics: AVAILABLE,
      users: AVAILABLE,
      job: conditionTrue('Running', 'runs'),
      problems: [],
      conflicts: [],
      ...findings,
    });
  }

  it('is ready when every part is, and one that the spec does not ask for is in nobody’s way', () => {
    expect(compute()).toMatchObject({
      Ready: { status: 'True', reason: 'Ready' },
      InjectorReady: { status: 'True', reason: 'Disabled', message: 'The spec asks for no injector.' },
      DashboardReady: { status: 'True', reason: 'Available' },
    });
    expect(compute()).not.toHaveProperty('FieldConflict');
  });

  it('speaks with the first part that is not as the spec wants it', () => {
    const states = compute({ topics: conditionFalse('NotReady', 'no'), job: conditionFalse('Failed', 'x') });
    expect(states.Ready).toEqual(conditionFalse('NotReady', 'TopicsReady: no'));
  });

  it('is not ready with the job of an earlier spec, although that runs', () => {
    const states = compute({ job: conditionTrue('RolledBack', 'put back') });
    expect(states).toMatchObject({ JobRunning: { status: 'True' }, Ready: { status: 'False' } });
    expect(states.Ready?.reason).toBe('RolledBack');
  });

  it('says which boards would miss events that Kafka no longer keeps, while that matters', () => {
    const weekly = { name: 'weekly', type: 'TopTeams', calendar: { every: 'Week' } };
    const spec = { leaderboards: [weekly], flink: { state: { claim: 'flink' } } };
    const { JobRunning, Ready } = compute({}, spec);
    expect(JobRunning).toEqual(
      conditionTrue(
        'Running',
        'runs Kafka keeps events for 24h (events.retention): recomputed, weekly would miss what is older.',
      ),
    );
    expect(Ready?.message).toBe('The pipeline is live.');
    const failed = conditionFalse('Failed', 'x');
    expect(compute({ job: failed }, spec).JobRunning).toEqual(failed);
    expect(compute({}, { ...spec, events: { retention: '15d' } }).JobRunning?.message).toBe('runs');
  });

  it('has a part whose objects could not be written say so', () => {
    const condition = conditionFalse('ApplyFailed', 'Service game-dashboard: no');
    const states = compute({ problems: [{ component: 'dashboard', condition }] });
    expect(states.DashboardReady).toEqual(condition);
    expect(states.Ready?.message).toBe('DashboardReady: Service game-dashboard: no');
  });

  it('shows an object that Strimzi rejects, although another of the part takes its time', () => {
    const condition = conditionFalse('Progressing', 'KafkaUser b is made once KafkaTopic c is ready.');
    const problems = [{ component: 'users' as const, condition }];
    const rejected = conditionFalse('NotReady', 'KafkaUser a: no');
    expect(compute({ problems, users: rejected }).UsersReady).toEqual(rejected);
    expect(compute({ problems, users: conditionFalse('Progressing', 'a') }).UsersReady).toEqual(condition);
    expect(compute({ problems }).UsersReady).toEqual(condition);
  });

  it('says who had changed what', () => {
    const conflicts = [{ manager: 'kubectl', field: '.spec.image', object: 'Deployment game-dashboard' }];
    expect(compute({ conflicts }).FieldConflict).toEqual(
      conditionTrue(
        'FieldManagerConflict',
        'kubectl had changed .spec.image of Deployment game-dashboard; it was set back.',
      ),
    );
  });

  it('that is paused is not ready, whatever its parts are', () => {
    expect(compute({}, { paused: true })).toMatchObject({
      Ready: { status: 'False', reason: 'Paused' },
      DashboardReady: { status: 'True' },
    });
  });

  it('without an address of Kafka is unknown in all other parts', () => {
    const { Ready, KafkaReady, ...others } = waitingConditions(
      game(),
      { KafkaReady: conditionFalse('KafkaMissing', 'none') },
      'Kafka',
    );
    expect(Ready).toEqual(conditionFalse('KafkaMissing', 'KafkaReady: none'));
    expect(KafkaReady?.reason).toBe('KafkaMissing');
    expect(Object.entries(others).map(([type, state]) => `${type} ${state?.status}`)).toEqual([
      'SchemaReady Unknown',
      'TopicsReady Unknown',
      'UsersReady Unknown',
      'JobRunning Unknown',
      'InjectorReady Unknown',
      'DashboardReady Unknown',
      'ResultsReady Unknown',
      'HistoryReady Unknown',
    ]);
  });
});
