import { once } from 'node:events';
import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenAddress } from '../../../lib/listen-address.ts';
import { startProbeServer } from '../../../lib/probe-server.ts';
import { keptLog } from '../operator/observed.ts';

/** A web on a free port, and what it says of the operator. */
async function startedWeb(port = 0) {
  const state = { unready: ['the list of KafkaTopics is not there yet', 'no Lease'] };
  const registry = new Registry();
  const { log, lines } = keptLog();
  const ready = () => state.unready;
  const web = await startProbeServer({ host: '127.0.0.1', port, ready, registry, log });
  onTestFinished(() => web.close());
  const get = async (path: string) => {
    const response = await fetch(web.url + path);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  return { web, state, registry, lines, get };
}

it.each([
  ['::', listenAddress('::') === '::' ? /^http:\/\/\[::\]:\d+$/ : /^http:\/\/0\.0\.0\.0:\d+$/],
  ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/],
  ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
])('its address is the one it listens on: %s', async (host, url) => {
  const { log } = keptLog();
  const web = await startProbeServer({ host, port: 0, ready: () => [], registry: new Registry(), log });
  onTestFinished(() => web.close());
  expect(web.url).toMatch(url);
});

describe('/readyz', () => {
  it('says in sentences what is not ready yet, and ok when nothing is missing', async () => {
    const { state, get } = await startedWeb();
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: 'the list of KafkaTopics is not there yet\nno Lease\n',
    });
    state.unready = [];
    expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
  });
});

describe('/healthz', () => {
  it('is healthy while the operator is not ready', async () => {
    const { get } = await startedWeb();
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  });
});

describe('/metrics', () => {
  it('is what Prometheus reads', async () => {
    const { registry, get } = await startedWeb();
    new Gauge({ name: 'answer', help: 'of all questions', registers: [registry] }).set(42);
    const { status, type, text } = await get('/metrics');
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    expect(text).toContain('\nanswer 42\n');
  });

  it('logs what goes wrong and keeps it to itself', async () => {
    const { registry, lines, get } = await startedWeb();
    const collect = () => {
      throw new Error('secret');
    };
    new Gauge({ name: 'broken', help: 'never read', registers: [registry], collect });
    expect(await get('/metrics')).toMatchObject({ status: 500, text: expect.not.stringContaining('secret') });
    expect(lines).toMatchObject([{ level: 50, msg: 'cannot answer /metrics', err: { message: 'secret' } }]);
  });
});

describe('startProbeServer', () => {
  it('says which setting to change when its port is taken', async () => {
    const { web } = await startedWeb();
    const { port } = new URL(web.url);
    await expect(startedWeb(Number(port))).rejects.toThrow(
      `127.0.0.1:${port} is in use; set PORT to another`,
    );
  });

  it('no longer answers when it is closed', async () => {
    const { web, get } = await startedWeb();
    await get('/healthz');
    await web.close();
    await expect(get('/healthz')).rejects.toThrow();
  });

  it('closes though someone has sent half a request', async () => {
    const { web } = await startedWeb();
    const socket = connect(Number(new URL(web.url).port), '127.0.0.1');
    socket.on('error', () => {}).write('GET /metrics HTTP/1.1\r\nHost:');
    await once(socket, 'connect');
    await fetch(`${web.url}/healthz`);
    const closed = once(socket, 'close');
    await web.close();
    await closed;
  });
});
