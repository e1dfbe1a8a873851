import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Credentials, CredentialsError, watchCredentials } from '../../../dashboard/credentials.ts';
import { type Served, serve } from './served.ts';

const ALL: Credentials = { token: 'long-and-random', username: 'ann', password: 'pass:word' };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a dashboard with a sign-in', () => {
  let served: Served;
  let credentials = ALL;
  beforeEach(async () => {
    served = await serve({ credentials: () => credentials });
  });
  afterEach(async () => {
    credentials = ALL;
    await served.app.close();
  });

  const status = async (url: string, headers: Record<string, string> = {}) =>
    (await served.app.inject({ url, headers })).statusCode;

  it.each(['/', '/api/boards', '/api/boards/top-teams.csv', '/api/openapi.json', '/ws', '/metrics'])(
    'asks for it before %s, and says how',
    async (url) => {
      const { statusCode, headers, body } = await served.app.inject(url);
      expect(statusCode).toBe(401);
      expect(headers['www-authenticate']).toBe('Basic realm="dashboard", charset="UTF-8"');
      expect(headers['set-cookie']).toBeUndefined();
      expect(body).not.toContain('top-teams');
    },
  );

  it('answers the probes of Kubernetes without, and tells nothing else', async () => {
    expect(await status('/healthz')).toBe(200);
    const ready = await served.app.inject('/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([200, { ready: true }]);
    served.boards[0]?.markUnavailable('connect ECONNREFUSED 10.0.0.1:9092');
    const headers = { authorization: 'Bearer long-and-random' };
    expect((await served.app.inject({ url: '/readyz', headers })).json().boards).toHaveLength(2);
  });

  it.each([
    ['the token', 'Bearer long-and-random', 200],
    ['the token, its scheme in another case', 'bearer long-and-random', 200],
    ['name and password', basic('ann:pass:word'), 200],
    ['another token', 'Bearer long-and-randon', 401],
    ['a part of the token', 'Bearer long', 401],
    ['the token as a password', basic('ann:long-and-random'), 401],
    ['a name without its password', basic('ann:'), 401],
    ['nothing', '', 401],
    ['a scheme alone', 'Bearer ', 401],
    ['an undefined', 'Bearer undefined', 401],
  ])('answers %s with its status', async (_, authorization, code) => {
    expect(await status('/api/boards', { authorization })).toBe(code);
  });

  it('leaves browsers a cookie, which scripts and other sites cannot use', async () => {
    const { headers } = await served.app.inject({
      url: '/',
      headers: { authorization: basic('ann:pass:word') },
    });
    const left = String(headers['set-cookie']);
    expect(left).toMatch(/^gameanalytics-sign-in=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const [cookie = ''] = left.split(';');
    expect(await status('/', { cookie: `other=1; ${cookie}` })).toBe(200);
    expect(await status('/', { cookie: `${cookie.slice(0, -1)}` })).toBe(401);
    credentials = { ...ALL, password: 'changed' };
    expect(await status('/', { cookie })).toBe(401);
  });

  describe('that is guessed at', () => {
    const ask = (
      authorization: string,
      more: { url?: string; remoteAddress?: string; headers?: object } = {},
    ) => served.app.inject({ url: '/', ...more, headers: { authorization, ...more.headers } });
    const guess = async (count: number, more = {}) => {
      for (let index = 0; index < count; index += 1) await ask(basic(`ann:guess-${index}`), more);
    };

    it('asks an address with ten wrong answers to wait, whatever it says then', async () => {
      await guess(9);
      expect((await ask(basic('ann:pass:word'))).statusCode).toBe(200);
      await guess(1);
      for (const authorization of [basic('ann:other'), basic('ann:pass:word'), 'Bearer long-and-random']) {
        const { statusCode, headers, body } = await ask(authorization);
        expect(statusCode).toBe(429);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(body).not.toContain('Team a');
      }
      expect(await served.refused('too many guesses')).toBe(3);
    });

    it('serves other addresses, and browsers that are signed in', async () => {
      const left = String((await ask(basic('ann:pass:word'))).headers['set-cookie']).split(';')[0];
      await guess(20);
      expect((await ask('Bearer long-and-random', { remoteAddress: '10.0.0.2' })).statusCode).toBe(200);
      expect((await ask(basic('ann:pass:word'), { headers: { cookie: left } })).statusCode).toBe(200);
      expect(await status('/', { cookie: String(left) })).toBe(200);
    });

    it('counts no requests without an answer, nor right ones', async () => {
      for (let index = 0; index < 30; index += 1) {
        expect(await status('/')).toBe(401);
        expect(await status('/', { authorization: 'Bearer long-and-random' })).toBe(200);
      }
    });

    it.each(['/readyz', '/metrics', '/nothing', '/ws'])('counts those at %s too', async (url) => {
      await guess(10, { url });
      expect((await ask('Bearer long-and-random')).statusCode).toBe(429);
      const ready = await ask('Bearer long-and-random', { url: '/readyz' });
      expect(ready.json()).toEqual({ ready: true });
    });
  });

  it('does not ask browsers for what they cannot give', async () => {
    credentials = { token: 'only' };
    const { headers } = await served.app.inject('/');
    expect(headers['www-authenticate']).toBe('Bearer realm="dashboard"');
  });
});

describe('the credentials in a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gameanalytics-sign-in-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (key: string, text: string) => writeFileSync(join(folder, key), text);

  it('must be there: a dashboard that was to be closed is not opened for want of them', () => {
    const refused = /\S+ must have a file token, or username and password/;
    expect(() => watchCredentials(folder, () => 0)).toThrow(CredentialsError);
    write('username', 'ann');
    write('token', '\n');
    expect(() => watchCredentials(folder, () => 0)).toThrow(refused);
  });

  it('are read again when they change, and stay when they cannot be read', () => {
    let now = 0;
    write('token', 'first\n');
    const credentials = watchCredentials(folder, () => now);
    expect(credentials()).toEqual({ token: 'first', username: 'ann', password: undefined });
    write('token', 'second');
    now += 10_000;
    expect(credentials().token).toBe('second');
    write('token', '');
    now += 10_000;
    expect(credentials().token).toBe('second');
  });
});
