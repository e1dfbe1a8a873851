import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { KAFKA_TOPIC, LEASE } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import { Store } from '../../operator/kube/store.ts';
import { Watch, type WatchOptions } from '../../operator/kube/watch.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';

/** Starts a watch. Returns it with what it tells: the name and what became of it. */
function start(
  options: Pick<WatchOptions<LiveObject>, 'client' | 'kind'> & Partial<WatchOptions<LiveObject>>,
) {
  const told: string[] = [];
  const relists: string[] = [];
  const store = new Store();
  const watch = new Watch({
    store,
    onChange: ({ metadata }, previous) => told.push(`${metadata.name} ${previous ? 'changed' : 'new'}`),
    onDelete: ({ metadata }) => told.push(`${metadata.name} deleted`),
    log: pino({ enabled: false }),
    metrics: { relist: (cause) => relists.push(cause), event: () => {}, connected: () => {} },
    ...options,
  });
  watch.start();
  return { watch, store, told, relists };
}

/** Waits until something holds, at most half a minute. */
const eventually = (holds: () => boolean) =>
  until(async () => holds() || undefined, { everyMillis: 10, signal: AbortSignal.timeout(30_000) });

function lease(namespace: string, name: string, holderIdentity = 'nobody') {
  const { apiVersion, kind } = LEASE;
  return { apiVersion, kind, metadata: { namespace, name }, spec: { holderIdentity } };
}

describe('a watch of a real API server', () => {
  const controlPlane = connectedControlPlane();
  const client = new KubeClient(controlPlane.kubeConfig());

  afterAll(() => client.close());

  it('tells what happens, and holds our own writes from the moment they are answered', async () => {
    const namespace = await controlPlane.newNamespace();
    await client.apply(lease(namespace, 'theirs'));
    const { watch, store, told } = start({ client, kind: LEASE, namespace });
    await watch.synced;
    store.put(await client.apply(lease(namespace, 'ours')));
    expect(store.get(namespace, 'ours')?.metadata.managedFields).toBeUndefined();
    store.put(await client.apply(lease(namespace, 'ours', 'someone')));
    expect(store.get(namespace, 'ours')).toMatchObject({ spec: { holderIdentity: 'someone' } });
    await controlPlane.kubectl('annotate', 'lease', 'theirs', 'a=b', '-n', namespace);
    await controlPlane.kubectl('delete', 'lease', 'theirs', '-n', namespace);
    await eventually(() => told.includes('theirs deleted'));
    expect(told.filter((what) => what.startsWith('theirs'))).toEqual([
      'theirs new',
      'theirs changed',
      'theirs deleted',
    ]);
    expect(store.size).toBe(1);
    await watch.stop();
  });

  it('does not bring back what was deleted, however write and watch race', async () => {
    const namespace = await controlPlane.newNamespace();
    const { watch, store, told } = start({ client, kind: LEASE, namespace });
    await watch.synced;
    for (let round = 0; round < 20; round++) {
      const made = await client.apply(lease(namespace, 'short-lived', `${round}`));
      store.put(made);
      await client.delete(made);
      store.remove(made);
      expect(store.size).toBe(0);
    }
    await client.apply(lease(namespace, 'last'));
    await eventually(() => told.includes('last new'));
    expect(store.size).toBe(1);
    await watch.stop();
  });

  it('lists more objects than a page holds', async () => {
    const namespace = await controlPlane.newNamespace();
    const names = Array.from({ length: 620 }, (_, i) => `lease-${i}`);
    const next = names.values();
    const worker = async () => {
      for (const name of next) await client.create(lease(namespace, name));
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    const { watch, store } = start({ client, kind: LEASE, namespace });
    await watch.synced;
    expect(store.size).toBe(620);
    await watch.stop();
  });

  it('gets bookmarks, and continues without a list when the API server ends it', async () => {
    const namespace = await controlPlane.newNamespace();
    const types: string[] = [];
    let connections = 0;
    const { watch, told, relists } = start({
      client,
      kind: LEASE,
      namespace,
      timing: { shortestSeconds: 6, longestSeconds: 6 },
      metrics: {
        relist: (cause) => relists.push(cause),
        event: (type) => types.push(type),
        connected: () => connections++,
      },
    });
    // A short watch gets one in its last seconds, or the next one does when the machine was busy then.
    await eventually(() => connections >= 2 && types.includes('BOOKMARK'));
    await client.apply(lease(namespace, 'later'));
    await eventually(() => told.includes('later new'));
    expect(relists).toEqual(['start']);
    await watch.stop();
  });
});

describe('a watch of an API server with a life of its own', () => {
  let controlPlane: ControlPlane;
  let client: KubeClient;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    client = new KubeClient(controlPlane.kubeConfig());
  });

  afterAll(async () => {
    await client?.close();
    await controlPlane?.stop();
  });

  it('survives that the API server is killed, and misses nothing that happens right after it comes back', async () => {
    const { watch, store, told } = start({ client, kind: LEASE, namespace: 'default' });
    await watch.synced;
    const doomed = await client.apply(lease('default', 'doomed'));
    await eventually(() => told.includes('doomed new'));
    await controlPlane.restartApiServer();
    await client.delete(doomed);
    await client.apply(lease('default', 'late'));
    // In which order depends on whether the new API server remembers enough to resume, or makes the watch
    // list again.
    await eventually(() => told.length === 3);
    expect(told.toSorted()).toEqual(['doomed deleted', 'doomed new', 'late new']);
    expect(store.size).toBe(1);
    await watch.stop();
  });

  it('waits for a CRD that comes later, and notices when it goes', async () => {
    const available: boolean[] = [];
    const onAvailability = (served: boolean) => available.push(served);
    const { watch, told } = start({ client, kind: KAFKA_TOPIC, onAvailability });
    await watch.synced;
    expect(watch.missing).toBe(true);

    await controlPlane.applyCrds();
    const { apiVersion, kind } = KAFKA_TOPIC;
    await client.apply({ apiVersion, kind, metadata: { namespace: 'default', name: 'scores' }, spec: {} });
    await eventually(() => told.includes('scores new'));
    expect(available).toEqual([false, true]);

    await controlPlane.kubectl('delete', 'crd', 'kafkatopics.kafka.strimzi.io');
    await eventually(() => available.length === 3);
    expect(watch.missing).toBe(true);
    expect(told.at(-1)).toBe('scores deleted');
    await watch.stop();
  });
});
