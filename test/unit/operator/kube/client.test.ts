import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { KubeClient, type WatchEvent } from '../../../../operator/kube/client.ts';
import { ConnectionError, isTransient } from '../../../../operator/kube/errors.ts';
import { KAFKA_TOPIC, LEASE } from '../../../../operator/kube/kinds.ts';
import type { ApiResponse } from '../../../../operator/kube/transport.ts';
import { topic } from './objects.ts';
import {
  type Answer,
  bookmark,
  events,
  eventsThenEnd,
  json,
  list,
  refuse,
  reset,
  ScriptedApiServer,
  silence,
} from './scripted-api-server.ts';

let api: ScriptedApiServer;
let client: KubeClient;

beforeEach(async () => {
  api = await ScriptedApiServer.start();
  client = new KubeClient(api.kubeConfig(), { timeoutMillis: 300 });
});

afterEach(async () => {
  await client.close();
  await api.close();
});

const get = (of = client, signal?: AbortSignal) => of.get(KAFKA_TOPIC, 'games', 'a', { signal });
const lease = { ...LEASE, metadata: { namespace: 'games', name: 'operator' } };

describe('the client', () => {
  it('sends the JSON it is given, with its field manager and strict about fields', async () => {
    const manifest = { ...topic('a', 1), spec: { partitions: 3, unknownToModels: { from: [] } } };
    api.answer(json(manifest), json(manifest), json(manifest));
    await client.apply(manifest);
    await client.apply(manifest, { force: true, subresource: 'status' });
    await client.create(manifest);
    const query = { fieldManager: 'gameanalytics-operator', fieldValidation: 'Strict', timeout: '300ms' };
    const path = '/apis/kafka.strimzi.io/v1/namespaces/games/kafkatopics';
    expect(api.requests).toMatchObject([
      { method: 'PATCH', path: `${path}/a`, headers: { 'content-type': 'application/apply-patch+yaml' } },
      { method: 'PATCH', path: `${path}/a/status` },
      { method: 'POST', path, headers: { 'content-type': 'application/json' } },
    ]);
    expect(api.requests.map(({ query }) => query)).toEqual([query, { ...query, force: 'true' }, query]);
    expect(api.requests.map(({ body }) => JSON.parse(body))).toEqual([manifest, manifest, manifest]);
  });

  it('gives the objects of a list their kind', async () => {
    api.answer(list(5, [topic('a', 1)], 'more'), list(5));
    expect(await client.list(KAFKA_TOPIC)).toEqual({
      items: [topic('a', 1)],
      resourceVersion: '5',
      continue: 'more',
    });
    expect((await client.list(KAFKA_TOPIC)).continue).toBeUndefined();
    expect(api.requests[0]?.path).toBe('/apis/kafka.strimzi.io/v1/kafkatopics');
  });

  it('deletes exactly the named object, and takes a missing one for deleted', async () => {
    const terminating = topic('a', 2, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    api.answer(json({ kind: 'Status', status: 'Success' }), json(terminating), refuse(404), refuse(409));
    expect(await client.delete(topic('a', 1))).toBeUndefined();
    expect(await client.delete(topic('a', 1))).toEqual(terminating);
    expect(await client.delete(topic('a', 1))).toBeUndefined();
    await expect(client.delete(topic('a', 1))).rejects.toMatchObject({ status: 409 });
    expect(JSON.parse(api.requests[0]?.body ?? '')).toMatchObject({
      preconditions: { uid: 'uid-of-a', resourceVersion: '1' },
      propagationPolicy: 'Background',
    });
  });

  it('finds a cluster behind a path', async () => {
    const config = api.kubeConfig();
    config.clusters[0] = { ...config.clusters[0]!, server: `${api.address}/clusters/c-1/` };
    const behind = new KubeClient(config);
    await get(behind);
    await behind.close();
    expect(api.requests[0]?.path).toBe(
      '/clusters/c-1/apis/kafka.strimzi.io/v1/namespaces/games/kafkatopics/a',
    );
  });

  it('tells who it is', async () => {
    const named = new KubeClient(api.kubeConfig(), { userAgent: 'operator/1 (pod-1)' });
    await get(named);
    await named.close();
    await get();
    expect(api.requests.map(({ headers }) => headers['user-agent'])).toEqual([
      'operator/1 (pod-1)',
      'gameanalytics-operator',
    ]);
  });

  it('asks before each write whether it may, and sends nothing when not; a Lease it may always write', async () => {
    const mayWrite = () => {
      throw new Error('not the leader');
    };
    const guarded = new KubeClient(api.kubeConfig(), { mayWrite });
    const writes = [
      () => guarded.apply(topic('a', 1)),
      () => guarded.create(topic('a', 1)),
      () => guarded.replace(topic('a', 1)),
      () => guarded.delete(topic('a', 1)),
    ];
    for (const write of writes) await expect(write()).rejects.toThrow(/^not the leader$/);
    expect(api.requests).toEqual([]);
    await guarded.create(lease, { lease: true });
    await guarded.replace(lease, { lease: true });
    await get(guarded);
    await guarded.close();
    expect(api.requests).toHaveLength(3);
  });
});

describe('a call that fails', () => {
  it.each<[string, Answer, RegExp]>([
    ['the connection is reset', reset, /^GET \/apis\/.*\/a: .+/],
    ['no answer comes', silence, /^GET .*: no answer within 300 ms$/],
    ['the answer stops half way', (response) => void response.write('{"kind":'), /no answer within 300 ms$/],
    ['the answer is cut', (response) => void response.end('{"kind":'), /^GET .*: .*JSON/],
  ])('is transient and says what was asked when %s', async (_, fault, message) => {
    api.answer(fault);
    const error = await get().catch((caught) => caught);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(message);
    expect(isTransient(error)).toBe(true);
  });

  it('is transient when nobody listens', async () => {
    await api.close();
    const error = await get().catch((caught) => caught);
    expect(isTransient(error)).toBe(true);
    expect(error.message).toContain('ECONNREFUSED');
    api = await ScriptedApiServer.start();
  });

  it('ends with the reason that it was aborted with', async () => {
    api.answer(silence, silence);
    const reason = new Error('stopping');
    await expect(get(client, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const call = get(client, controller.signal);
    setTimeout(() => controller.abort(reason), 20);
    await expect(call).rejects.toBe(reason);
  });

  it('ends in time while its connection is still being made', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    const config = api.kubeConfig();
    // It accepts connections, and then never says a word of TLS.
    const server = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    config.clusters[0] = { ...config.clusters[0]!, server };
    const connecting = new KubeClient(config, { timeoutMillis: 300 });
    onTestFinished(() => connecting.close());
    const began = performance.now();
    await expect(get(connecting)).rejects.toThrow('no answer within 300 ms');
    const reason = new Error('stopping');
    const controller = new AbortController();
    const call = get(connecting, controller.signal);
    setTimeout(() => controller.abort(reason), 20);
    await expect(call).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('ends when the client closes', async () => {
    api.answer(silence);
    const call = get().catch((caught) => caught);
    await vi.waitUntil(() => api.requests.length === 1);
    await client.close();
    expect(await call).toBeInstanceOf(ConnectionError);
  });

  it('is reported as the answer it was, or as none', async () => {
    const seen: ApiResponse[] = [];
    const told = new KubeClient(api.kubeConfig(), { onResponse: (response) => seen.push(response) });
    api.answer(list(1), refuse(404), refuse(503), reset);
    await get(told);
    await get(told);
    await expect(get(told)).rejects.toThrow();
    await expect(get(told)).rejects.toThrow();
    await told.close();
    const host = new URL(api.address).host;
    expect(seen).toEqual([200, 404, 503, '<error>'].map((code) => ({ method: 'GET', code, host })));
  });
});

describe('a watch of the client', () => {
  const watch = (signal: AbortSignal, onOpen = () => {}) =>
    client.watch(KAFKA_TOPIC, { resourceVersion: '5', timeoutSeconds: 300, signal, onOpen });

  it('gives bookmarks and errors as they come, and ends when the API server ends it', async () => {
    const lines = [
      bookmark(6),
      { type: 'ADDED', object: topic('ä', 7) },
      { type: 'ERROR', object: { code: 410 } },
    ];
    api.watched(eventsThenEnd(...lines));
    expect(await Array.fromAsync(watch(new AbortController().signal))).toEqual(lines);
  });

  it('may last longer than a call', async () => {
    api.watched(async (response) => {
      response.flushHeaders();
      await new Promise((resolve) => setTimeout(resolve, 500));
      response.end(`${JSON.stringify(bookmark(6))}\n`);
    });
    expect(await Array.fromAsync(watch(new AbortController().signal))).toEqual([bookmark(6)]);
  });

  it('ends with the reason that it was aborted with, and is open only once it was accepted', async () => {
    api.watched(refuse(503), events(bookmark(6)));
    let opened = 0;
    const open = () => opened++;
    const controller = new AbortController();
    await expect(watch(controller.signal, open).next()).rejects.toMatchObject({ status: 503 });
    expect(opened).toBe(0);
    const stream = watch(controller.signal, open);
    expect((await stream.next()).value).toEqual<WatchEvent | object>(bookmark(6));
    expect(opened).toBe(1);
    const next = stream.next();
    controller.abort(new Error('stopping'));
    await expect(next).rejects.toThrow('stopping');
  });

  it('closes its connection when nobody listens to it any more', async () => {
    api.watched(events(bookmark(6)));
    for await (const _ of watch(new AbortController().signal)) break;
    await vi.waitUntil(async () => (await api.connections()) === 0);
  });
});

describe('credentials', () => {
  let folder: string;
  const tokens = () => api.requests.map(({ headers }) => headers.authorization);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gameanalytics-client-'));
  });

  afterEach(async () => {
    vi.useRealTimers();
    await rm(folder, { recursive: true });
  });

  it('follow a token file that is rotated, without a new connection', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    vi.useFakeTimers({ toFake: ['Date'] });
    const inPod = new KubeClient(
      api.kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }),
    );
    await get(inPod);
    await writeFile(tokenFile, 'second\n');
    vi.setSystemTime(Date.now() + 61_000);
    await get(inPod);
    expect(tokens()).toEqual(['Bearer first', 'Bearer second']);
    expect(await api.connections()).toBe(1);
    await inPod.close();
  });

  it('are asked of an exec plugin again when they have expired', async () => {
    const now = Date.now();
    const program = `console.log(JSON.stringify({ status: { token: 'at-' + process.hrtime.bigint(), expirationTimestamp: new Date(${now + 60_000}) } }))`;
    const exec = { command: process.execPath, args: ['-e', program] };
    vi.useFakeTimers({ toFake: ['Date'], now });
    const outside = new KubeClient(api.kubeConfig({ exec }));
    await get(outside);
    await get(outside);
    vi.setSystemTime(now + 61_000);
    await get(outside);
    await outside.close();
    const [first, second, third] = tokens();
    expect(first).toMatch(/^Bearer at-\d+$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('that is not available are a failure to connect, which says why', async () => {
    const exec = {
      command: process.execPath,
      args: ['-e', 'console.error("log in first"); process.exit(1)'],
    };
    const outside = new KubeClient(api.kubeConfig({ exec }));
    const error = await get(outside).catch((caught) => caught);
    expect(isTransient(error)).toBe(true);
    expect(error.message).toContain('log in first');
    expect(api.requests).toEqual([]);
  });

  it('that never come do not hold a call beyond its time', async () => {
    const exec = { command: process.execPath, args: ['-e', 'setTimeout(() => {}, 1_000)'] };
    const outside = new KubeClient(api.kubeConfig({ exec }), { timeoutMillis: 100 });
    await expect(get(outside)).rejects.toThrow('no answer within 100 ms');
  });

  it('are sent as a user and a password where a proxy wants them so', async () => {
    const basic = new KubeClient(api.kubeConfig({ username: 'ada', password: 'lovelace' }));
    await get(basic);
    await basic.close();
    expect(tokens()).toEqual([`Basic ${Buffer.from('ada:lovelace').toString('base64')}`]);
  });
});

describe('a kubeconfig that cannot be used', () => {
  it('is refused with what to do', () => {
    const config = api.kubeConfig();
    config.setCurrentContext('nowhere');
    expect(() => new KubeClient(config)).toThrow('kubectl config use-context');
    const proxied = api.kubeConfig();
    proxied.clusters[0] = { ...proxied.clusters[0]!, proxyUrl: 'socks5://localhost:1080' };
    expect(() => new KubeClient(proxied)).toThrow('speaks HTTP');
  });
});
