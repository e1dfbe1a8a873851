import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import {
  HOUR,
  liveBoardOf,
  NOW,
  record,
  SEASON,
  season,
  TOP_TEAMS_JSON,
  team,
  tombstone,
} from './fixtures.ts';
import { type Served, serve } from './served.ts';

let served: Served;
afterEach(() => served.app.close());

const get = (url: string, headers = {}) => served.app.inject({ url, headers });

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    served = await serve();
    const document = (await get('/api/openapi.json')).json();
    expect(document.openapi).toMatch(/^3\.1\./);
    const { valid, errors } = await new Validator().validate(document);
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('says of every answer what it is like, and leaves out none', async () => {
    const history = async (at: number) => served.teams.view(at);
    served = await serve({ histories: new Map([['top-teams', history]]) });
    served.teams.apply(season([team('old', 5)], SEASON - HOUR), NOW);
    const { paths, components } = (await get('/api/openapi.json')).json();
    const ajv = new Ajv2020({ validateFormats: false, strict: false, schemas: [{ $id: 'api', components }] });
    const asked: [path: string, url: string, code: number][] = [
      ['/api/boards', '/api/boards', 200],
      ['/api/boards/{name}', '/api/boards/top-teams', 200],
      ['/api/boards/{name}', '/api/boards/hot-streakers', 200],
      ['/api/boards/{name}', '/api/boards/top-teams?season=last', 200],
      ['/api/boards/{name}/seasons', '/api/boards/top-teams/seasons', 200],
      ['/api/boards/{name}', `/api/boards/top-teams?at=${NOW - 1}`, 200],
      ['/api/boards/{name}', '/api/boards/top-teams?at=soon', 400],
      ['/api/boards/{name}', '/api/boards/nothing', 404],
      ['/api/stats', '/api/stats', 200],
    ];
    for (const [path, url, code] of asked) {
      const response = await get(url);
      expect(response.statusCode, url).toBe(code);
      const { $ref } = paths[path].get.responses[code].content['application/json'].schema;
      const validate = ajv.getSchema(`api${$ref}`);
      expect(validate?.(response.json()), `${url}: ${JSON.stringify(validate?.errors)}`).toBe(true);
    }
    expect(Object.keys(paths).sort()).toEqual([
      '/api/boards',
      '/api/boards/{name}',
      '/api/boards/{name}.csv',
      '/api/boards/{name}/seasons',
      '/api/boards/{name}/values',
      '/api/stats',
    ]);
  });
});

describe('an ETag', () => {
  it('saves an answer that would be the same, and only that', async () => {
    served = await serve();
    for (const url of ['/api/boards/top-teams', '/api/boards/top-teams.csv', '/api/openapi.json']) {
      const { headers } = await get(url);
      expect(headers['cache-control']).toBe('private, no-cache');
      const again = await get(url, { 'if-none-match': headers.etag });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    }
    const { headers } = await get('/api/boards/top-teams');
    served.teams.apply(season([team('c', 30)]), NOW);
    expect((await get('/api/boards/top-teams', { 'if-none-match': headers.etag })).statusCode).toBe(200);
  });

  it.each([
    ['a list', (etag: string) => `"other", ${etag}, W/"another"`, 304],
    ['the tag without its weakness', (etag: string) => etag.replace('W/', ''), 304],
    ['anything', () => '*', 304],
    ['others', () => '"a", W/"b"', 200],
    ['a part of the tag', (etag: string) => etag.slice(0, -3), 200],
  ])('is compared with %s', async (_, known, status) => {
    served = await serve();
    const { headers } = await get('/api/boards/top-teams');
    const answer = await get('/api/boards/top-teams', { 'if-none-match': known(String(headers.etag)) });
    expect(answer.statusCode).toBe(status);
  });

  it('does not hide that there is no such board', async () => {
    served = await serve();
    const { headers } = await get('/api/boards/nothing');
    const again = await get('/api/boards/nothing', { 'if-none-match': headers.etag ?? '*' });
    expect(again.statusCode).toBe(404);
  });

  it('is the same on every replica', async () => {
    const other = await serve();
    served = await serve();
    const [one, two] = await Promise.all([
      get('/api/boards/top-teams'),
      other.app.inject('/api/boards/top-teams'),
    ]);
    expect(one.headers.etag).toBe(two.headers.etag);
    await other.app.close();
  });
});

