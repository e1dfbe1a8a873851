import { describe, expect, it } from 'vitest';
import { podStatusOnly, podTroubles } from '../../../../operator/controller/pods.ts';
import { live } from './live.ts';

const pod = (name: string, status: object, labels: Record<string, string> = {}, deletionTimestamp = '') =>
  live(
    'Pod',
    { spec: { containers: [{ name: 'a', env: [{ name: 'KEY', value: 'secret' }] }] }, status },
    {
      name,
      labels: { 'app.kubernetes.io/component': 'flink', ...labels },
      ...(deletionTimestamp && { deletionTimestamp }),
    },
  );

const UNSCHEDULABLE = {
  phase: 'Pending',
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    },
  ],
};
const container = (state: object, lastState: object = {}) => ({
  phase: 'Running',
  containerStatuses: [{ name: 'flink-main-container', state, lastState }],
});
const PULLING = container({
  waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "flink:none"' },
});
const CRASHING = container(
  { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
  { terminated: { reason: 'OOMKilled', exitCode: 137 } },
);

describe('what keeps pods from running', () => {
  it.each([
    ['cannot be scheduled', UNSCHEDULABLE, 'is Pending: 0/1 nodes are available: 1 Insufficient cpu'],
    ['has no image', PULLING, 'is waiting: Back-off pulling image "flink:none"'],
    [
      'ends again and again',
      CRASHING,
      'is waiting: back-off 40s restarting failed container; it ended with exit code 137: OOMKilled',
    ],
    [
      'has ended',
      container({ terminated: { reason: 'Error', exitCode: 1 } }),
      'ended with exit code 1: Error',
    ],
    [
      'was evicted',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'is Failed: The node was low on resource: memory',
    ],
  ])('is reported of a TaskManager that %s', (_, status, words) => {
    const taskManager = pod('arcade-job-taskmanager-1-1', status, { component: 'taskmanager' });
    expect(podTroubles([taskManager], 'flink')).toBe(`TaskManager arcade-job-taskmanager-1-1 ${words}`);
  });

  it.each([
    ['runs', container({ running: {} })],
    ['runs again', container({ running: {} }, { terminated: { exitCode: 1 } })],
    ['is on its way', { ...container({ waiting: { reason: 'ContainerCreating' } }), phase: 'Pending' }],
    ['was not looked at yet', {}],
    ['has done what it had to', container({ terminated: { reason: 'Completed', exitCode: 0 } })],
  ])('is nothing when a pod %s', (_, status) => {
    expect(podTroubles([pod('a', status)], 'flink')).toBe('');
  });

  it('is reported of the component’s own pods, by their names, and not of terminating ones', () => {
    const pods = [
      pod('b', PULLING, { component: 'jobmanager' }),
      pod('a', UNSCHEDULABLE),
      pod('c', PULLING, {}, '2026-11-28T08:00:00Z'),
      pod('d', PULLING, { 'app.kubernetes.io/component': 'dashboard' }),
    ];
    expect(podTroubles(pods, 'flink')).toBe(
      'Pod a is Pending: 0/1 nodes are available: 1 Insufficient cpu; JobManager b is waiting: Back-off pulling image "flink:none"',
    );
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => pod(name, PULLING));
    expect(podTroubles(many, 'flink')).toMatch(/; 2 more pods$/);
  });
});

it('of a pod nothing is kept but what is read', () => {
  const kept = podStatusOnly(pod('a', PULLING, { component: 'jobmanager' }));
  expect(JSON.stringify(kept)).not.toContain('secret');
  expect(podTroubles([kept], 'flink')).toBe(
    podTroubles([pod('a', PULLING, { component: 'jobmanager' })], 'flink'),
  );
});
