import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../local/process/retry.ts';
import { KubeClient } from '../../../../operator/kube/client.ts';
import { KAFKA_TOPIC } from '../../../../operator/kube/kinds.ts';
import type { LiveObject } from '../../../../operator/kube/object.ts';
import { Store } from '../../../../operator/kube/store.ts';
import { Watch, type WatchOptions } from '../../../../operator/kube/watch.ts';
import { namesOf, topic } from './objects.ts';
import {
  bookmark,
  errorEvent,
  events,
  eventsThenEnd,
  eventsThenReset,
  list,
  refuse,
  reset,
  ScriptedApiServer,
  silence,
} from './scripted-api-server.ts';

const added = (object: LiveObject) => ({ type: 'ADDED', object });
const modified = (object: LiveObject) => ({ type: 'MODIFIED', object });
const deleted = (object: LiveObject) => ({ type: 'DELETED', object });

let api: ScriptedApiServer;
let client: KubeClient;
let watch: Watch | undefined;

beforeEach(async () => {
  api = await ScriptedApiServer.start();
  client = new KubeClient(api.kubeConfig(), { timeoutMillis: 500 });
});

afterEach(async () => {
  await watch?.stop();
  await client.close();
  await api.close();
});

/**
 * A watch that is started, what it tells, and what it says of itself. Retries wait 20 ms, doubled up to 160
 * ms.
 */
function start(options: Partial<WatchOptions<LiveObject>> = {}) {
  const told: string[] = [];
  const relists: string[] = [];
  const types: string[] = [];
  const connected: boolean[] = [];
  const availability: boolean[] = [];
  const store = new Store();
  watch = new Watch({
    client,
    kind: KAFKA_TOPIC,
    store,
    onChange: ({ metadata }, previous) =>
      told.push(`${metadata.name} ${previous?.metadata.resourceVersion ?? '-'}→${metadata.resourceVersion}`),
    onDelete: ({ metadata }) => told.push(`${metadata.name} deleted`),
    onAvailability: (served) => availability.push(served),
    log: pino({ enabled: false }),
    metrics: {
      relist: (cause) => relists.push(cause),
      event: (type) => types.push(type),
      connected: (is) => connected.push(is),
    },
    random: () => 0,
    ...options,
    timing: { firstRetryMillis: 20, longestRetryMillis: 160, ...options.timing },
  });
  watch.start();
  return { watch, store, told, relists, types, connected, availability };
}

/** Waits until something holds, at most 5 s. */
const eventually = (holds: () => boolean) =>
  until(async () => holds() || undefined, { everyMillis: 5, signal: AbortSignal.timeout(5_000) });

/** Milliseconds between the requests. */
const gaps = (requests: { at: number }[]) =>
  requests.slice(1).map((request, i) => request.at - (requests[i]?.at ?? 0));

