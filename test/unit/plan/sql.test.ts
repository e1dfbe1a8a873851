import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SCRIPT_KEYS } from '../../../api/flink.ts';
import type { GameAnalytics } from '../../../api/gameanalytics.ts';
import { peekScript } from '../../../plan/peek.ts';
import { sessionScript } from '../../../plan/session.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { resource } from '../../../testkit/resources/resource.ts';
import { statements, structure, tokens } from '../../../testkit/resources/sql-tokens.ts';

/** Helpers whose output is one literal, one name, a number, or a comment. */
const QUOTING = [
  'arrival',
  'string',
  'property',
  'identifier',
  'identifiers',
  'integer',
  'text',
  'interval',
  'duration',
  'type',
  'season',
  'steps',
  'comment',
];
/** SQL of the resource, which the parser has checked. */
const CHECKED = ['where', 'and', 'columnType', 'expression', 'points'];
/**
 * Whole statements that were rendered from templates of their own, the SELECT that the parser has checked,
 * and text of sql/.
 */
const RENDERED = [
  '{{{this}}}',
  '{{{table}}}',
  '{{{insert}}}',
  '{{{select}}}',
  '{{{stats}}}',
  '{{{statsTables}}}',
  '{{{events}}}',
  '{{{views}}}',
  '{{> session/events}}',
  '{{> session/records}}',
  '{{> session/rows}}',
  '{{> board-columns}}',
  "{{> bounded total='SUM(player_total)'}}",
  "{{> bounded total='SUM(points)'}}",
  "{{> bounded total='SUM(points) OVER so_far'}}",
  "{{> bounded total='SUM(score)'}}",
  "{{> bounded total='player_total'}}",
  '{{> cells}}',
  '{{> corrected-teams}}',
  '{{> counted-events}}',
  '{{> duplicate-example}}',
  '{{> event-fields}}',
  '{{> first-season-end}}',
  "{{> first-to-reach id='team_id'}}",
  "{{> first-to-reach id='user_id'}}",
  '{{> events-source}}',
  '{{> events-source topic=eventsTopic}}',
  '{{> invalid-counts}}',
  '{{> invalid-example}}',
  '{{> invalid-examples}}',
  '{{> invalid-reason}}',
  '{{> invalid-text}}',
  '{{> is-robot}}',
  '{{> latest-points}}',
  '{{> longest-text}}',
  '{{> masked-content}}',
  '{{> message-stats}}',
  '{{> plays}}',
  '{{> reached-column}}',
  '{{> score-units}}',
  '{{> season-end}}',
  '{{> share}}',
  '{{> slot-seconds}}',
  '{{> sorted-entries}}',
  "{{> sorted-totals id='team_id'}}",
  "{{> sorted-totals id='user_id'}}",
  "{{> state-ttl from='bucket_boards'}}",
  "{{> state-ttl from='entries'}}",
  "{{> state-ttl from='keyed_plays'}}",
  "{{> state-ttl from='players'}}",
  "{{> state-ttl from='plays'}}",
  '{{> state-ttl from=validEvents}}',
  '{{> stats-columns}}',
  '{{> stats-column-names}}',
  '{{> stats-merged}}',
  '{{> stats-parts}}',
  '{{> stats-slot}}',
  '{{> total-score}}',
  '{{> unfrozen}}',
  '{{> unknown-schema-id}}',
  '{{> value-column}}',
  '{{> valid-event}}',
];

const FILES = readdirSync('sql', { encoding: 'utf8', recursive: true });

describe.each(FILES.filter((file) => file.endsWith('.hbs')))('sql/%s', (file) => {
  it('has every value quoted by a helper', () => {
    const text = readFileSync(`sql/${file}`, 'utf8');
    const bare = [...text.matchAll(/\{\{.*?\}\}+/g)]
      .map(([mustache]) => mustache)
      .filter((mustache) => !isSafe(mustache));
    expect(bare).toEqual([]);
  });
});

