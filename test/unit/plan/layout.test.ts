import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boardsToReplay,
  canRestoreFrom,
  type Layout,
  layOut,
  printLayout,
  readLayout,
} from '../../../plan/layout.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { resource } from '../../../testkit/resources/resource.ts';

type Spec = Record<string, unknown>;

const teams = (fields: Spec = {}) => ({ name: 'teams', type: 'TopTeams', ...fields });
const players = (fields: Spec = {}) => ({ name: 'players', type: 'TopPlayers', ...fields });
const streaks = (fields: Spec = {}) => ({ name: 'hot', type: 'HotStreakers', ...fields });
const query = (fields: Spec = {}) => ({
  name: 'mine',
  type: 'Query',
  columns: [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'user_id', type: 'STRING' },
  ],
  query: 'SELECT 1, user_id FROM valid_events',
  ...fields,
});

const ofBoards = (...leaderboards: Spec[]) => ({ leaderboards });

const ofMonths = (calendar: Spec) => ({
  ...ofBoards(players(), teams({ calendar })),
  events: { retention: '90d' },
});

/** The layout after a row of changes, each made to a job that runs the one before. */
function laidOut(...specs: Spec[]): Layout {
  const [layout] = specs.reduce<Layout[]>(([previous], spec) => [layOut(resource(spec), previous)], []);
  return layout as Layout;
}

/** What a change recomputes, as sentences. */
function recomputes(from: Spec, to: Spec): string[] {
  return boardsToReplay(laidOut(from), laidOut(from, to)).map(({ board, why }) => `${board}: ${why}`);
}

it('a layout changes as the example at the head of the file shows', () => {
  const slower = players({ season: '2h' });
  const late = { ...ofBoards(slower, streaks()), events: { maxLateness: '9s' } };
  const changes: [string, Spec][] = [
    ['created', ofBoards(teams(), players())],
    ['hot is added', ofBoards(teams(), players(), streaks())],
    ['teams is removed', ofBoards(players(), streaks())],
    ['players changes', ofBoards(slower, streaks())],
    ['lateness changes', late],
  ];
  const lines = changes.map(([change], i) => {
    const { generation, slots } = laidOut(...changes.slice(0, i + 1).map(([, spec]) => spec));
    const columns = slots.map(({ board, scan, removed }) => `${removed ? '-' : ''}${board.name}@${scan}`);
    return `${change} generation ${Number.parseInt(generation, 10)}: ${columns.join(' ')}`;
  });
  const example = readFileSync('plan/layout.ts', 'utf8').match(/^ \* {3}.* generation \d: .*$/gm) ?? [];
  expect(example.map((line) => line.slice(3).trim().replace(/ +/g, ' '))).toEqual(lines);
});

