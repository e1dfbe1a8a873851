import { compareVersions, type LiveMetadata, type LiveObject, withoutManagedFields } from './object.ts';

/** What an observation changed. */
export interface Change<T> {
  object: T;
  /**
   * What was held under the name before; of another uid when the object was deleted and made again meanwhile.
   */
  previous: T | undefined;
}

/**
 * The objects of one kind as they are known to be, from one watch and from our own writes: the next reconcile
 * sees those before the watch does.
 *
 * The two arrive in any order. All versions of a kind are drawn from one counter, so a few comparisons decide
 * which of two claims is the later one:
 * - what is held only gives way to a newer version;
 * - the watch reports everything in order. An object that it has passed and the store does not hold is
 *   deleted, even if an older answer has it;
 * - what we deleted ourselves stays away until the watch has caught up, but for a version newer than the one
 *   deleted: then a finalizer holds the object.
 */
export class Store<T extends LiveObject = LiveObject> {
  readonly #index: (object: T) => string | undefined;
  readonly #objects = new Map<string, T>();
  readonly #indexed = new Map<string, Map<string, T>>();
  /** What we deleted last under a name, where the watch has not yet reported it. */
  readonly #ownDeletions = new Map<string, LiveMetadata>();
  /** The watch has reported everything up to here. */
  #syncedVersion = '0';

  /** `index` names the group that an object is found under by byIndex; undefined for none. */
  constructor(index: (object: T) => string | undefined = () => undefined) {
    this.#index = index;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** The objects of a group, in no particular order. */
  byIndex(group: string): T[] {
    return [...(this.#indexed.get(group)?.values() ?? [])];
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  /**
   * Takes the answer to a write of our own, unless something newer is known already. Returns what was held
   * before.
   */
  put(object: T): T | undefined {
    const held = this.#objects.get(toKey(object));
    if (held || !this.#isSynced(object)) this.#upsert(object);
    return held;
  }

  /**
   * Takes note that we deleted an object, at the version given. Nothing happens when something newer is held.
   */
  remove(object: LiveObject): void {
    const held = this.#objects.get(toKey(object));
    if (!held || isNewer(held, object)) return;
    this.#delete(held);
    this.#ownDeletions.set(toKey(object), object.metadata);
  }

  /** The watch reports an object's new state. Undefined when that is no news. */
  changed(object: T): Change<T> | undefined {
    if (this.#isSynced(object)) return undefined;
    this.advance(object.metadata.resourceVersion);
    return this.#upsert(object);
  }

  /**
   * The watch reports a deletion. Returns what was held; undefined when it was gone already, or made again
   * since.
   */
  deleted(object: LiveObject): T | undefined {
    if (this.#ownDeletions.get(toKey(object))?.uid === object.metadata.uid)
      this.#ownDeletions.delete(toKey(object));
    this.advance(object.metadata.resourceVersion);
    const held = this.#objects.get(toKey(object));
    if (held?.metadata.uid !== object.metadata.uid || isNewer(held, object)) return undefined;
    this.#delete(held);
    return held;
  }

  /** The watch has reported everything up to this version. */
  advance(resourceVersion: string): void {
    if (compareVersions(resourceVersion, this.#syncedVersion) > 0) this.#syncedVersion = resourceVersion;
  }

  /** Whether the watch has reported something newer than this version. */
  isAheadOf(resourceVersion: string): boolean {
    return compareVersions(this.#syncedVersion, resourceVersion) > 0;
  }

  /** A list has the object. Unlike an event it may be of any age. Undefined when that is no news. */
  listed(object: T): Change<T> | undefined {
    return this.#upsert(object);
  }

  /**
   * A list is complete. Drops what is not among its uids, and is not newer than the list.
   *
   * @returns what was dropped: the deletions that no event reported
   */
  retain(uids: ReadonlySet<string>, resourceVersion: string): T[] {
    this.advance(resourceVersion);
    // A list that still has what we deleted, or had no time to lose it, was made before.
    for (const [key, metadata] of this.#ownDeletions)
      if (this.#isSynced({ metadata }) && !uids.has(metadata.uid)) this.#ownDeletions.delete(key);
    const gone = [...this.#objects.values()].filter(
      ({ metadata }) => !uids.has(metadata.uid) && this.#isSynced({ metadata }),
    );
    for (const object of gone) this.#delete(object);
    return gone;
  }

  /** The kind itself is gone. Returns everything that was held. */
  clear(): T[] {
    const gone = [...this.#objects.values()];
    this.#objects.clear();
    this.#indexed.clear();
    this.#ownDeletions.clear();
    return gone;
  }

  #isSynced({ metadata }: Pick<LiveObject, 'metadata'>): boolean {
    return compareVersions(metadata.resourceVersion, this.#syncedVersion) <= 0;
  }

  #upsert(claimed: T): Change<T> | undefined {
    const previous = this.#objects.get(toKey(claimed));
    const known = previous?.metadata ?? this.#ownDeletions.get(toKey(claimed));
    if (known && compareVersions(claimed.metadata.resourceVersion, known.resourceVersion) <= 0)
      return undefined;
    const object = withoutManagedFields(claimed);
    const key = toKey(object);
    const group = this.#index(object);
    if (previous) this.#delete(previous);
    this.#objects.set(key, object);
    if (group !== undefined) {
      const members = this.#indexed.get(group) ?? new Map<string, T>();
      this.#indexed.set(group, members.set(key, object));
    }
    return { object, previous };
  }

  #delete(object: T): void {
    const key = toKey(object);
    this.#objects.delete(key);
    const group = this.#index(object);
    if (group === undefined) return;
    const members = this.#indexed.get(group);
    members?.delete(key);
    if (!members?.size) this.#indexed.delete(group);
  }
}

function isNewer(a: LiveObject, b: LiveObject): boolean {
  return compareVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) > 0;
}

function toKey({ metadata }: LiveObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