describe('a watch', () => {
  it('lists in pages of 500, then follows events from there, with bookmarks and for a random time', async () => {
    api.answer(list(5, [topic('a', 1)], 'page-2'), list(5, [topic('b', 2)]));
    api.watched(events(modified(topic('a', 6)), added(topic('c', 7)), deleted(topic('b', 8))));
    const { watch, store, told, types } = start({
      namespace: 'games',
      labelSelector: 'x=y',
      random: () => 0.5,
    });
    await watch.synced;
    expect(namesOf(store.values())).toEqual(['a', 'b']);
    await eventually(() => told.length === 5);
    expect(told).toEqual(['a -→1', 'b -→2', 'a 1→6', 'c -→7', 'b deleted']);
    expect(types).toEqual(['MODIFIED', 'ADDED', 'DELETED']);
    const path = '/apis/kafka.strimzi.io/v1/namespaces/games/kafkatopics';
    expect(api.lists).toMatchObject([
      { path, query: { limit: '500', labelSelector: 'x=y' } },
      { path, query: { limit: '500', labelSelector: 'x=y', continue: 'page-2' } },
    ]);
    expect(api.lists[0]?.query.resourceVersion).toBeUndefined();
    const query = {
      resourceVersion: '5',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
      labelSelector: 'x=y',
    };
    expect(api.watches).toMatchObject([{ path, query }]);
  });

  it('asks to be ended after 300 to 600 seconds', async () => {
    for (const [random, seconds] of [
      [0, '300'],
      [0.999_999, '600'],
    ] as const) {
      const { watch } = start({ random: () => random });
      await eventually(() => api.watches.at(-1)?.query.timeoutSeconds === seconds);
      await watch.stop();
    }
  });

  it('drops the managed fields, after a transform has read them', async () => {
    const managedFields = [{ manager: 'kubectl', operation: 'Apply' as const, apiVersion: 'v1' }];
    api.answer(list(5, [topic('a', 1, { managedFields })]));
    const transform = (object: LiveObject) => ({
      ...object,
      managers: object.metadata.managedFields?.length,
    });
    const { watch, store } = start({ transform });
    await watch.synced;
    expect(store.get('games', 'a')).toEqual({ ...topic('a', 1), managers: 1 });
  });

  it('tells what replaced what, and nothing twice', async () => {
    api.answer(list(5, [topic('a', 1)]));
    api.watched(events(modified(topic('a', 6)), modified(topic('a', 7)), added(topic('z', 8))));
    const { watch, store, told } = start();
    await watch.synced;
    store.put(topic('a', 7)); // Our own write: the watch learns of it, and of what was before it, too late.
    await eventually(() => told.includes('z -→8'));
    expect(told).toEqual(['a -→1', 'z -→8']);
  });
});

describe('a watch whose connection ends', () => {
  it('resumes at once, from the last event or bookmark, when the API server ends it', async () => {
    api.watched(eventsThenEnd(added(topic('a', 6))), eventsThenEnd(bookmark(9)), events());
    const { relists } = start({ timing: { firstRetryMillis: 60_000, longestRetryMillis: 60_000 } });
    await eventually(() => api.watches.length === 3);
    expect(api.watches.map(({ query }) => query.resourceVersion)).toEqual(['1', '6', '9']);
    expect(relists).toEqual(['start']);
  });

  it('backs off when the API server ends it at once, again and again', async () => {
    api.watched(...Array(5).fill(eventsThenEnd()));
    start();
    await eventually(() => api.watches.length === 6);
    const [first, second, third, fourth] = gaps(api.watches);
    expect(first).toBeGreaterThan(15);
    expect(second).toBeGreaterThan(35);
    expect(third).toBeGreaterThan(75);
    expect(fourth).toBeGreaterThan(150);
  });

  it('resumes where it was after a reset, without a list', async () => {
    api.watched(eventsThenReset(added(topic('a', 6))), reset, events(added(topic('b', 7))));
    const { told, relists, connected } = start();
    await eventually(() => told.length === 2);
    expect(api.watches.map(({ query }) => query.resourceVersion)).toEqual(['1', '6', '6']);
    expect(relists).toEqual(['start']);
    expect(connected).toEqual([true, false, false, true]);
  });

  it('resumes where it was when a line was cut', async () => {
    const cut = JSON.stringify(added(topic('b', 7))).slice(0, 40);
    api.watched((response) => void response.end(`${JSON.stringify(added(topic('a', 6)))}\n${cut}`));
    api.watched(events(added(topic('b', 7))));
    const { told } = start();
    await eventually(() => told.length === 2);
    expect(api.watches.map(({ query }) => query.resourceVersion)).toEqual(['1', '6']);
  });

  it('notices that nothing comes any more', async () => {
    api.watched(events(added(topic('a', 6))), events(added(topic('b', 7))));
    const { told } = start({ timing: { shortestSeconds: 1, longestSeconds: 1, graceMillis: 100 } });
    await eventually(() => told.length === 2);
    expect(gaps(api.watches)[0]).toBeGreaterThan(1_000);
    expect(api.watches[1]?.query.resourceVersion).toBe('6');
  });

  it('does not wait forever for an API server that accepts connections and says nothing', async () => {
    api.answer(silence, list(5, [topic('a', 1)]));
    api.watched(silence, events(added(topic('b', 6))));
    const { told } = start();
    await eventually(() => told.length === 2);
    expect(told).toEqual(['a -→1', 'b -→6']);
  });
});

