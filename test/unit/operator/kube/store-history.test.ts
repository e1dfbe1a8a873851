import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import { Store } from '../../../../operator/kube/store.ts';
import { topic } from './objects.ts';

const NAMES = ['a', 'b'] as const;

type Step =
  | { do: 'write' | 'delete'; name: (typeof NAMES)[number]; ours: boolean }
  /** One of the answers that are under way to us arrives. */
  | { do: 'answer'; which: number }
  | { do: 'event' | 'list' | 'list arrives' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      name: fc.constantFrom(...NAMES),
      ours: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      name: fc.constantFrom(...NAMES),
      ours: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(10) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('event' as const, 'list' as const, 'list arrives' as const) }),
  },
);

interface Event {
  deleted: boolean;
  object: LiveObject;
}

/** A cluster with a store, where answers, events and lists arrive as late as a test wants. */
class World {
  readonly store = new Store();
  readonly truth = new Map<string, LiveObject>();
  #version = 0;
  #events: Event[] = [];
  readonly #answers: (() => void)[] = [];
  #list: { version: number; objects: LiveObject[] } | undefined;

  take(next: Step): void {
    if (next.do === 'write') this.#write(next.name, next.ours);
    else if (next.do === 'delete') this.#delete(next.name, next.ours);
    else if (next.do === 'answer') this.#answers.splice(next.which % (this.#answers.length || 1), 1)[0]?.();
    else if (next.do === 'event') this.#event();
    else if (next.do === 'list') this.#list ??= { version: this.#version, objects: [...this.truth.values()] };
    else this.#listArrives();
  }

  /** Everything that is under way arrives. */
  settle(): void {
    this.#listArrives();
    while (this.#events.length) this.#event();
    for (const answer of this.#answers) answer();
  }

  #write(name: string, ours: boolean): void {
    const version = ++this.#version;
    const object = topic(name, version, { uid: this.truth.get(name)?.metadata.uid ?? `made-at-${version}` });
    this.truth.set(name, object);
    this.#events.push({ deleted: false, object });
    if (ours) this.#answers.push(() => this.store.put(object));
  }

  #delete(name: string, ours: boolean): void {
    const object = this.truth.get(name);
    if (!object) return;
    // Ours are bound to the version that we know.
    const known = this.store.get('games', name)?.metadata.resourceVersion;
    if (ours && known !== object.metadata.resourceVersion) return;
    this.truth.delete(name);
    this.#events.push({ deleted: true, object: topic(name, ++this.#version, { uid: object.metadata.uid }) });
    if (ours) this.#answers.push(() => this.store.remove(object));
  }

  /** While a list is made there is no watch. */
  #event(): void {
    const event = this.#list ? undefined : this.#events.shift();
    if (event?.deleted) this.store.deleted(event.object);
    else if (event) this.store.changed(event.object);
  }

  #listArrives(): void {
    if (!this.#list) return;
    const { version, objects } = this.#list;
    for (const object of objects) this.store.listed(object);
    this.store.retain(new Set(objects.map(({ metadata }) => metadata.uid)), String(version));
    this.#events = this.#events.filter(({ object }) => Number(object.metadata.resourceVersion) > version);
    this.#list = undefined;
  }
}

it('whatever the order in which answers, events and lists arrive, nothing comes back and the store ends at the truth', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const world = new World();
      const newest = new Map<string, number>();
      const gone = new Set<string>();
      for (const next of steps) {
        const before = NAMES.map((name) => world.store.get('games', name));
        world.take(next);
        for (const [i, name] of NAMES.entries()) {
          const held = world.store.get('games', name);
          const former = before[i]?.metadata.uid;
          if (former && former !== held?.metadata.uid) gone.add(former);
          if (!held) continue;
          const version = Number(held.metadata.resourceVersion);
          expect(gone).not.toContain(held.metadata.uid);
          expect(version).toBeGreaterThanOrEqual(newest.get(name) ?? 0);
          newest.set(name, version);
        }
      }
      world.settle();
      expect(new Map([...world.store.values()].map((object) => [object.metadata.name, object]))).toEqual(
        world.truth,
      );
    }),
    { numRuns: 500 },
  );
});