function isSafe(mustache: string): boolean {
  const [, helper = ''] = /^\{\{(\w+) [^{}]+\}\}$/.exec(mustache) ?? [];
  const isBlock = /^\{\{(#each|#if|#unless|#computed|else|\/each|\/if|\/unless|\/computed)\b/.test(mustache);
  return isBlock || RENDERED.includes(mustache) || [...QUOTING, ...CHECKED].includes(helper);
}

/**
 * The places in a resource from which text comes into the script, none of them checked by the parser here.
 */
interface Values {
  name: string;
  topic: string;
  bootstrapServers: string;
  board: string;
  column: string;
  title: string;
}

const HARMLESS: Values = {
  name: 'game',
  topic: 'scores',
  bootstrapServers: 'kafka:9092',
  board: 'mine',
  column: 'player',
  title: 'Mine',
};

/** Of the job, of a session over its tables, and of peek. */
function script(values: Values): string {
  const made = resource({
    leaderboards: [
      { name: 'a', type: 'TopTeams', history: true },
      { name: 'b', type: 'HotStreakers' },
      { name: 'c', type: 'Query', columns: COLUMNS, query: "SELECT 1, 'x' FROM valid_events" },
    ],
  });
  const changed = withValues(made, values);
  const { bootstrapServers } = values;
  return [
    sqlScript(changed, bootstrapServers),
    sessionScript(changed, bootstrapServers),
    peekScript(changed, bootstrapServers, [{ partition: 0, start: 5, end: 25 }], 20),
  ].join('\n');
}

const COLUMNS = [
  { name: 'rnk', type: 'BIGINT' },
  { name: 'player', type: 'STRING' },
];

function withValues(made: GameAnalytics, { name, topic, board, column, title }: Values): GameAnalytics {
  const leaderboards = made.spec.leaderboards.map((entry) => ({
    ...entry,
    name: `${board}${entry.name}`,
    title,
  }));
  for (const entry of leaderboards)
    if ('columns' in entry)
      entry.columns = entry.columns.map((c) => (c.name === 'rnk' ? c : { ...c, name: column }));
  const events = { ...made.spec.events, topic };
  return { ...made, metadata: { name }, spec: { ...made.spec, events, leaderboards } };
}

const ATTACKS = [
  "'; DROP TABLE raw_events; --",
  "''; DROP TABLE raw_events; --",
  "\\'; DROP TABLE raw_events; --",
  '`; DROP TABLE raw_events; --',
  '`) WITH (x',
  '"',
  "'",
  "a' 'b",
  '`a``',
  '-- ',
  '/* ',
  '*/',
  '/*+ ',
  '//',
  '{{string topic}}',
  '{{{select}}}',
  '&#39;&lt;',
  '$1 $& $`',
  '\u2028\u0000\u0085',
  'ünïcödé 🎮',
  "' UESCAPE '!",
];

const IDS = ['u', 't', 'e'].map((name) => ({ name, type: 'STRING' }));

describe('a script', () => {
  const fields = (Object.keys(HARMLESS) as (keyof Values)[]).flatMap((field) =>
    ATTACKS.map((attack): [keyof Values, string] => [field, attack]),
  );

  it.each(fields)('has the same structure whatever the %s, even %j', (field, attack) => {
    expectSameStructure({ ...HARMLESS, [field]: attack });
  });

  it.each(['name', 'topic', 'bootstrapServers', 'title'] as const)('takes line breaks in the %s', (field) => {
    expectSameStructure({ ...HARMLESS, [field]: 'a\n; DROP TABLE raw_events;\r-- b' });
  });

  it('has the same structure for any text anywhere', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    // Flink has no names with line breaks: such a script is refused as a whole.
    const word = text.map((name) => name.replace(/[\n\r]/g, ' '));
    const values = fc.record({
      name: text,
      topic: text,
      bootstrapServers: text,
      board: word,
      column: word,
      title: text,
    });
    fc.assert(fc.property(values, expectSameStructure), { numRuns: 150 });
  });

  it('has values inside of its literals exactly as they were given', () => {
    const topic = "it's; \\ `so` \n--";
    const literals = tokens(script({ ...HARMLESS, topic })).filter(({ kind }) => kind === 'string');
    expect(literals.map(({ text }) => text.slice(1, -1).replaceAll("''", "'"))).toContain(topic);
  });

  it('refuses numbers that are none', () => {
    const made = resource();
    const [board] = made.spec.leaderboards;
    const odd = {
      ...board,
      size: '10; DROP TABLE raw_events' as unknown as number,
    } as (typeof made.spec.leaderboards)[0];
    expect(() => sqlScript({ ...made, spec: { ...made.spec, leaderboards: [odd] } }, 'kafka:9092')).toThrow(
      RangeError,
    );
  });

  it('fills the counts and all boards by one statement set, or each would be a job of its own', () => {
    const text = sqlScript(resource(), 'kafka:9092');
    expect(text.match(/EXECUTE STATEMENT SET/g)).toHaveLength(1);
    expect(text.slice(text.indexOf('EXECUTE STATEMENT SET')).match(/INSERT INTO/g)).toHaveLength(5);
    expect(text.slice(0, text.indexOf('EXECUTE STATEMENT SET'))).not.toContain('INSERT INTO');
  });

  it('sets what Flink’s configuration must therefore not have', () => {
    const set = [...sqlScript(resource(), 'kafka:9092').matchAll(/^SET '(.+?)' = /gm)].map(([, key]) => key);
    expect(set.length).toBeGreaterThan(0);
    expect(set.sort()).toEqual(SCRIPT_KEYS);
  });

  it('ends the comment a query ends with before it ends the statement', () => {
    const query = 'SELECT 1, user_id FROM valid_events -- mine';
    const boards = [{ name: 'mine', type: 'Query', columns: COLUMNS, query }];
    expect(sqlScript(resource({ leaderboards: boards }), 'kafka:9092')).toMatch(/-- mine\n {2}\) AS ranked/);
  });

  describe('forgets', () => {
    const HOUR = 3_600_000;
    const DAY = 24 * HOUR;
    const script = (leaderboards: object[], events = {}) =>
      sqlScript(
        resource({
          events: { retention: '3d', ...events },
          leaderboards: leaderboards.map((board, i) => ({ name: `b${i}`, type: 'TopTeams', ...board })),
          flink: { state: { claim: 'state' } },
        }),
        'kafka:9092',
      );
    const ttl = (leaderboards: object[], events = {}) =>
      Number(/'table\.exec\.state\.ttl' = '(\d+) ms'/.exec(script(leaderboards, events))?.[1]);

    it.each([
      ['when a season is not readable any more', [{ season: '1h' }], {}, 4 * HOUR],
      ['when more of them are kept, later', [{ season: '1h', keepSeasons: 10 }], {}, 12 * HOUR],
      ['by the longest season', [{ season: '1h' }, { season: '6h' }], {}, 19 * HOUR],
      [
        'of frozen seasons, when Kafka has no more events of them',
        [{ season: '7d', keepSeasons: 12 }],
        { latestArrival: '2h' },
        10 * DAY + 3 * HOUR,
      ],
      ['while a season takes events', [{ season: '1h' }], { latestArrival: '1d' }, DAY + 2 * HOUR],
      [
        'ids of events when they count again, in addition',
        [{ season: '1h' }],
        { deduplicate: '1h', fields: { userId: 'u', teamId: 't', eventId: 'e' }, columns: IDS },
        5 * HOUR,
      ],
    ])('totals %s', (_, leaderboards, events, expected) => {
      expect(ttl(leaderboards, events)).toBe(expected);
    });

    it('nothing in a lifetime where a season never ends', () => {
      expect(ttl([{ season: '1h' }, { season: 'none' }])).toBeGreaterThan(50 * 365 * DAY);
    });

    it('totals of each board by its own seasons', () => {
      const text = script([
        { season: '1h', keepSeasons: 3 },
        { season: '6h' },
        { season: '2h', score: 'Latest' },
      ]);
      expect(text.match(/STATE_TTL\('\w+' = '\d+ ms'\)/g)).toEqual([
        ...[5, 19].map((hours) => `STATE_TTL('plays' = '${hours * HOUR} ms')`),
        ...['plays', 'entries', 'bucket_boards'].map((from) => `STATE_TTL('${from}' = '25200000 ms')`),
      ]);
    });
  });
});

describe('the script of a session', () => {
  const views = (spec: Record<string, unknown>) =>
    [...sessionScript(resource(spec), 'kafka:9092').matchAll(/^CREATE VIEW (?:pipeline\.)?`?(\w+)`? AS$/gm)]
      .map(([, name]) => name)
      .filter((name) => !/^decoded_events$|_newest$/.test(name!));
  const board = (name: string, more = {}) => ({ name, type: 'TopPlayers', ...more });

  it('has each board by its name in snake case, its seasons and its history', () => {
    const leaderboards = [board('top-ten', { history: true }), board('ever', { season: 'none' })];
    expect(views({ leaderboards })).toEqual([
      'valid_events',
      ...['top_ten_seasons', 'top_ten', 'top_ten_history', 'ever'],
      ...['events', 'valid_events'],
    ]);
  });

  it('gives another name to a board whose name is that of another table', () => {
    const leaderboards = ['events', 'valid-events', 'b-seasons', 'b', 'a', 'a-seasons'].map((name) =>
      board(name),
    );
    const names = views({ leaderboards }).slice(1);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['events_board', 'b_seasons', 'b_board', 'a', 'a_seasons', 'a_seasons_board']),
    );
  });

  it('has nothing of how the job signs in to Kafka', () => {
    const kafka = { cluster: 'games', authentication: { type: 'scram-sha-512' } };
    const text = sessionScript(resource({ kafka }), 'kafka:9092');
    expect(text).not.toMatch(/sasl|ssl|secret/i);
  });
});

/**
 * The same tokens for the parser and the same cuts for the splitter as with harmless values; comments may
 * hold anything.
 */
function expectSameStructure(values: Values): void {
  const text = script(values);
  expect(structure(text)).toEqual(structure(script(HARMLESS)));
  expect(statements(text).length).toBe(statements(script(HARMLESS)).length);
}