describe('a job whose spec changes', () => {
  it.each<[string, Spec, Spec]>([
    ['nothing', {}, {}],
    ['memory and parallelism', {}, { flink: { parallelism: 4, taskManager: { memory: '2Gi' } } }],
    ['the image', {}, { flink: { image: 'flink:mine' } }],
    ['signing in to Kafka', {}, { kafka: { cluster: 'games', authentication: { type: 'tls' } } }],
    ['a title', ofBoards(teams()), ofBoards(teams({ title: 'Best' }))],
    ['whether ranks are shared', ofBoards(teams()), ofBoards(teams({ shareRanks: true }))],
    ['robots that count as they did', ofBoards(teams()), ofBoards(teams({ people: false }))],
    ['how many seasons are kept', ofBoards(teams()), ofBoards(teams({ keepSeasons: 12 }))],
    [
      'how many values are kept',
      ofBoards(teams({ by: 'team_id' })),
      ofBoards(teams({ by: 'team_id', maxValues: 12 })),
    ],
    ['a smaller size', ofBoards(teams({ size: 16 })), ofBoards(teams({ size: 1 }))],
    ['a greater size', ofBoards(teams({ size: 10 })), ofBoards(teams({ size: 16 }))],
    [
      'a label',
      ofBoards(query()),
      ofBoards(
        query({
          columns: [
            { name: 'rnk', type: 'BIGINT', label: '#' },
            { name: 'user_id', type: 'STRING' },
          ],
        }),
      ),
    ],
    [
      'the first day of weeks, of months',
      { ...ofMonths({ every: 'Month' }), weekStart: 'Sunday' },
      { ...ofMonths({ every: 'Month' }), weekStart: 'Monday' },
    ],
    ['the score to what it is by default', ofBoards(teams()), ofBoards(teams({ score: 'Sum' }))],
    [
      'the order of equal scores to what it is by default',
      ofBoards(teams()),
      ofBoards(teams({ ties: 'Id' })),
    ],
    ['the size of a Query board', ofBoards(query()), ofBoards(query({ size: 50 }))],
    ['the order of boards', ofBoards(teams(), streaks()), ofBoards(streaks(), teams())],
    ['the injector', {}, { injector: { eventsPerSecond: 100 } }],
    ['whether negative scores count, to what it is by default', {}, { events: { negativeScores: 'Refuse' } }],
    ['the retention of events', {}, { events: { retention: '48h', partitions: 6 } }],
    ['a board that goes', ofBoards(teams(), streaks(), players()), ofBoards(teams(), players())],
  ])('recomputes nothing after a change of %s', (_, from, to) => {
    expect(recomputes(from, to)).toEqual([]);
  });

  it.each<[string, Spec, Spec]>([
    ['size and title', ofBoards(teams({ size: 10 })), ofBoards(teams({ size: 12, title: 'Best' }))],
    ['the order of boards', ofBoards(teams(), streaks()), ofBoards(streaks(), teams())],
  ])('has the very same script after a change of %s', (_, from, to) => {
    const script = (spec: Spec, layout: Layout) => sqlScript(resource(spec), 'kafka:9092', layout);
    expect(script(to, laidOut(from, to))).toBe(script(from, laidOut(from)));
  });

  it.each<[string, Spec, Spec, string[]]>([
    ['a board more', ofBoards(teams()), ofBoards(teams(), streaks()), ['hot: it is new']],
    [
      'a greater size than its rank has',
      ofBoards(teams({ size: 16 }), streaks()),
      ofBoards(teams({ size: 17 }), streaks()),
      ['teams: its definition changed'],
    ],
    [
      'a season',
      ofBoards(players(), teams()),
      ofBoards(players(), teams({ season: '30m' })),
      ['teams: its definition changed'],
    ],
    [
      'a condition',
      ofBoards(players(), teams()),
      ofBoards(players({ where: "user_id <> 'x'" }), teams()),
      ['players: its definition changed'],
    ],
    [
      'the column of its values',
      ofBoards(players({ by: 'team_id' }), teams()),
      ofBoards(players({ by: 'team_name' }), teams()),
      ['players: its definition changed'],
    ],
    [
      'a score',
      ofBoards(players(), teams()),
      ofBoards(players({ score: 'Best' }), teams()),
      ['players: its definition changed'],
    ],
    [
      'a calendar',
      ofMonths({ every: 'Month' }),
      ofMonths({ every: 'Month', timeZone: 'Asia/Tokyo' }),
      ['teams: its definition changed'],
    ],
    [
      'what is scored',
      ofBoards(players(), teams({ of: 'score' })),
      ofBoards(players(), teams({ of: 'score + 1' })),
      ['teams: its definition changed'],
    ],
    [
      'a window',
      ofBoards(streaks(), teams()),
      ofBoards(streaks({ memory: '10m' }), teams()),
      ['hot: its definition changed'],
    ],
    [
      'a query',
      ofBoards(query(), teams()),
      ofBoards(query({ query: 'SELECT 2, user_id FROM valid_events' }), teams()),
      ['mine: its definition changed'],
    ],
    [
      'the name of a board',
      ofBoards(teams(), players()),
      ofBoards(teams({ name: 'clubs' }), players()),
      ['clubs: it is new'],
    ],
  ])('recomputes only that board after a change of %s', (_, from, to, boards) => {
    expect(recomputes(from, to)).toEqual(boards);
    expect(canRestoreFrom(laidOut(from), laidOut(from, to))).toBe(true);
  });

  it.each<[string, Spec]>([
    ['the lateness', { events: { maxLateness: '10s' } }],
    ['the topic', { events: { topic: 'own' } }],
    ['whether negative scores count', { events: { negativeScores: 'Correct' } }],
    ['the Kafka cluster', { kafka: { cluster: 'others' } }],
  ])('recomputes all boards after a change of %s', (_, to) => {
    expect(recomputes({}, to)).toEqual(
      ['top-teams', 'top-players', 'hot-streakers', 'team-mvps'].map(
        (board) => `${board}: the events, their mapping, their lateness or the SQL of all boards changed`,
      ),
    );
    expect(canRestoreFrom(laidOut({}), laidOut({}, to))).toBe(false);
  });

  it('recomputes all boards when nobody knows how it was laid out', () => {
    expect(boardsToReplay(undefined, laidOut({}))).toHaveLength(4);
    expect(canRestoreFrom(undefined, laidOut({}))).toBe(false);
  });

  it('recomputes a board that went and came back, for its topic is another', () => {
    const both = ofBoards(teams(), players());
    const gone = laidOut(both, ofBoards(players()));
    const back = laidOut(both, ofBoards(players()), both);
    expect(boardsToReplay(gone, back)).toEqual([{ board: 'teams', why: 'it is new' }]);
  });

  it('stays as it is with as many scans as there may be', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const grown = names.map((_, i) => ofBoards(...names.slice(0, i + 1).map((name) => teams({ name }))));
    const eight = laidOut(...grown.slice(0, 8));
    expect(eight.slots.map(({ scan }) => scan)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(layOut(resource(grown[7]), eight)).toEqual(eight);
    expect(canRestoreFrom(eight, laidOut(...grown))).toBe(false);
  });

  it('gets a new layout, without what is gone, when too much is gone', () => {
    const seasons = Array.from({ length: 12 }, (_, i) => ofBoards(players(), teams({ season: `${i + 1}m` })));
    const layouts = seasons.map((_, i) => laidOut(...seasons.slice(0, i + 1)));
    const generations = new Set(layouts.map(({ generation }) => generation));
    expect(generations.size).toBe(2);
    expect(layouts.find(({ generation }) => generation !== layouts[0]?.generation)?.slots).toHaveLength(2);
    for (const { slots } of layouts) expect(slots.filter(({ removed }) => !removed)).toHaveLength(2);
  });
});

