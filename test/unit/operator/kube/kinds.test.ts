import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, EVENT, kindOf } from '../../../../operator/kube/kinds.ts';

describe('the kind of an object', () => {
  it('is identified by its group, version and kind together', () => {
    expect(kindOf({ apiVersion: 'apps/v1', kind: 'Deployment' })).toBe(DEPLOYMENT);
    expect(kindOf({ apiVersion: 'events.k8s.io/v1', kind: 'Event' })).toBe(EVENT);
    expect(() => kindOf({ apiVersion: 'v1', kind: 'Event' })).toThrow('v1 Event is not a kind');
  });
});
