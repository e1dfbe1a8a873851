import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import type { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { ValueRankHistory } from '../../../dashboard/boards/rank-history.ts';
import { createPanel } from '../../../dashboard/page/panel.ts';
import { TeamColors } from '../../../dashboard/page/team-color.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import {
  boardOf,
  COUNTRIES_JSON,
  countries,
  HOUR,
  liveBoardOf,
  NOW,
  ofValue,
  record,
  SEASON,
  season,
  team,
  tombstone,
  topTeams,
} from './fixtures.ts';
import { type Served, serve } from './served.ts';

const valuesOf = (board: Board) => board.values(NOW)?.values.map(({ name }) => name);
const leaderOf = (board: Board, value?: string) =>
  board.view(NOW, 'this', value).rows[0]?.values.get('team_id');

/** Values that break what forgets to quote them. */
const HOSTILE = [
  '"><script>alert(1)</script>',
  "'; DROP TABLE x; --",
  '🏆'.repeat(256),
  '=1+1',
  'a&by=b#c',
  '../../etc/passwd',
  '__proto__',
  'line\nbreak\r\n\u0000',
  '\u202eright to left',
  ' ',
];

describe('a board by value', () => {
  it('has a board of each value', () => {
    const board = boardOf(countries, [ofValue('SE', [team('s', 5)]), ofValue('NO', [team('n', 9)])]);
    expect(['SE', 'NO'].map((value) => leaderOf(board, value))).toEqual(['s', 'n']);
    expect(board.view(NOW, 'this', 'DK')).toMatchObject({
      rows: [],
      updatedMillis: undefined,
      value: { name: 'DK', isKept: false },
    });
  });

  it('shows the first value in order unless asked for another', () => {
    const board = boardOf(countries, [ofValue('SE', [team('s', 5)]), ofValue('NO', [team('n', 9)])]);
    expect(board.view(NOW).value?.name).toBe('NO');
    board.apply(ofValue('DK', [team('d', 1)]), NOW);
    expect(board.view(NOW).value?.name).toBe('DK');
    expect(boardOf(countries, []).view(NOW).value).toEqual({
      name: undefined,
      isKept: false,
      kept: 0,
      leftOut: 0,
    });
  });

  it('is that of one season for all values', () => {
    const board = boardOf(countries, [
      ofValue('NO', [team('n', 9)], SEASON - HOUR),
      ofValue('SE', [team('s', 5)]),
    ]);
    expect(board.view(NOW, 'this', 'NO')).toMatchObject({ period: { startMillis: SEASON }, rows: [] });
    expect(board.view(NOW, 'last', 'NO').rows).toHaveLength(1);
    expect(board.view(NOW, SEASON - 1, 'NO').rows).toHaveLength(1);
    expect(board.view(NOW, SEASON - HOUR - 1, 'NO')).toMatchObject({ period: undefined, rows: [] });
    expect(board.values(NOW, 'last')?.values.map(({ name }) => name)).toEqual(['NO']);
  });

  it('was updated when the value was', () => {
    const board = boardOf(countries, [
      ofValue('NO', [team('n', 9)], SEASON, NOW - 90_000),
      ofValue('SE', [team('s', 5)], SEASON, NOW - 5000),
    ]);
    expect(board.view(NOW, 'this', 'NO').updatedMillis).toBe(NOW - 90_000);
    expect(board.updatedMillis).toBe(NOW - 5000);
  });

  it.each(HOSTILE)('takes any text for a value: %j', (value) => {
    expect(leaderOf(boardOf(countries, [ofValue(value, [team('a', 1)])]), value)).toBe('a');
  });

  it.each([[''], ['x'.repeat(513)], [5], [null], [{}]])('has no value %j', (value) => {
    const raw = record({ season_start: SEASON, value }, { digest: 'd1', rows: [] });
    expect(boardOf(countries, []).apply(raw, NOW)).toBe('malformed');
  });

  it('is not changed by records without values, nor others by records with one', () => {
    const board = boardOf(countries, [ofValue('NO', [team('n', 9)])]);
    expect([season([team('x', 1)]), tombstone()].map((raw) => board.apply(raw, NOW))).toEqual([
      'ignored',
      'ignored',
    ]);
    expect(valuesOf(board)).toEqual(['NO']);
    const plain = boardOf(topTeams, [season([team('a', 1)])]);
    const ofAnother = [ofValue('NO', [team('n', 9)]), record({ season_start: SEASON, value: 'NO' }, null)];
    expect(ofAnother.map((raw) => plain.apply(raw, NOW))).toEqual(['ignored', 'ignored']);
    expect(plain.view(NOW).rows).toHaveLength(1);
  });

  it('has no longer a value whose board was taken back', () => {
    const board = boardOf(countries, [ofValue('NO', [team('n', 9)]), ofValue('SE', [team('s', 9)])]);
    board.apply(record({ season_start: SEASON, value: 'NO' }, null), NOW);
    expect(valuesOf(board)).toEqual(['SE']);
  });

  it('tells of a value which events are new, but not of one that is seen for the first time', () => {
    const board = boardOf(countries, []);
    const newEvents = (raw: KafkaRecord) => {
      board.apply(raw, NOW);
      return board.newEvents;
    };
    expect(newEvents(ofValue('NO', [team('n', 1, NOW - 9)]))).toEqual([]);
    expect(newEvents(ofValue('SE', [team('s', 1, NOW - 50)]))).toEqual([]);
    expect(newEvents(ofValue('SE', [team('s', 2, NOW - 40)]))).toEqual([NOW - 40]);
    expect(newEvents(ofValue('SE', [team('s', 1, NOW - 50)]))).toEqual([]);
  });
});

