import { describe, expect, it } from 'vitest';
import {
  matchByName,
  needsWrite,
  toPrune,
  withAppliedHash,
} from '../../../../operator/controller/children.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import type { KubernetesObject } from '../../../../plan/objects.ts';
import { live } from './live.ts';

const service = (name: string, spec: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, labels: {} },
  spec,
});

it('a desired object and its live one have the same kind and name', () => {
  const found = live('Service', {}, { name: 'a' });
  const children = [found, live('Deployment', {}, { name: 'b' })];
  expect(matchByName([service('a'), service('b')], children).map((child) => child.live)).toEqual([
    found,
    undefined,
  ]);
});

describe('an object is written', () => {
  const desired = withAppliedHash(service('a', { type: 'ClusterIP' }));
  const applied = { ...desired, metadata: { ...desired.metadata, uid: '1', resourceVersion: '1' } };

  it('when it is not there, or has something else', () => {
    expect(needsWrite({ desired, live: undefined })).toBe(true);
    expect(needsWrite({ desired, live: { ...applied, spec: { type: 'NodePort' } } })).toBe(true);
  });

  it('when it has what we no longer want, which only the digest tells', () => {
    const less = withAppliedHash(service('a'));
    expect(needsWrite({ desired: less, live: applied })).toBe(true);
  });

  it('once', () => {
    expect(needsWrite({ desired, live: applied })).toBe(false);
    expect(needsWrite({ desired, live: { ...applied, status: { by: 'others' } } })).toBe(false);
  });
});

describe('an object is pruned', () => {
  const owner = (uid: string, controller = true) => ({
    ownerReferences: [{ apiVersion: 'v1', kind: 'GameAnalytics', name: 'game', uid, controller }],
  });
  const pruned = (object: LiveObject) => toPrune([service('a')], [object], 'me').length > 0;

  it('when the resource owns it and no longer wants it', () => {
    expect(pruned(live('Service', {}, { name: 'b', ...owner('me') }))).toBe(true);
    expect(pruned(live('Service', {}, { name: 'a', ...owner('me') }))).toBe(false);
  });

  it.each([
    ['has no owner, as a retained topic', {}],
    ['belongs to another resource', owner('other')],
    ['is not controlled by the resource', owner('me', false)],
    ['is being deleted', { ...owner('me'), deletionTimestamp: 'now' }],
  ])('not when it %s', (_, metadata) => {
    expect(pruned(live('Service', {}, { name: 'b', ...metadata }))).toBe(false);
  });
});