it('a board without a score of its own has the statement that it had before there were others', () => {
  const [slot] = laidOut(ofBoards(teams())).slots;
  const fields = {
    name: 'teams',
    title: '',
    size: 16,
    history: false,
    type: 'TopTeams',
    seasonMillis: 3_600_000,
  };
  expect(JSON.stringify(slot?.board)).toBe(JSON.stringify(fields));
});

describe('a layout', () => {
  const board = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    type: fc.constantFrom('TopTeams', 'TopPlayers', 'TeamMvps'),
    season: fc.constantFrom('5m', '10m', 'none'),
    size: fc.integer({ min: 1, max: 1000 }),
  });
  const spec = fc.record({
    leaderboards: fc.uniqueArray(board, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
    events: fc.record({ maxLateness: fc.constantFrom('5s', '5s', '5s', '5s', '9s') }),
  });
  const specs = fc.array(spec, { minLength: 1, maxLength: 12 });

  it('is the same again when made of its own result, written down and read', () => {
    fc.assert(
      fc.property(specs, (specs) => {
        const layout = laidOut(...specs);
        const again = layOut(resource(specs.at(-1)), readLayout(printLayout(layout)));
        expect(again).toEqual(layout);
      }),
    );
  });

  it('never moves a statement, and gives no place to another', () => {
    fc.assert(
      fc.property(specs, spec, (specs, next) => {
        const from = laidOut(...specs);
        const to = layOut(resource(next), from);
        if (!canRestoreFrom(from, to)) return;
        const places = (layout: Layout) => layout.slots.map(({ board, scan }) => ({ board, scan }));
        expect(places(to).slice(0, from.slots.length)).toEqual(places(from));
      }),
    );
  });

  it('has every board of the resource once, and no other that is not removed', () => {
    fc.assert(
      fc.property(specs, (specs) => {
        const live = laidOut(...specs).slots.filter(({ removed }) => !removed);
        const names = (specs.at(-1)?.leaderboards ?? []).map(({ name }) => name);
        expect(live.map(({ board }) => board.name).sort()).toEqual(names.sort());
      }),
    );
  });

  it('is not noted when it is too long for an annotation', () => {
    const boards = Array.from({ length: 16 }, (_, i) =>
      query({ name: `q${i}`, query: `SELECT 1, '${'x'.repeat(15_000)}' FROM valid_events` }),
    );
    expect(printLayout(laidOut(ofBoards(...boards)))).toBe('');
    expect(readLayout('')).toBeUndefined();
  });

  it.each(['a1b2/10,10', 'null', '[]', '{"generation":"1"}'])('is not read from %s', (text) => {
    expect(readLayout(text)).toBeUndefined();
  });
});