describe('of many values', () => {
  it('those are kept whose boards changed last, and the others counted', () => {
    const board = boardOf(
      countries,
      ['AT', 'BE', 'CH', 'DK', 'AT', 'EE'].map((value) => ofValue(value, [team(value, 1)])),
    );
    expect(valuesOf(board)).toEqual(['AT', 'DK', 'EE']);
    expect(board.view(NOW).value?.leftOut).toBe(2);
    board.apply(ofValue('BE', [team('again', 7)]), NOW);
    expect([valuesOf(board), leaderOf(board, 'BE')]).toEqual([['AT', 'BE', 'EE'], 'again']);
    expect(board.view(NOW).value?.leftOut).toBe(2);
  });

  it('every reader keeps the same, also one that reads what compaction has left', () => {
    const writes = fc.array(fc.record({ value: fc.constantFrom(...'abcdefgh'), score: fc.nat(99) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(writes, fc.nat(60), (log, compactedTo) => {
        const records = log.map(({ value, score }) => ofValue(value, [team(`${score}`, score)]));
        const isNewest = (index: number) =>
          index >= compactedTo ||
          !log.some(({ value }, later) => later > index && value === log[index]!.value);
        const [whole, compacted] = [records, records.filter((_, index) => isNewest(index))].map((read) =>
          boardOf(countries, read),
        );
        const rows = (board: Board) =>
          board.values(NOW)?.values.map(({ name }) => [name, leaderOf(board, name)]);
        expect(rows(compacted!)).toEqual(rows(whole!));
        const all = new Set(log.map(({ value }) => value)).size;
        expect(whole!.view(NOW).value?.leftOut).toBe(Math.max(0, all - 3));
        expect(compacted!.view(NOW).value?.leftOut).toBe(Math.max(0, all - 3));
      }),
    );
  });

  it('each season keeps its own', () => {
    const board = boardOf(countries, [
      ...['a', 'b', 'c'].map((value) => ofValue(value, [team(value, 1)], SEASON - HOUR)),
      ...['d', 'e', 'f'].map((value) => ofValue(value, [team(value, 1)])),
    ]);
    expect(valuesOf(board)).toEqual(['d', 'e', 'f']);
    expect(board.values(NOW, 'last')).toMatchObject({ leftOut: 0, values: [{}, {}, {}] });
  });

  it('no more than 10,000 are counted', () => {
    const board = boardOf(countries, []);
    for (let i = 0; i < 10_010; i += 1) board.apply(ofValue(`v${i}`, [team('a', 1)]), NOW);
    expect(board.view(NOW).value?.leftOut).toBe(10_000);
    expect(valuesOf(board)).toEqual(['v10007', 'v10008', 'v10009']);
  });
});

describe('movement on a board by value', () => {
  const at = (seconds: number) => NOW + 1000 * seconds;
  const teams = (names: string) => [...names].map((name, index) => team(name, 100 - index));
  /** The signs of the rows of a value; of the first, if none is asked for. */
  const movesOf = (board: LiveBoard, now: number, value?: string) => {
    const colors = new TeamColors([board], () => now);
    const panel = createPanel(board, { season: 'this', value, now, pipeline: 'live', colors });
    return panel.rows.map(({ who, move }) => `${who[0]?.replace('Team ', '')}${move.sign}`);
  };
  const stand = (board: LiveBoard, now: number, boards: Record<string, string>, start = SEASON) => {
    for (const [value, names] of Object.entries(boards))
      board.content.apply(ofValue(value, teams(names), start, now), now);
    board.note(now);
  };

  it('is that of each value since a minute ago', () => {
    const board = liveBoardOf(countries, []);
    stand(board, at(0), { SE: 'abc', NO: 'abc' });
    stand(board, at(30), { SE: 'bac' });
    stand(board, at(60), { NO: 'acd' });
    expect(movesOf(board, at(60), 'SE')).toEqual(['b▲1', 'a▼1', 'c']);
    expect(movesOf(board, at(60), 'NO')).toEqual(['a', 'c▲1', 'dnew']);
    expect(movesOf(board, at(60))).toEqual(movesOf(board, at(60), 'NO'));
    const version = board.version(at(60), 'this', 'SE');
    for (let seconds = 70; seconds <= 90; seconds += 10) stand(board, at(seconds), {});
    expect(movesOf(board, at(90), 'SE')).toEqual(['b', 'a', 'c']);
    expect(board.version(at(90), 'this', 'SE')).not.toBe(version);
  });

  it('is that since the value was first seen, and none before', () => {
    const board = liveBoardOf(countries, []);
    stand(board, at(0), { NO: 'ab' });
    board.content.apply(ofValue('SE', teams('ab')), at(5));
    expect(movesOf(board, at(5), 'SE')).toEqual(['a', 'b']);
    stand(board, at(10), {});
    stand(board, at(20), { SE: 'ba' });
    expect(movesOf(board, at(20), 'SE')).toEqual(['b▲1', 'a▼1']);
    expect(movesOf(board, at(20), 'DK')).toEqual([]);
  });

  it('is none since another season, nor since the board could not be read', () => {
    const board = liveBoardOf(countries, []);
    stand(board, at(0), { SE: 'ab' });
    stand(board, at(3000), { SE: 'ba' }, SEASON + HOUR);
    expect(movesOf(board, at(3000), 'SE')).toEqual(['b', 'a']);
    board.markUnavailable('gone');
    stand(board, at(3010), { SE: 'ab' }, SEASON + HOUR);
    expect(movesOf(board, at(3070), 'SE')).toEqual(['a▲1', 'b▼1']);
  });

  it('has a minute of places in memory, those that stay the same once', () => {
    const history = new ValueRankHistory();
    const board = boardOf(countries, [ofValue('SE', teams('ab')), ofValue('NO', teams('ab'))]);
    let asked = 0;
    for (let seconds = 0; seconds <= 600; seconds += 0.5) {
      board.apply(ofValue('NO', teams(seconds % 20 < 10 ? 'ab' : 'ba')), at(seconds));
      const viewed = () => {
        asked += 1;
        return board.values(at(seconds));
      };
      history.record(viewed, at(seconds));
    }
    expect(asked).toBe(61);
    const stood = (value: string, seconds: number) =>
      history.previous(board.view(at(seconds), 'this', value), at(seconds));
    expect([600, 655, 700].map((seconds) => stood('NO', seconds)?.atMillis)).toEqual([540, 590, 600].map(at));
    // What is older is let go.
    expect(stood('NO', 500)?.atMillis).toBe(at(540));
    expect(stood('SE', 600)?.rows).toBe(stood('SE', 660)?.rows);
    expect(stood('NO', 600)?.rows).not.toBe(stood('NO', 650)?.rows);
  });
});

describe('the API of a board by value', () => {
  let served: Served;
  afterEach(() => served.app.close());
  const get = (url: string) => served.app.inject({ url });
  const json = async (url: string) => (await get(url)).json();

  async function serveCountries(records: KafkaRecord[], definition = countries): Promise<LiveBoard> {
    const board = liveBoardOf(definition, records);
    served = await serve({ boards: [board, liveBoardOf(topTeams, [season([team('a', 1)])])] });
    return board;
  }
  const BOTH = [
    ofValue('NO', [team('n', 9), team('m', 8)]),
    ofValue('SE', [team('s', 5)]),
    ofValue('NO', [team('old', 3)], SEASON - HOUR),
  ];

  it('lists the values, each with its leader and its board', async () => {
    await serveCountries([...BOTH, ofValue('DK', [team('d', 1)]), ofValue('FI', [team('f', 2)])]);
    const { values, leftOut, season: shown } = await json('/api/boards/countries/values');
    expect(leftOut).toBe(1);
    expect(shown.start).toBe(new Date(SEASON).toISOString());
    expect(values.map(({ value, rows }: { value: string; rows: number }) => [value, rows])).toEqual([
      ['DK', 1],
      ['FI', 1],
      ['SE', 1],
    ]);
    for (const { value, leader, url } of values) {
      const board = await json(url);
      expect([board.value, board.rows[0]]).toEqual([value, leader]);
    }
  });

  it('gives the board of a value, as JSON and as CSV, and that of a season', async () => {
    await serveCountries(BOTH);
    expect(await json('/api/boards/countries?by=NO')).toMatchObject({
      name: 'countries',
      by: 'country',
      values: '/api/boards/countries/values',
      value: 'NO',
      rows: [{ rank: 1, team_id: 'n' }, { rank: 2 }],
    });
    expect((await get('/api/boards/countries.csv?by=SE')).body).toContain('1,s,Team s,5');
    const [, last] = (await json('/api/boards/countries/seasons')).seasons;
    const { values } = await json(last.url);
    expect(values.map(({ value }: { value: string }) => value)).toEqual(['NO']);
    expect((await json(values[0].url)).rows).toMatchObject([{ team_id: 'old' }]);
    expect((await json('/api/boards/countries?by=NO&season=last')).rows).toMatchObject([{ team_id: 'old' }]);
  });

  it.each([
    [
      '?',
      400,
      'there is a board for each country: ask for one by ?by=, /api/boards/countries/values lists them',
    ],
    [
      '?by=NO&by=SE',
      400,
      'there is a board for each country: ask for one by ?by=, /api/boards/countries/values lists them',
    ],
    [
      '?season=last',
      400,
      'there is a board for each country: ask for one by ?by=, /api/boards/countries/values lists them',
    ],
    ['?by=DE', 404, 'nothing is kept of this value; /api/boards/countries/values lists the others'],
    [
      '?by=DE&season=this',
      404,
      'nothing is kept of this value; /api/boards/countries/values lists the others',
    ],
    ['?by=SE&season=last', 404, 'nothing is kept of this value in the season before'],
    [`?by=SE&season=${SEASON - 1}`, 404, 'nothing is kept of this value in this season'],
    ['?by=SE&at=0', 404, 'this board keeps no history'],
  ])('answers %s with %i and a sentence', async (query, code, error) => {
    await serveCountries(BOTH);
    for (const path of ['/api/boards/countries', '/api/boards/countries.csv']) {
      const answer = await get(`${path}${query}`);
      expect([answer.statusCode, answer.json()]).toEqual([code, { error }]);
    }
  });

  it('does not say that nothing is kept before the topic has been read', async () => {
    served = await serve({ boards: [new LiveBoard(countries)] });
    const answer = await get('/api/boards/countries?by=NO');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  it('knows no values of a board that has none', async () => {
    await serveCountries([]);
    expect(await json('/api/boards/top-teams/values')).toEqual({ values: [], leftOut: 0 });
    expect(await json('/api/boards/top-teams?by=NO')).toEqual({ error: 'this board has no values' });
    expect(await json('/api/boards/top-teams')).not.toHaveProperty('by');
    expect((await get('/api/boards/nothing/values')).statusCode).toBe(404);
    expect((await get('/api/boards/countries/values?season=soon')).statusCode).toBe(400);
  });

  it.each(HOSTILE)('finds the value %j by its URL', async (value) => {
    await serveCountries([ofValue(value, [team('a', 1)])]);
    const { values } = await json('/api/boards/countries/values');
    expect(values).toMatchObject([{ value }]);
    expect(await json(values[0].url)).toMatchObject({ value, rows: [{ team_id: 'a' }] });
  });

  it('is as the OpenAPI document says', async () => {
    await serveCountries(BOTH);
    const document = await json('/api/openapi.json');
    expect((await new Validator().validate(document)).valid).toBe(true);
    const { components, paths } = document;
    const ajv = new Ajv2020({ validateFormats: false, strict: false, schemas: [{ $id: 'api', components }] });
    for (const [path, url] of [
      ['/api/boards', '/api/boards'],
      ['/api/boards/{name}', '/api/boards/countries?by=NO'],
      ['/api/boards/{name}/values', '/api/boards/countries/values'],
      ['/api/boards/{name}/values', '/api/boards/top-teams/values'],
    ] as const) {
      const { $ref } = paths[path].get.responses[200].content['application/json'].schema;
      const validate = ajv.getSchema(`api${$ref}`);
      expect(validate?.(await json(url)), `${url}: ${JSON.stringify(validate?.errors)}`).toBe(true);
    }
  });

  it('has no seasons where it has none', async () => {
    const endless = boardDefinition.parse({
      ...COUNTRIES_JSON,
      period: { kind: 'season' },
    });
    await serveCountries([ofValue('NO', [team('n', 9)], 0)], endless);
    expect(await json('/api/boards/countries/values')).toMatchObject({ values: [{ value: 'NO' }] });
    expect(await json('/api/boards/countries?by=NO')).toMatchObject({ rows: [{ team_id: 'n' }] });
  });

  it('is counted in the metrics', async () => {
    const board = await serveCountries(['a', 'b', 'c', 'd'].map((value) => ofValue(value, [team(value, 1)])));
    const metrics = new Metrics([board, liveBoardOf(topTeams, [])], () => NOW);
    const text = await metrics.registry.metrics();
    expect(text.match(/^dashboard_board_values\{.*$/gm)).toEqual([
      'dashboard_board_values{board="countries",state="kept"} 3',
      'dashboard_board_values{board="countries",state="left_out"} 1',
    ]);
  });
});
