import { METHODS } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Served, serve } from './served.ts';

const TOKEN = 'long-and-random';

let served: Served;
/** What Kafka was given. */
let written: [id: string, state: string | undefined][];
let isKafkaAway: boolean;
beforeEach(async () => {
  written = [];
  isKafkaAway = false;
  served = await serve({
    credentials: () => ({ token: 'of-viewers' }),
    playersWriter: {
      credentials: () => ({ token: TOKEN }),
      write: async (id, state) => {
        if (isKafkaAway) throw new Error('ECONNREFUSED 10.0.0.1:9092');
        written.push([id, state]);
      },
    },
  });
});
afterEach(() => served.app.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  served.app.inject({
    method: 'POST',
    url: '/api/players',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

it('writes what a program with the token says of a player', async () => {
  const longest = '"\u0001🏆/'.repeat(64);
  for (const [id, state] of [
    ['USR1', 'hidden'],
    ['USR1', 'erased'],
    [longest, 'shown'],
  ] as const)
    expect(await post({ id, state })).toMatchObject({ statusCode: 204, body: '' });
  expect(written).toEqual([
    ['USR1', 'hidden'],
    ['USR1', 'erased'],
    [longest, undefined],
  ]);
});

it.each([
  ['no id', { state: 'hidden' }],
  ['an empty id', { id: '', state: 'hidden' }],
  ['an id that no player has', { id: 'x'.repeat(257), state: 'hidden' }],
  ['an id that is no text', { id: 7, state: 'hidden' }],
  ['another state', { id: 'a', state: 'banned' }],
  ['the value of a record', { id: 'a', hidden: true }],
  ['more than there is', { id: 'a', state: 'hidden', why: 'cheated' }],
  ['a list', [{ id: 'a', state: 'hidden' }]],
  ['null', null],
  ['no JSON', '{'],
  ['nothing', ''],
])('refuses %s with a sentence, and writes nothing', async (_, body) => {
  const answer = await post(body);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toEqual({ error: expect.stringMatching(/\w+ \w+/) });
  expect(written).toEqual([]);
});

it.each([
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['plain text', { 'content-type': 'text/plain' }, 400],
  ['what viewers have', { authorization: 'Bearer of-viewers' }, 401],
  ['a name and a password', { authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}` }, 401],
  ['no token', { authorization: '' }, 401],
])('refuses %s', async (_, headers, status) => {
  expect((await post({ id: 'a', state: 'hidden' }, headers)).statusCode).toBe(status);
  expect(written).toEqual([]);
});

it('lets nobody guess the token', async () => {
  for (let i = 0; i < 10; i += 1) await post({}, { authorization: `Bearer ${i}` });
  expect((await post({ id: 'a', state: 'hidden' })).statusCode).toBe(429);
});

it('says when Kafka does not have it', async () => {
  isKafkaAway = true;
  const answer = await post({ id: 'a', state: 'hidden' });
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.body).not.toContain('10.0.0.1');
  expect(written).toEqual([]);
});

it.each(METHODS.filter((method) => !['POST', 'CONNECT'].includes(method)))('is no %s', async (method) => {
  const answer = await served.app.inject({ method: method as 'GET', url: '/api/players' });
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST']);
});

it('is in the OpenAPI document, where programs may do it', async () => {
  const headers = { authorization: 'Bearer of-viewers' };
  const document = (await served.app.inject({ url: '/api/openapi.json', headers })).json();
  expect((await new Validator().validate(document)).errors ?? []).toEqual([]);
  expect(document.paths['/api/players'].post.security).toEqual([{ bearer: [] }]);
});

it('is not there where nobody may do it', async () => {
  const open = await serve();
  const { statusCode } = await open.app.inject({ method: 'POST', url: '/api/players', body: {} });
  expect(statusCode).toBe(404);
  expect((await open.app.inject('/api/openapi.json')).json().paths['/api/players']).toBeUndefined();
  await open.app.close();
});
