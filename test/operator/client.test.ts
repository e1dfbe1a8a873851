import { execFile } from 'node:child_process';
import { connect, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOOPBACK } from '../../local/process/ports.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { ApiError, fieldManagerConflicts, isConflict } from '../../operator/kube/errors.ts';
import { CONTROLLER_REVISION, DEPLOYMENT, EVENT, KAFKA_TOPIC, LEASE } from '../../operator/kube/kinds.ts';
import type { Manifest } from '../../operator/kube/object.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';

const controlPlane = connectedControlPlane();
const client = new KubeClient(controlPlane.kubeConfig());
let namespace: string;

beforeAll(async () => {
  namespace = await controlPlane.newNamespace();
});

afterAll(() => client.close());

function topic(name: string, partitions = 1): Manifest {
  const { apiVersion, kind } = KAFKA_TOPIC;
  return { apiVersion, kind, metadata: { namespace, name }, spec: { partitions, replicas: 1 } };
}

function deployment(name: string, replicas: number): Manifest {
  const labels = { app: name };
  const { apiVersion, kind } = DEPLOYMENT;
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } },
  };
  return { apiVersion, kind, metadata: { namespace, name }, spec };
}

describe('the client before a real API server', () => {
  it('applies, reads, lists and deletes an object', async () => {
    const made = await client.apply(topic('round-trip', 3));
    expect(made).toMatchObject({ ...KAFKA_TOPIC_HEAD, spec: { partitions: 3 } });
    expect(await client.get(KAFKA_TOPIC, namespace, 'round-trip')).toEqual(made);
    const { items } = await client.list(KAFKA_TOPIC, { namespace });
    expect(items).toEqual([made]);
    expect(await client.delete(made)).toBeUndefined();
    expect(await client.get(KAFKA_TOPIC, namespace, 'round-trip')).toBeUndefined();
    expect(await client.delete(made)).toBeUndefined();
  });

  it('does not change the version of an object that is applied a second time', async () => {
    const first = await client.apply(topic('twice'));
    expect((await client.apply(topic('twice'))).metadata.resourceVersion).toBe(
      first.metadata.resourceVersion,
    );
  });

  it('is refused a field that the schema lacks, and a value it does not allow', async () => {
    const unknown = topic('unknown');
    const error = await client.apply({ ...unknown, spec: { partitionz: 3 } }).catch((caught) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error.message).toContain('partitionz');
    const invalid = await client.apply(deployment('Not_A_Name', 1)).catch((caught) => caught);
    expect(invalid).toMatchObject({ status: 422 });
    expect(invalid.causes[0]).toMatchObject({ field: 'metadata.name' });
  });

  it('names who else owns a field, and takes it by force', async () => {
    await controlPlane.apply(deployment('shared', 2), '--field-manager=a-person');
    const error = await client.apply(deployment('shared', 5)).catch((caught) => caught);
    expect(isConflict(error)).toBe(true);
    expect(fieldManagerConflicts(error)).toEqual([{ manager: 'a-person', field: '.spec.replicas' }]);
    const forced = await client.apply(deployment('shared', 5), { force: true });
    expect(forced.spec).toMatchObject({ replicas: 5 });
  });

  it('deletes nothing that changed since it was seen, and tells what a finalizer holds', async () => {
    const old = await client.apply({
      ...topic('held'),
      metadata: {
        ...topic('held').metadata,
        finalizers: ['strimzi.io/topic-operator'],
      } as Manifest['metadata'],
    });
    await controlPlane.kubectl('label', 'kafkatopic', 'held', 'a=b', '-n', namespace);
    expect(isConflict(await client.delete(old).catch((error) => error))).toBe(true);
    const now = await client.get(KAFKA_TOPIC, namespace, 'held');
    const left = now && (await client.delete(now));
    expect(left?.metadata.deletionTimestamp).toBeDefined();
    expect(Number(left?.metadata.resourceVersion)).toBeGreaterThan(Number(now?.metadata.resourceVersion));
    const patch = '{"metadata":{"finalizers":null}}';
    await controlPlane.kubectl('patch', 'kafkatopic', 'held', '--type=merge', '-p', patch, '-n', namespace);
  });

  it('applies a status, which does not count as a change of the spec', async () => {
    const made = await client.apply(topic('reported'));
    const status = { observedGeneration: 1 };
    const reported = await client.apply(
      { ...topic('reported'), spec: undefined, status },
      { subresource: 'status' },
    );
    expect(reported).toMatchObject({ status, spec: made.spec, metadata: { generation: 1 } });
  });

  it('creates events and leases, and replaces what has not changed meanwhile', async () => {
    const now = new Date().toISOString().replace('Z', '000Z');
    const event = await client.create({
      apiVersion: EVENT.apiVersion,
      kind: EVENT.kind,
      metadata: { namespace, name: 'arcade.1' },
      eventTime: now,
      reportingController: 'gameanalytics.dev/operator',
      reportingInstance: 'here',
      action: 'Test',
      reason: 'Tested',
      note: 'A sentence.',
      type: 'Normal',
      regarding: { ...KAFKA_TOPIC_HEAD, namespace, name: 'arcade' },
    });
    expect(event.note).toBe('A sentence.');
    const { apiVersion, kind } = LEASE;
    const lease = await client.create({ apiVersion, kind, metadata: { namespace, name: 'lease' }, spec: {} });
    const renewed = await client.replace({ ...lease, spec: { holderIdentity: 'a', renewTime: now } });
    expect(renewed.spec).toMatchObject({ holderIdentity: 'a', renewTime: now });
    expect(isConflict(await client.replace(lease).catch((error) => error))).toBe(true);
    expect(
      isConflict(await client.create({ ...lease, metadata: { namespace, name: 'lease' } }).catch((e) => e)),
    ).toBe(true);
  });

  it('lists in pages', async () => {
    const { apiVersion, kind } = CONTROLLER_REVISION;
    for (const revision of [1, 2, 3])
      await client.create({
        apiVersion,
        kind,
        metadata: { namespace, name: `r-${revision}` },
        revision,
        data: {},
      });
    const first = await client.list(CONTROLLER_REVISION, { namespace, limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await client.list(CONTROLLER_REVISION, { namespace, limit: 2, continue: first.continue });
    expect(second.items).toMatchObject([{ apiVersion, kind, metadata: { name: 'r-3' } }]);
    expect(second.continue).toBeUndefined();
    expect(second.resourceVersion).toBe(first.resourceVersion);
  });

  it('may do what its ServiceAccount may, and no more', async () => {
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'nobody' } });
    const nobody = new KubeClient(await controlPlane.serviceAccount(namespace, 'nobody'));
    expect(await nobody.list(KAFKA_TOPIC).catch((error) => error)).toMatchObject({ status: 403 });
    await nobody.close();
  });
});

