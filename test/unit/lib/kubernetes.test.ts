import { expect, it } from 'vitest';
import { kubernetesEvent, microTime } from '../../../lib/kubernetes.ts';

it('a time has six digits of a second', () => {
  expect(microTime(new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)))).toBe('2026-01-02T03:04:05.006000Z');
});

it('an event is cut to what the API server takes', () => {
  const regarding = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', uid: 'u' } };
  const words = { type: 'Normal', reason: 'R', action: 'A', note: 'n'.repeat(2000) } as const;
  const reporter = { controller: 'c', instance: 'i'.repeat(200) };
  const event = kubernetesEvent(regarding, words, reporter, new Date(0));
  expect([event.note.length, event.reportingInstance.length]).toEqual([1000, 128]);
});
