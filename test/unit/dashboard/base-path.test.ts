import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, type Served, serve } from './served.ts';

describe('a dashboard below a path', () => {
  let served: Served;
  let host: string;
  beforeAll(async () => {
    const credentials = () => ({ username: 'ann', password: 'pass' });
    served = await serve({ basePath: '/games/arcade', credentials });
    host = await listen(served.app);
  });
  afterAll(() => served.app.close());

  const authorization = `Basic ${Buffer.from('ann:pass').toString('base64')}`;
  const get = (url: string) => served.app.inject({ url, headers: { authorization } });

  it('has its page there, with all that the page names', async () => {
    const { statusCode, body, headers } = await get('/games/arcade/');
    expect(statusCode).toBe(200);
    expect(headers['set-cookie']).toContain('; Path=/games/arcade/;');
    const names = [...body.matchAll(/(?:href|src)="([^"#?]+\.[a-z]+)"/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      const { pathname } = new URL(name, `http://${host}/games/arcade/`);
      expect((await get(pathname)).statusCode, name).toBe(200);
    }
  });

  it.each([
    ['/games/arcade', '/games/arcade/'],
    ['/games/arcade?season=last&q=a?b', '/games/arcade/?season=last&q=a?b'],
    ['/', '/games/arcade/'],
  ])('leads from %s to %s', async (from, to) => {
    const { statusCode, headers } = await get(from);
    expect([statusCode, headers.location]).toEqual([302, to]);
  });

  it('has its API there, which knows where it is', async () => {
    const { boards } = (await get('/games/arcade/api/boards')).json();
    expect((await get(boards[0].url)).json().name).toBe('top-teams');
    const { servers } = (await get('/games/arcade/api/openapi.json')).json();
    expect(servers).toEqual([{ url: '/games/arcade' }]);
  });

  it('answers probes and metrics at the root, and nothing else', async () => {
    for (const url of ['/healthz', '/readyz', '/metrics']) expect((await get(url)).statusCode, url).toBe(200);
    for (const url of ['/api/boards', '/ws', '/games', '/games/arcade/healthz'])
      expect((await get(url)).statusCode, url).toBe(404);
  });
});

it('the headers are strict, and ask for no HTTPS where there may be none', async () => {
  const { app } = await serve();
  const { headers } = await app.inject('/');
  expect(headers['content-security-policy']).toBe(
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
  );
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['strict-transport-security']).toBeUndefined();
  await app.close();
});