describe('a watch that is refused', () => {
  it('backs off, twice as long each time, on what a server in trouble says, and starts over after a success', async () => {
    api.watched(
      refuse(500),
      refuse(503),
      refuse(429),
      refuse(504),
      eventsThenReset(added(topic('a', 6))),
      events(),
    );
    const { relists } = start();
    await eventually(() => api.watches.length === 6);
    const waits = gaps(api.watches);
    for (const [i, atLeast] of [18, 38, 78, 158].entries()) expect(waits[i]).toBeGreaterThan(atLeast);
    expect(waits[4]).toBeLessThan(150);
    expect(relists).toEqual(['start']);
  });

  it('waits as long as it is asked to, for lists too', async () => {
    api.answer(refuse(429, {}, { 'retry-after': '1' }));
    api.watched(refuse(503, {}, { 'retry-after': '1' }));
    start();
    await eventually(() => api.watches.length === 2);
    expect(gaps(api.lists)[0]).toBeGreaterThan(990);
    expect(gaps(api.watches)[0]).toBeGreaterThan(990);
  });

  it('continues when it may not watch, until it may', async () => {
    api.answer(refuse(403), refuse(401), list(5, [topic('a', 1)]));
    const { watch, told } = start();
    await watch.synced;
    expect(told).toEqual(['a -→1']);
  });
});

describe('a watch that lost its place', () => {
  const before = list(5, [topic('a', 1), topic('b', 2), topic('c', 3), topic('d', 4)]);
  const after = list(20, [topic('a', 1), topic('b', 12), topic('d', 13, { uid: 'second' }), topic('e', 14)]);
  const difference = ['b 2→12', 'd 4→13', 'e -→14', 'c deleted'];

  it.each([
    ['410 as the answer', refuse(410, { reason: 'Expired' }), 'expired'],
    ['410 in the stream', events(errorEvent(410, 'Expired')), 'expired'],
    ['another error in the stream', events(errorEvent(500, 'InternalError')), 'error'],
    [
      'a version the API server has not reached',
      refuse(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }),
      'error',
    ],
  ])('lists again and tells the difference, missed deletions too: %s', async (_, fault, cause) => {
    api.answer(before, after).watched(fault, events(added(topic('f', 21))));
    const { store, told, relists } = start();
    await eventually(() => told.includes('f -→21'));
    expect(told.slice(4)).toEqual([...difference, 'f -→21']);
    expect(relists).toEqual(['start', cause]);
    expect(namesOf(store.values())).toEqual(['a', 'b', 'd', 'e', 'f']);
    expect(api.watches.map(({ query }) => query.resourceVersion)).toEqual(['5', '20']);
  });

  it('does not list in a hot loop when every watch is answered by 410', async () => {
    api.watched(...Array(20).fill(refuse(410)));
    start();
    await eventually(() => api.lists.length === 5);
    const waits = gaps(api.lists);
    for (const [i, atLeast] of [18, 38, 78, 158].entries()) expect(waits[i]).toBeGreaterThan(atLeast);
  });

  it('lists in one piece when the pages outlive the memory of the API server, and keeps nothing that is gone', async () => {
    api.answer(
      list(5, [topic('a', 1), topic('b', 2)], 'page-2'),
      refuse(410, { reason: 'Expired' }),
      list(9, [topic('a', 1), topic('c', 8)]),
    );
    const { watch, store } = start();
    await watch.synced;
    expect(namesOf(store.values())).toEqual(['a', 'c']);
    expect(api.lists.map(({ query }) => query.limit)).toEqual(['500', '500', undefined]);
  });

  it('does not believe a list from the past', async () => {
    api.answer(list(20, [topic('a', 12)]), list(5, []), list(21, [topic('a', 12)])).watched(refuse(410));
    const { told } = start();
    await eventually(() => api.watches.length === 2);
    expect(told).toEqual(['a -→12']);
  });

  it('keeps what it had while a list fails half way', async () => {
    api.answer(before, list(19, [topic('a', 1)], 'page-2'), refuse(500), after).watched(refuse(410));
    const { told, relists } = start();
    await eventually(() => told.length === 8);
    expect(told.slice(4)).toEqual(difference);
    expect(relists).toEqual(['start', 'expired']);
  });
});

