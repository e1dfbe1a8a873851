import { once } from 'node:events';
import { METHODS } from 'node:http';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countries, liveBoardOf, topTeams } from './fixtures.ts';
import { listen, type Served, serve } from './served.ts';

const HEADERS = {
  'content-security-policy': expect.stringContaining("default-src 'none'"),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
};
const SENTENCE = { error: expect.stringMatching(/^[^{}]{10,}$/) };

describe.each(['', '/games/arcade'])('what cannot be answered, below %j,', (basePath) => {
  let served: Served;
  let port: number;
  beforeAll(async () => {
    served = await serve({ basePath });
    port = Number((await listen(served.app)).split(':')[1]);
  });
  afterAll(() => served.app.close());

  /** Sends bytes as they are, which no client would. */
  async function raw(bytes: string): Promise<{ status: number; headers: Headers; body: unknown }> {
    const socket = createConnection(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    const [statusLine = '', ...lines] = head.split('\r\n');
    const pairs = lines.map((line) => line.split(': ') as [string, string]);
    return {
      status: Number(statusLine.split(' ')[1]),
      headers: new Headers(pairs),
      body: JSON.parse(body),
    };
  }

  async function expectRefusal(bytes: string, status: number): Promise<Headers> {
    const answer = await raw(bytes);
    expect([answer.status, answer.body]).toEqual([status, SENTENCE]);
    expect(Object.fromEntries(answer.headers)).toMatchObject(HEADERS);
    return answer.headers;
  }

  const get = (path: string, more = '') =>
    `GET ${basePath}${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`;

  it.each(['/boards/%ff', '/api/boards/%E0%A4%A', '/%', '/boards/%2'])('is a URL like %s', async (path) => {
    await expectRefusal(get(path), 400);
  });

  it('is a name that nobody would give', async () => {
    await expectRefusal(get(`/api/boards/${'x'.repeat(1000)}`), 400);
  });

  it('are headers of any size', async () => {
    await expectRefusal(get('/', `X-Large: ${'x'.repeat(20_000)}\r\n`), 431);
  });

  it('is what is no HTTP', async () => {
    await expectRefusal('\x16\x03\x01\x02\x00\r\n\r\n', 400);
    await expectRefusal('GET / HTTP/9.9\r\n\r\n', 400);
  });

  it('is a WebSocket that is asked for like a page', async () => {
    const headers = await expectRefusal(get('/ws'), 426);
    expect(headers.get('upgrade')).toBe('websocket');
  });

  it('is nothing: programs get JSON, browsers a page', async () => {
    await expectRefusal(get('/nothing'), 404);
    const response = await served.app.inject({
      url: `${basePath}/one/two/three`,
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    });
    expect(response.statusCode).toBe(404);
    expect(response.headers).toMatchObject({ ...HEADERS, 'content-type': 'text/html; charset=utf-8' });
    expect(response.body).toContain('There is no such page');
    const home = new URL(
      /<a href="([^"]*)"/.exec(response.body)?.[1] ?? '',
      `http://x${basePath}/one/two/three`,
    );
    expect((await served.app.inject(home.pathname)).statusCode).toBe(200);
    const [, style = ''] = /href="([^"]*\.css)"/.exec(response.body) ?? [];
    const { pathname } = new URL(style, `http://x${basePath}/one/two/three`);
    expect((await served.app.inject(pathname)).statusCode).toBe(200);
  });

  it.each(METHODS.filter((method) => !['GET', 'HEAD', 'CONNECT'].includes(method)))(
    'is %s of what there is',
    async (method) => {
      for (const path of ['/', '/boards/top-teams', '/api/boards/top-teams', '/api/stats', '/ws']) {
        const body = method === 'POST' ? 'Content-Type: text/strange\r\nContent-Length: 2\r\n' : '';
        const request = get(path, body).replace('GET', method);
        const { status, headers, body: answer } = await raw(body ? `${request}xx` : request);
        expect([path, status, answer]).toEqual([path, 405, SENTENCE]);
        expect(headers.get('allow')).toBe('GET, HEAD');
        expect(Object.fromEntries(headers)).toMatchObject(HEADERS);
      }
    },
  );
});

describe('an address', () => {
  let served: Served;
  afterEach(() => served.app.close());

  it.each([
    ['/boards', '/'],
    ['/boards/', '/'],
    ['/boards?season=last', '/?season=last'],
    ['/boards/top-teams/', '/boards/top-teams'],
    ['/boards/top-teams/?theme=dark&q=fox', '/boards/top-teams?q=fox&theme=dark'],
    ['/boards/..%2f..%2fevil.example/', '/boards/..%2F..%2Fevil.example'],
    ['/boards/%2f%2fevil.example/', '/boards/%2F%2Fevil.example'],
    ['/boards/countries/NO', '/boards/countries?by.countries=NO'],
    ['/boards/countries/a%2fb%26c?season=last', '/boards/countries?season=last&by.countries=a%2Fb%26c'],
  ])('%s leads to %s, also where a proxy has put a path before it', async (from, to) => {
    served = await serve({ boards: [liveBoardOf(topTeams, []), liveBoardOf(countries, [])] });
    const { statusCode, headers } = await served.app.inject(from);
    expect(statusCode).toBe(302);
    const { href } = new URL(headers.location ?? '', `http://host.example/proxied${from}`);
    expect(href).toBe(`http://host.example/proxied${to}`);
  });

  it.each(['/boards/top-teams/NO', '/boards/nothing/NO'])(
    '%s, of no board by value, is none',
    async (path) => {
      served = await serve({ boards: [liveBoardOf(topTeams, []), liveBoardOf(countries, [])] });
      expect((await served.app.inject(path)).statusCode).toBe(404);
    },
  );
});

it('what throws is answered without a word from inside', async () => {
  const histories = new Map([
    [
      'top-teams',
      () => {
        throw new Error('password=secret');
      },
    ],
  ]);
  const { app } = await serve({ histories });
  const response = await app.inject('/api/boards/top-teams?at=0');
  expect([response.statusCode, response.json()]).toEqual([500, SENTENCE]);
  expect(response.body).not.toContain('secret');
  await app.close();
});
