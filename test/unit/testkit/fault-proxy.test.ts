import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../../testkit/fault-proxy/fault-proxy.ts';

/** A server that answers as an API server would, as far as a proxy can tell, and remembers what came. */
class Origin {
  readonly calls: string[] = [];
  readonly watches: ServerResponse[] = [];
  authorization: string | undefined;
  readonly #server: Server = createServer(async (request, response) => {
    this.calls.push(`${request.method} ${request.url}`);
    this.authorization = request.headers.authorization;
    if (request.url?.includes('watch=true')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      this.watches.push(response);
      return;
    }
    request.resume();
    await once(request, 'end');
    response
      .writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
      .end('{"from":"origin"}');
  });

  async start(): Promise<KubeConfig> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'origin', server: `http://127.0.0.1:${port}`, skipTLSVerify: false },
      { name: 'test', token: 'secret' },
    );
    return config;
  }

  say(name: string, type = 'ADDED'): void {
    for (const watch of this.watches)
      watch.write(`${JSON.stringify({ type, object: { metadata: { name } } })}\n`);
  }

  get onlyWatch(): ServerResponse {
    const [watch] = this.watches;
    if (!watch || this.watches.length > 1) throw new Error(`${this.watches.length} watches are open`);
    return watch;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let origin: Origin;
let proxy: FaultProxy;
let url: string;

beforeEach(async () => {
  origin = new Origin();
  proxy = await startFaultProxy(await origin.start());
  url = proxy.config.getCurrentCluster()?.server ?? '';
});

afterEach(async () => {
  await proxy.close();
  origin.stop();
});

const TOPICS = '/apis/kafka.strimzi.io/v1/namespaces/games/kafkatopics';

const send = (method: string, path: string, body: object = {}) =>
  fetch(url + path, {
    method,
    body: method === 'GET' ? null : JSON.stringify(body),
    headers: { authorization: `Bearer ${proxy.config.getCurrentUser()?.token}` },
    signal: AbortSignal.timeout(500),
  });

const apply = () => send('PATCH', `${TOPICS}/arcade?fieldManager=x`);

/** Opens a watch; its lines come into an array as they arrive. */
async function watch(): Promise<{ names: string[]; end: Promise<'ended' | 'broken'> }> {
  const response = await fetch(`${url}${TOPICS}?watch=true&resourceVersion=5`);
  if (!response.ok || !response.body) throw new Error(`a watch was answered ${response.status}`);
  const names: string[] = [];
  const read = async () => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      names.push(...lines.map((line) => JSON.parse(line).object.metadata.name));
    }
  };
  const end = read().then(
    () => 'ended' as const,
    () => 'broken' as const,
  );
  return { names, end };
}

describe('a call through the proxy', () => {
  it('reaches the server with its token, and comes back with its answer', async () => {
    const response = await send('GET', `${TOPICS}/arcade`);
    expect(await response.json()).toEqual({ from: 'origin' });
    expect(origin.authorization).toBe('Bearer secret');
  });

  it('is written down in its terms', async () => {
    await send('POST', '/api/v1/namespaces/games/services', { kind: 'Service', metadata: { name: 'board' } });
    await send('PATCH', `${TOPICS}/arcade/status?fieldManager=x`);
    await send('DELETE', `${TOPICS}/arcade`);
    await send('GET', '/apis/apps/v1/deployments?limit=500');
    await send('GET', '/api/v1/namespaces/games');
    const terms = ({ verb, resource, namespace, name, subresource }: FaultProxy['reads'][number]) =>
      [verb, resource, namespace, name, subresource].join(' ').trimEnd();
    expect(proxy.writes.map((write) => [terms(write), write.status])).toEqual([
      ['create services games board', 201],
      ['patch kafkatopics games arcade status', 200],
      ['delete kafkatopics games arcade', 200],
    ]);
    expect(proxy.reads.map(terms)).toEqual(['list deployments', 'get namespaces  games']);
  });
});

