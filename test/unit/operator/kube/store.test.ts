import { describe, expect, it } from 'vitest';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import { Store } from '../../../../operator/kube/store.ts';
import { namesOf, topic } from './objects.ts';

const byOwner = ({ metadata }: LiveObject) => metadata.labels?.owner;
const owned = (name: string, version: number, owner: string) => topic(name, version, { labels: { owner } });
const versionOf = (store: Store, name: string) => store.get('games', name)?.metadata.resourceVersion;

/** A store as a list left it. */
function listed(version: number, ...objects: LiveObject[]): Store {
  const store = new Store(byOwner);
  for (const object of objects) store.listed(object);
  store.retain(new Set(objects.map(({ metadata }) => metadata.uid)), String(version));
  return store;
}

describe('the store', () => {
  it('finds objects by name and by group', () => {
    const store = listed(
      5,
      owned('a', 1, 'arcade'),
      owned('b', 2, 'arcade'),
      owned('c', 3, 'chess'),
      topic('d', 4),
    );
    expect(store.get('games', 'a')?.metadata.uid).toBe('uid-of-a');
    expect(store.get('other', 'a')).toBeUndefined();
    expect(namesOf(store.byIndex('arcade'))).toEqual(['a', 'b']);
    expect(store.byIndex('nobody')).toEqual([]);
    expect(namesOf(store.values())).toEqual(['a', 'b', 'c', 'd']);
    expect(store.size).toBe(4);
  });

  it('moves an object from group to group', () => {
    const store = listed(5, owned('a', 1, 'arcade'));
    store.changed(owned('a', 6, 'chess'));
    expect([namesOf(store.byIndex('arcade')), namesOf(store.byIndex('chess'))]).toEqual([[], ['a']]);
    store.changed(topic('a', 7));
    expect(store.byIndex('chess')).toEqual([]);
    store.deleted(topic('a', 8));
    expect(store.size).toBe(0);
  });

  it('holds no managed fields', () => {
    const managedFields = [{ manager: 'kubectl', operation: 'Apply' as const, apiVersion: 'v1' }];
    const store = new Store();
    const given = topic('a', 1, { managedFields });
    store.put(given);
    expect(store.get('games', 'a')).toEqual(topic('a', 1));
    expect(given.metadata.managedFields).toBe(managedFields);
  });

  it('compares versions as numbers, also those that no JavaScript number can be', () => {
    const store = listed(1, topic('a', 1));
    for (const resourceVersion of ['9', '10', '9007199254740993', '9007199254740992'])
      store.put(topic('a', 0, { resourceVersion }));
    expect(versionOf(store, 'a')).toBe('9007199254740993');
  });

  it('shows our own write before the watch tells it, which is then no news', () => {
    const store = listed(5, topic('a', 1));
    expect(store.put(topic('a', 7))).toEqual(topic('a', 1));
    expect(store.changed(topic('a', 6))).toBeUndefined();
    expect(store.changed(topic('a', 7))).toBeUndefined();
    expect(store.changed(topic('a', 8))).toEqual({ object: topic('a', 8), previous: topic('a', 7) });
  });

  it('keeps what the watch told when the answer to our own write comes late', () => {
    const store = listed(5, topic('a', 1));
    store.changed(topic('a', 7));
    expect(store.put(topic('a', 6))).toEqual(topic('a', 7));
    expect(versionOf(store, 'a')).toBe('7');
  });

  it('does not bring back what the watch told to be deleted when the answer to our own write comes late', () => {
    const store = listed(5, topic('a', 1));
    expect(store.deleted(topic('a', 7))).toEqual(topic('a', 1));
    store.put(topic('a', 6));
    expect(store.size).toBe(0);
  });

  it('does not bring back what we deleted when the watch tells of its past', () => {
    const store = listed(5, topic('a', 1));
    store.put(topic('a', 7));
    store.remove(topic('a', 7));
    expect(store.changed(topic('a', 6))).toBeUndefined();
    expect(store.changed(topic('a', 7))).toBeUndefined();
    expect(store.deleted(topic('a', 8))).toBeUndefined();
    expect(store.size).toBe(0);
  });

  it('does not bring back what we deleted by a list that was made before', () => {
    const store = listed(5, topic('a', 1));
    store.remove(topic('a', 1));
    store.listed(topic('a', 1));
    store.retain(new Set(['uid-of-a']), '6');
    expect(store.size).toBe(0);
    expect(store.deleted(topic('a', 7))).toBeUndefined();
  });

  it('shows again what we deleted while a finalizer holds it', () => {
    const terminating = topic('a', 6, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const late = listed(5, topic('a', 1));
    late.remove(topic('a', 1));
    expect(late.changed(terminating)?.object).toEqual(terminating);
    expect(late.deleted(topic('a', 8))).toEqual(terminating);

    const early = listed(5, topic('a', 1));
    early.changed(terminating);
    early.remove(topic('a', 1));
    expect(early.get('games', 'a')).toEqual(terminating);
  });

  it('takes another object of the same name for another object', () => {
    const store = listed(5, topic('a', 1));
    store.remove(topic('a', 1));
    store.put(topic('a', 8, { uid: 'second' }));
    expect(store.deleted(topic('a', 7))).toBeUndefined();
    expect(store.get('games', 'a')?.metadata.uid).toBe('second');
    expect(store.changed(topic('a', 9, { uid: 'second' }))?.previous?.metadata.uid).toBe('second');
  });

  it('ignores events that come a second time', () => {
    const store = listed(5, topic('a', 1));
    store.deleted(topic('a', 7));
    expect(store.changed(topic('a', 6))).toBeUndefined();
    store.changed(topic('a', 8, { uid: 'second' }));
    expect(store.deleted(topic('a', 7, { uid: 'second' }))).toBeUndefined();
    expect(versionOf(store, 'a')).toBe('8');
  });

  it('takes back an object whose labels make it belong again', () => {
    const store = listed(5, topic('a', 1));
    store.deleted(topic('a', 6)); // It no longer matches the selector, but lives on with the same uid.
    expect(store.changed(topic('a', 7))?.object.metadata.resourceVersion).toBe('7');
  });

  it('is what a new list says, and tells the deletions that no event told', () => {
    const store = listed(5, owned('a', 1, 'arcade'), owned('b', 2, 'arcade'), topic('c', 3));
    expect(store.listed(owned('a', 1, 'arcade'))).toBeUndefined();
    expect(store.listed(topic('c', 9, { uid: 'second' }))?.previous).toEqual(topic('c', 3));
    expect(store.retain(new Set(['uid-of-a', 'second']), '10')).toEqual([owned('b', 2, 'arcade')]);
    expect(namesOf(store.byIndex('arcade'))).toEqual(['a']);
    expect(namesOf(store.values())).toEqual(['a', 'c']);
  });

  it('keeps what we wrote after a list was made', () => {
    const store = listed(5, topic('a', 1));
    store.put(topic('b', 11));
    expect(store.retain(new Set(['uid-of-a']), '10')).toEqual([]);
    expect(namesOf(store.values())).toEqual(['a', 'b']);
  });

  it('is empty when the kind itself is gone', () => {
    const store = listed(5, owned('a', 1, 'arcade'));
    expect(store.clear()).toEqual([owned('a', 1, 'arcade')]);
    expect([store.size, store.byIndex('arcade')]).toEqual([0, []]);
  });
});