describe('a watch of a kind that is not served', () => {
  it('counts as synced, looks again and again, and tells when the kind comes', async () => {
    api.answer(refuse(404), refuse(404), list(5, [topic('a', 1)]));
    const { watch, availability, told, relists } = start();
    await watch.synced;
    expect(watch.missing).toBe(true);
    await eventually(() => told.length === 1);
    expect(watch.missing).toBe(false);
    expect(availability).toEqual([false, true]);
    expect(relists).toEqual(['missing']);
  });

  it('tells the deletion of everything when the kind goes', async () => {
    api.answer(list(5, [topic('a', 1)]), refuse(404)).watched(refuse(404));
    const { told, availability } = start();
    await eventually(() => availability.length === 1);
    expect(told).toEqual(['a -→1', 'a deleted']);
    expect(availability).toEqual([false]);
  });

  it('tells nothing of a kind that was always there', async () => {
    const { watch, availability } = start();
    await watch.synced;
    expect([watch.missing, availability]).toEqual([false, []]);
  });
});

describe('the callbacks of a watch', () => {
  it('can throw, or return promises that fail, without stopping it', async () => {
    api.answer(list(5, [topic('a', 1), topic('b', 2)]));
    api.watched(events(modified(topic('a', 6)), deleted(topic('b', 7)), added(topic('c', 8))));
    const seen: string[] = [];
    const { store } = start({
      onChange: ({ metadata }) => {
        seen.push(metadata.name);
        throw new Error('our mistake');
      },
      onDelete: async ({ metadata }) => {
        seen.push(metadata.name);
        throw new Error('another one');
      },
    });
    await eventually(() => seen.length === 5);
    expect(seen).toEqual(['a', 'b', 'a', 'b', 'c']);
    expect(namesOf(store.values())).toEqual(['a', 'c']);
    expect(api.watches).toHaveLength(1);
  });

  it('can fail to transform one object without losing the others', async () => {
    api.answer(list(5, [topic('a', 1), topic('b', 2)]));
    const transform = (object: LiveObject) => {
      if (object.metadata.name === 'a') throw new Error('cannot read it');
      return object;
    };
    const { watch, told } = start({ transform });
    await watch.synced;
    expect(told).toEqual(['b -→2']);
  });
});

describe('a watch that is stopped', () => {
  it('is silent, however often it is stopped, and lets its connection go', async () => {
    api.watched(events(added(topic('a', 6))));
    const { watch, told, connected } = start();
    await eventually(() => told.length === 1);
    await Promise.all([watch.stop(), watch.stop()]);
    await watch.stop();
    expect(told).toEqual(['a -→6']);
    expect(connected).toEqual([true, false]);
    expect(api.requests).toHaveLength(2);
  });

  it.each([
    ['while it lists', silence],
    ['while it waits to try again', refuse(500, {}, { 'retry-after': '60' })],
  ])('ends at once %s', async (_, answer) => {
    api.answer(answer);
    const { watch, told } = start();
    await eventually(() => api.requests.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const started = performance.now();
    await watch.stop();
    expect(performance.now() - started).toBeLessThan(400);
    expect(told).toEqual([]);
  });
});