const KAFKA_TOPIC_HEAD = { apiVersion: KAFKA_TOPIC.apiVersion, kind: KAFKA_TOPIC.kind };

describe('the connections of the client', () => {
  let proxy: Server;
  let opened = 0;

  /** The API server through a relay that counts connections. */
  function relayed(): KubeConfig {
    const config = controlPlane.kubeConfig();
    const cluster = config.getCurrentCluster();
    const user = config.getCurrentUser();
    const address = proxy.address();
    if (!cluster || !user || typeof address !== 'object') throw new Error('no cluster, or no relay');
    const through = new KubeConfig();
    through.loadFromClusterAndUser({ ...cluster, server: `https://${LOOPBACK}:${address?.port}` }, user);
    return through;
  }

  beforeAll(async () => {
    const server = new URL(controlPlane.kubeConfig().getCurrentCluster()?.server ?? '');
    proxy = createServer((inward) => {
      opened++;
      const outward = connect(Number(server.port), server.hostname);
      inward.pipe(outward).pipe(inward);
      inward.on('error', () => outward.destroy());
      outward.on('error', () => inward.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, LOOPBACK, resolve));
  });

  afterAll(() => new Promise((resolve) => proxy.close(resolve)));

  it('stay the same for 100 calls of all sorts, those that fail too', async () => {
    const counted = new KubeClient(relayed());
    opened = 0;
    for (let call = 0; call < 25; call++) {
      await counted.list(KAFKA_TOPIC, { namespace });
      await counted.apply(topic('counted', call + 1));
      expect(await counted.get(KAFKA_TOPIC, namespace, 'none')).toBeUndefined();
      await expect(counted.create({ ...topic('counted') })).rejects.toMatchObject({ status: 409 });
    }
    // A second one is opened when a call begins in the moment in which undici ends the one before.
    expect(opened).toBeLessThanOrEqual(2);
    await counted.close();
  });
});

describe('a process that used the client', () => {
  it('ends by itself when watches are stopped, elections released and the client closed', async () => {
    const program = `
      import { pino } from 'pino';
      import { KubeConfig } from '@kubernetes/client-node';
      import { KubeClient } from './operator/kube/client.ts';
      import { KAFKA_TOPIC } from './operator/kube/kinds.ts';
      import { Store } from './operator/kube/store.ts';
      import { Watch } from './operator/kube/watch.ts';
      import { LeaderElection } from './operator/leader/election.ts';
      const config = new KubeConfig();
      config.loadFromDefault();
      const client = new KubeClient(config);
      const log = pino({ enabled: false });
      const metrics = { relist() {}, event() {}, connected() {} };
      const watch = new Watch({ client, kind: KAFKA_TOPIC, store: new Store(), onChange() {}, onDelete() {}, log, metrics });
      const leading = Promise.withResolvers();
      const election = new LeaderElection({
        client, namespace: '${namespace}', name: 'ends', identity: 'a', log, onLeading: leading.resolve, onLost() {},
      });
      watch.start();
      election.start();
      await Promise.all([watch.synced, leading.promise]);
      await Promise.all([watch.stop(), election.release()]);
      await client.close();
      const stopped = performance.now();
      process.on('exit', () => process.stdout.write(String(performance.now() - stopped)));
    `;
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, KUBECONFIG: controlPlane.kubeConfigFile },
      timeout: 30_000,
    });
    expect(stderr).toBe('');
    expect(Number(stdout)).toBeLessThan(1_000);
  });
});
