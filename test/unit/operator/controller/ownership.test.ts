import { describe, expect, it } from 'vitest';
import { findOwnership } from '../../../../operator/controller/ownership.ts';
import type { LiveMetadata } from '../../../../operator/kube/object.ts';
import { live } from './live.ts';

const ME = live('GameAnalytics', {}, { name: 'game', uid: 'me' }).metadata;
const owner = (uid: string, kind = 'GameAnalytics', name = 'game') => ({
  ownerReferences: [{ apiVersion: 'v1', kind, name, uid, controller: true }],
});
const labels = (instance: string) => ({
  labels: {
    'app.kubernetes.io/managed-by': 'gameanalytics-operator',
    'app.kubernetes.io/instance': instance,
  },
});
const manager = (name: string, operation: 'Apply' | 'Update' = 'Apply') => ({
  managedFields: [{ manager: name, operation, apiVersion: 'v1' }],
});

describe('an object of a name we want', () => {
  it.each<[string, string, Partial<LiveMetadata>]>([
    ['ours', 'we control it', owner('me')],
    ['ours', 'we control it and someone has taken the labels off', { ...owner('me'), labels: {} }],
    ['predecessor', 'a resource of our name controlled it that was deleted', owner('before')],
    ['foreign', 'another resource controls it', owner('other', 'GameAnalytics', 'game-2')],
    ['foreign', 'something else controls it', owner('other', 'Deployment')],
    ['ours', 'it is a retained topic of that name', labels('game')],
    ['foreign', 'it is a retained topic of another resource', labels('game-2')],
    ['foreign', 'nobody has labelled it', {}],
    ['foreign', 'another tool has applied it', manager('kubectl')],
    ['ours', 'we have applied it and someone has taken the labels off', manager('gameanalytics-operator')],
  ])('is %s when %s', (whose, _, metadata) => {
    expect(findOwnership(live('KafkaTopic', {}, metadata), ME)).toBe(whose);
  });
});