it('a board of another definition is none of our own: the board stays as it was', async () => {
  served = await serve();
  const before = (await get('/api/boards/top-teams')).json();
  const rows = [{ rnk: 1, ...team('other', 99) }];
  served.teams.apply(record({ season_start: SEASON }, { digest: 'd2', rows }), NOW);
  expect((await get('/api/boards/top-teams')).json()).toEqual(before);
  expect(before.rows).toHaveLength(2);
});

it('a season once shown stays shown when its rows are taken back, and the last one is still available', async () => {
  served = await serve();
  served.teams.apply(season([team('old', 5)], SEASON - HOUR), NOW);
  served.teams.apply(tombstone(), NOW);
  const { season: shown, rows } = (await get('/api/boards/top-teams')).json();
  expect([shown.start, rows]).toEqual([new Date(SEASON).toISOString(), []]);
  expect((await get('/api/boards/top-teams?season=last')).json().rows).toHaveLength(1);
});

it('other sites may not read the API', async () => {
  served = await serve();
  const { headers } = await get('/api/boards', { origin: 'https://other.example' });
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

describe('an answer', () => {
  it('is compressed for who takes it, under one ETag, when that makes it smaller', async () => {
    served = await serve();
    const url = '/api/openapi.json';
    const plain = await get(url);
    for (const [encoding, unpack] of [
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ] as const) {
      const { rawPayload, headers } = await get(url, { 'accept-encoding': encoding });
      expect(headers).toMatchObject({ 'content-encoding': encoding, etag: plain.headers.etag });
      expect(unpack(rawPayload).toString()).toBe(plain.body);
    }
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding' });
    expect(
      (await get('/api/boards', { 'accept-encoding': 'br' })).headers['content-encoding'],
    ).toBeUndefined();
  });

  it('has times as ISO 8601 wherever they are', async () => {
    const columns = [{ name: 'peak_at', label: 'When', type: 'time' }];
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns, bar: undefined });
    served = await serve({ boards: [liveBoardOf(definition, [season([{ team_id: 'a', peak_at: NOW }])])] });
    const { rows } = (await get('/api/boards/top-teams')).json();
    expect(rows).toEqual([{ rank: 1, team_id: 'a', peak_at: new Date(NOW).toISOString() }]);
    const { body } = await get('/api/boards/top-teams.csv');
    expect(body.split('\r\n')[1]).toBe(`1,a,${new Date(NOW).toISOString()}`);
  });
});

