import { describe, expect, it } from 'vitest';
import { CHILDREN, DEPLOYMENT, EVENT, findKind } from '../../../../operator/kube/kinds.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

describe('the kind of an object', () => {
  it('is identified by its group, version and kind together', () => {
    expect(findKind({ apiVersion: 'apps/v1', kind: 'Deployment' })).toBe(DEPLOYMENT);
    expect(findKind({ apiVersion: 'events.k8s.io/v1', kind: 'Event' })).toBe(EVENT);
    expect(() => findKind({ apiVersion: 'v1', kind: 'Event' })).toThrow('v1 Event is not a kind');
  });
});

it('every kind of a plan is among the children, so that it is watched and pruned', () => {
  const everything = resource({
    kafka: { cluster: 'games', authentication: { type: 'tls' } },
    injector: {},
    dashboard: { ingress: { host: 'games.example' } },
  });
  const environment = { bootstrapServers: 'kafka:9093', appImage: 'app', flinkImage: 'flink' };
  const kinds = new Set(plan(everything, environment).map(findKind));
  expect([...kinds].filter((kind) => !CHILDREN.includes(kind))).toEqual([]);
  // All but the last good revision, which the operator adds.
  expect(kinds.size).toBe(CHILDREN.length - 1);
});