describe('a fault of a write', () => {
  it('before it is done keeps it from the server', async () => {
    proxy.beforeWrite(() => ({ status: 429, retryAfterSeconds: 3 }));
    const response = await apply();
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.json()).toMatchObject({ kind: 'Status', code: 429, reason: 'TooManyRequests' });
    expect(origin.calls).toEqual([]);
    expect(proxy.writes).toEqual([]);
  });

  it('after it was done lies to the caller alone', async () => {
    proxy.afterWrite(() => ({ status: 500 }));
    expect((await apply()).status).toBe(500);
    expect(origin.calls).toHaveLength(1);
    expect(proxy.writes).toMatchObject([{ name: 'arcade', status: 200 }]);
  });

  it.each([
    ['reset', 'ECONNRESET'],
    ['hold', 'TimeoutError'],
  ] as const)('may be a %s, before and after', async (decision, seen) => {
    const failure = (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name;
    proxy.afterWrite(() => decision);
    expect(await apply().then(String, failure)).toBe(seen);
    expect(origin.calls).toHaveLength(1);
    proxy.beforeWrite(() => decision);
    expect(await apply().then(String, failure)).toBe(seen);
    expect(origin.calls).toHaveLength(1);
    proxy.beforeWrite();
    proxy.afterWrite();
    expect((await apply()).status).toBe(200);
  });

  it('may be chosen by what is written, and leaves reads alone', async () => {
    proxy.beforeWrite(({ resource }) => (resource === 'kafkatopics' ? { status: 409 } : 'pass'));
    expect((await apply()).status).toBe(409);
    expect((await send('DELETE', '/api/v1/namespaces/games/services/board')).status).toBe(200);
    expect((await send('GET', `${TOPICS}/arcade`)).status).toBe(200);
  });
});

describe('a watch', () => {
  it('is streamed, event by event', async () => {
    const { names, end } = await watch();
    origin.say('a');
    await expect.poll(() => names).toEqual(['a']);
    origin.say('b');
    await expect.poll(() => names).toEqual(['a', 'b']);
    for (const response of origin.watches) response.end();
    expect(await end).toBe('ended');
  });

  it('that is frozen stays open and silent, and gives all it held when it thaws', async () => {
    const { names, end } = await watch();
    proxy.freezeWatches();
    const late = await watch();
    origin.say('a');
    origin.say('b');
    for (const response of origin.watches) response.end();
    await sleep(100);
    expect([...names, ...late.names]).toEqual([]);
    proxy.thawWatches();
    expect(await Promise.all([end, late.end])).toEqual(['ended', 'ended']);
    expect([names, late.names]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('loses the events that a test chooses, however they are cut into packets', async () => {
    proxy.dropWatchEvents(({ object }) => object.metadata?.name === 'b');
    const { names } = await watch();
    const lines = ['a', 'b', 'c'].map(
      (name) => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`,
    );
    for (const piece of lines.join('').match(/.{1,7}/gs) ?? []) {
      origin.onlyWatch.write(piece);
      await sleep(1);
    }
    await expect.poll(() => names).toEqual(['a', 'c']);
  });

  it('is refused with a code when a test says so, or only where', async () => {
    proxy.answerWatches(410, ({ query }) => query.get('resourceVersion') === '5');
    await expect(watch()).rejects.toThrow('410');
    proxy.answerWatches(410, ({ query }) => query.get('resourceVersion') === '6');
    await watch();
    proxy.answerWatches();
    await watch();
  });

  it('is not read faster than its reader reads', async () => {
    const response = await fetch(`${url}${TOPICS}?watch=true`);
    const stream = origin.onlyWatch;
    const event = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x'.repeat(100_000) } } })}\n`;
    let taken = 0;
    while (stream.write(event) || (await Promise.race([once(stream, 'drain'), sleep(200)]))) taken++;
    // What fills the buffers of two connections, and no more.
    expect(taken).toBeLessThan(300);
    await response.body?.cancel();
  });

  it('ends at the server when its reader goes', async () => {
    const leaving = new AbortController();
    await fetch(`${url}${TOPICS}?watch=true`, { signal: leaving.signal });
    proxy.freezeWatches();
    const closed = once(origin.onlyWatch, 'close');
    leaving.abort();
    await closed;
  });
});

describe('a cache that lags behind', () => {
  it('has its lists from the past, and those that resume from them as they are', async () => {
    proxy.freezeWatches({ listsAsOf: '41' });
    await send('GET', `${TOPICS}?limit=2`);
    await send('GET', `${TOPICS}?limit=2&continue=token`);
    await send('GET', `${TOPICS}/arcade`);
    proxy.thawWatches();
    await send('GET', `${TOPICS}?limit=2`);
    expect(origin.calls).toEqual([
      `GET ${TOPICS}?limit=2&resourceVersion=41&resourceVersionMatch=Exact`,
      `GET ${TOPICS}?limit=2&continue=token`,
      `GET ${TOPICS}/arcade`,
      `GET ${TOPICS}?limit=2`,
    ]);
  });
});

describe('a network that fails', () => {
  it('breaks every connection, and takes new ones at once', async () => {
    const { end } = await watch();
    proxy.resetConnections();
    expect(await end).toBe('broken');
    expect((await apply()).status).toBe(200);
  });

  it('is down for a while, and then up again', async () => {
    const down = proxy.down(200);
    await expect(apply()).rejects.toThrow();
    await down;
    expect((await apply()).status).toBe(200);
  });
});
