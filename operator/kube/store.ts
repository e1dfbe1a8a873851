import { type LiveMetadata, type LiveObject, withoutManagedFields } from './object.ts';
import { compareVersions } from './resource-version.ts';

/** What an observation changed. */
export interface Change<T> {
  object: T;
  /**
   * What was held under the name before; of another uid when the object was deleted and made again meanwhile.
   */
  previous: T | undefined;
}

/**
 * The objects of one kind as they are known to be: told by one watch, and by our own writes, so that the next
 * reconcile sees them before the watch does.
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
  /** What we deleted last under a name, where the watch has not yet told so. */
  readonly #deleted = new Map<string, LiveMetadata>();
  /** The watch has told everything up to here. */
  #told = '0';

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
    const held = this.#objects.get(keyOf(object));
    if (held || !this.#isTold(object)) this.#take(object);
    return held;
  }

  /**
   * Takes note that we deleted an object, at the version given. Nothing happens when something newer is held.
   */
  remove(object: LiveObject): void {
    const held = this.#objects.get(keyOf(object));
    if (!held || isNewer(held, object)) return;
    this.#drop(held);
    this.#deleted.set(keyOf(object), object.metadata);
  }

  /** The watch tells of an object's new state. Undefined when that is no news. */
  changed(object: T): Change<T> | undefined {
    if (this.#isTold(object)) return undefined;
    this.caughtUp(object.metadata.resourceVersion);
    return this.#take(object);
  }

  /**
   * The watch tells of a deletion. Returns what was held; undefined when it was gone already, or made again
   * since.
   */
  deleted(object: LiveObject): T | undefined {
    if (this.#deleted.get(keyOf(object))?.uid === object.metadata.uid) this.#deleted.delete(keyOf(object));
    this.caughtUp(object.metadata.resourceVersion);
    const held = this.#objects.get(keyOf(object));
    if (held?.metadata.uid !== object.metadata.uid || isNewer(held, object)) return undefined;
    this.#drop(held);
    return held;
  }

  /** The watch has told everything up to this version. */
  caughtUp(resourceVersion: string): void {
    if (compareVersions(resourceVersion, this.#told) > 0) this.#told = resourceVersion;
  }

  /** Whether the watch has told something newer than this version. */
  isBeyond(resourceVersion: string): boolean {
    return compareVersions(this.#told, resourceVersion) > 0;
  }

  /** A list has the object. Unlike an event it may be of any age. Undefined when that is no news. */
  listed(object: T): Change<T> | undefined {
    return this.#take(object);
  }

  /**
   * A list is complete. Drops what is not among its uids, and is not newer than the list.
   *
   * @returns what was dropped: the deletions that no event told
   */
  settle(uids: ReadonlySet<string>, resourceVersion: string): T[] {
    this.caughtUp(resourceVersion);
    this.#forgetDeleted(uids);
    const gone = [...this.#objects.values()].filter(
      ({ metadata }) => !uids.has(metadata.uid) && this.#isTold({ metadata }),
    );
    for (const object of gone) this.#drop(object);
    return gone;
  }

  /** The kind itself is gone. Returns everything that was held. */
  clear(): T[] {
    const gone = [...this.#objects.values()];
    this.#objects.clear();
    this.#indexed.clear();
    this.#deleted.clear();
    return gone;
  }

  /** A list that still has what we deleted, or had no time to lose it, was made before. */
  #forgetDeleted(listed: ReadonlySet<string>): void {
    for (const [key, metadata] of this.#deleted)
      if (this.#isTold({ metadata }) && !listed.has(metadata.uid)) this.#deleted.delete(key);
  }

  #isTold({ metadata }: Pick<LiveObject, 'metadata'>): boolean {
    return compareVersions(metadata.resourceVersion, this.#told) <= 0;
  }

  #take(claimed: T): Change<T> | undefined {
    const previous = this.#objects.get(keyOf(claimed));
    const known = previous?.metadata ?? this.#deleted.get(keyOf(claimed));
    if (known && compareVersions(claimed.metadata.resourceVersion, known.resourceVersion) <= 0)
      return undefined;
    const object = withoutManagedFields(claimed);
    const group = this.#index(object);
    if (previous) this.#drop(previous);
    this.#hold(object, group);
    return { object, previous };
  }

  #hold(object: T, group: string | undefined): void {
    const key = keyOf(object);
    this.#objects.set(key, object);
    if (group === undefined) return;
    const members = this.#indexed.get(group) ?? new Map<string, T>();
    this.#indexed.set(group, members.set(key, object));
  }

  #drop(object: T): void {
    const key = keyOf(object);
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

function keyOf({ metadata }: LiveObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