describe('a download', () => {
  it('is RFC 4180, named, with the columns first', async () => {
    served = await serve();
    served.teams.apply(season([team('a', 20), team('b "the bold", junior', 10)]), NOW);
    const { headers, body } = await get('/api/boards/top-teams.csv');
    expect(headers['content-type']).toMatch(/^text\/csv; charset=utf-8/);
    expect(headers['content-disposition']).toBe('attachment; filename="top-teams.csv"');
    expect(body).toBe(
      [
        'rank,team_id,team_name,total_score',
        '1,a,Team a,20',
        '2,"b ""the bold"", junior","Team b ""the bold"", junior",10',
        '',
      ].join('\r\n'),
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('makes no formula of a team %j', async (id) => {
    served = await serve();
    served.teams.apply(season([team(id, -5)]), NOW);
    const [, line] = (await get('/api/boards/top-teams.csv')).body.split('\r\n');
    expect(line).toMatch(/^1,"?'/);
    expect(line).toMatch(/,-5$|\r/);
  });
});

describe('past seasons', () => {
  const past = (hours: number) => season([team(`winner-${hours}`, 5)], SEASON - hours * HOUR);

  it('are listed, the newest first, as many as the board keeps, and each is found', async () => {
    served = await serve();
    for (const hours of [4, 3, 2, 1, 0]) served.teams.apply(past(hours), NOW);
    const { seasons } = (await get('/api/boards/top-teams/seasons')).json();
    expect(seasons.map(({ start, over }: { start: string; over: boolean }) => [start, over])).toEqual(
      [0, 1, 2].map((hours) => [new Date(SEASON - hours * HOUR).toISOString(), hours > 0]),
    );
    for (const [i, { url }] of seasons.entries())
      expect((await get(url)).json().rows[0].team_id).toBe(`winner-${i}`);
  });

  it('are found by any moment of theirs, as CSV too', async () => {
    served = await serve();
    for (const hours of [2, 1, 0]) served.teams.apply(past(hours), NOW);
    const moment = new Date(SEASON - HOUR - 1).toISOString();
    const { season: found, rows } = (await get(`/api/boards/top-teams?season=${moment}`)).json();
    expect([found.end, rows[0].team_id]).toEqual([new Date(SEASON - HOUR).toISOString(), 'winner-2']);
    expect((await get(`/api/boards/top-teams.csv?season=${moment}`)).body).toContain('winner-2');
  });

  it('say from when on no event counts in them, if they are frozen', async () => {
    const period = { ...TOP_TEAMS_JSON.period, latestArrivalMillis: 600_000 };
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, period });
    served = await serve({ boards: [liveBoardOf(definition, [season([team('a', 20)])])] });
    const { seasons } = (await get('/api/boards/top-teams/seasons')).json();
    const frozenAt = new Date(SEASON + HOUR + 600_000).toISOString();
    expect(seasons).toMatchObject([{ end: new Date(SEASON + HOUR).toISOString(), frozenAt }]);
    expect((await get('/api/boards/top-teams')).json().season).toMatchObject({ frozenAt });
  });

  it('are none of a board of instants', async () => {
    served = await serve();
    expect((await get('/api/boards/hot-streakers/seasons')).json()).toEqual({ seasons: [] });
  });
});

describe('the season before', () => {
  it('comes as JSON and as CSV', async () => {
    served = await serve();
    served.teams.apply(season([team('old', 5)], SEASON - HOUR), NOW);
    const last = (await get('/api/boards/top-teams?season=last')).json();
    expect(last.season).toEqual({
      start: new Date(SEASON - HOUR).toISOString(),
      end: new Date(SEASON).toISOString(),
      over: true,
    });
    expect(last.rows).toEqual([{ rank: 1, team_id: 'old', team_name: 'Team old', total_score: 5 }]);
    expect((await get('/api/boards/top-teams.csv?season=last')).body).toContain('1,old,Team old,5');
  });

  it('is asked for in one word, and the one that is shown in another', async () => {
    served = await serve();
    const [now, asked] = [await get('/api/boards/top-teams'), await get('/api/boards/top-teams?season=this')];
    expect(asked.json()).toEqual(now.json());
    expect((await get('/api/boards/hot-streakers?season=this')).statusCode).toBe(200);
  });

  it.each([
    ['top-teams?season=last', 404, 'nothing is kept of the season before'],
    ['hot-streakers?season=last', 404, 'this board has no seasons'],
    ['top-teams?season=next', 400, expect.stringMatching(/^season can be this, last, or a moment/)],
    ['top-teams?season=last&at=0', 400, expect.stringMatching(/and not together with at$/)],
    [`top-teams?season=${SEASON - 5 * HOUR}`, 404, 'nothing is kept of this season'],
    [`hot-streakers?season=${SEASON}`, 404, 'this board has no seasons'],
    ['no-board/seasons', 404, 'there is no such board; /api/boards lists them'],
  ])('is refused for %s with %i', async (url, code, error) => {
    served = await serve();
    const response = await get(`/api/boards/${url}`);
    expect([response.statusCode, response.json()]).toEqual([code, { error }]);
  });
});
