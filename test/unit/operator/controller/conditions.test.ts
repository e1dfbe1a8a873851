import { describe, expect, it } from 'vitest';
import {
  deploymentCondition,
  topicsCondition,
  usersCondition,
} from '../../../../operator/controller/conditions.ts';
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
    expect(topicsCondition([topic('b', ready), other])).toMatchObject({ status: 'False', reason: 'Pending' });
  });
});

describe('users', () => {
  it('are not wanted where nobody signs in', () => {
    expect(usersCondition([])).toMatchObject({ status: 'True', reason: 'NotWanted' });
  });

  it('are ready once Strimzi says so of each, and a rejection is quoted', () => {
    expect(usersCondition([child('KafkaUser', 'a', ready)])).toMatchObject({
      status: 'True',
      reason: 'Available',
    });
    expect(usersCondition([child('KafkaUser', 'a')])).toMatchObject({ status: 'False', reason: 'Pending' });
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
    expect(deploymentCondition(app(status), '')).toMatchObject({ status: 'False', reason: 'Pending' });
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
