import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getBoardType } from '../../../api/boards/types.ts';
import { REFUSED_KEYS } from '../../../api/flink.ts';
import { API_VERSION, KIND } from '../../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../../api/parse.ts';
import { SAFE_EXPRESSION } from '../../../api/query.ts';
import { plan } from '../../../plan/plan.ts';
import { resource } from '../../../testkit/resources/resource.ts';
import { validSpecs } from '../../../testkit/resources/specs.ts';

const ENVIRONMENT = { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' };

/** A manifest that is valid but for what the spec says. */
function manifest(spec: object) {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'game' },
    spec: { kafka: { cluster: 'games' }, ...spec },
  };
}

/** What is wrong with a spec, as the person reads it. */
function problems(spec: object): string[] {
  const { problems = [] } = parseGameAnalytics(manifest(spec));
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a text with control characters', () => {
  it.each([
    ['a title', { dashboard: { title: 'a\0b' } }, 'spec.dashboard.title'],
    [
      'a query',
      { leaderboards: [{ name: 'top', type: 'TopTeams', where: "user_id <> '\x1b'" }] },
      'spec.leaderboards[0].where',
    ],
    [
      'a value of Flink’s configuration',
      { flink: { configuration: { 'a.b': '\x7f' } } },
      'spec.flink.configuration.a.b',
    ],
  ])('is refused: %s', (_, spec, path) => {
    expect(problems(spec)).toEqual([expect.stringContaining(`${path}: must not have control characters`)]);
  });

  it('may have lines and tabs', () => {
    const where = "user_id <> 'a'\r\n\tAND score > 1";
    expect(problems({ leaderboards: [{ name: 'top', type: 'TopTeams', where }] })).toEqual([]);
  });
});

describe('the records of events', () => {
  const players = { leaderboards: [{ name: 'top', type: 'TopPlayers' }] };

  it.each([
    [
      'a type that is none',
      { ...players, events: { columns: [{ name: 'a', type: 'STRING) WITH (' }] } },
      'spec.events.columns[0].type: must be a type such as STRING',
    ],
    [
      'two columns of one name',
      {
        ...players,
        events: {
          columns: [
            { name: 'a', type: 'INT' },
            { name: 'a', type: 'INT' },
          ],
        },
      },
      'spec.events.columns: the names of columns must be unique',
    ],
    [
      'a column with the name of one of the job’s',
      { ...players, events: { columns: [{ name: '$event_time', type: 'INT' }] } },
      'spec.events.columns[0].name: must be letters, digits',
    ],
    [
      'an expression that a record can make fail',
      { ...players, events: { fields: { score: 'points / players' } } },
      'spec.events.fields.score: must be one SQL expression that no record can make fail',
    ],
    [
      'boards of teams where there are none',
      { events: { fields: { userId: 'player' } } },
      'spec.leaderboards: without events.fields.teamId the game has no teams',
    ],
    [
      'ids that count once where there are none',
      { ...players, events: { deduplicate: '1h', fields: { userId: 'player' } } },
      'spec.events.deduplicate: deduplicate needs fields.eventId',
    ],
    [
      'sums that can fall, ordered by who reached them first',
      {
        events: { negativeScores: 'Correct' },
        leaderboards: [{ name: 'players', type: 'TopPlayers', ties: 'FirstToReach' }],
      },
      'spec.leaderboards: with events.negativeScores: Correct, ties: FirstToReach is not for a Sum',
    ],
    [
      'results of seasons that are never frozen',
      { results: {} },
      'spec.results: results need events.latestArrival',
    ],
    [
      'a board whose topic would be that of the results',
      {
        events: { latestArrival: '1h' },
        results: {},
        leaderboards: [{ name: 'results', type: 'TopPlayers' }],
      },
      'spec.leaderboards: with results, no leaderboard can have the name results',
    ],
    [
      'a board whose topic would be that of hidden players',
      { players: {}, leaderboards: [{ name: 'players', type: 'TopPlayers' }] },
      'spec.leaderboards: with players, no leaderboard can have the name players',
    ],
    [
      'a schema registry of JSON',
      { ...players, events: { schemaRegistry: {} } },
      'spec.events.schemaRegistry: only format avro-confluent has a schemaRegistry',
    ],
    [
      'a password in the address of its schema registry',
      {
        ...players,
        events: {
          format: 'avro-confluent',
          columns: [{ name: 'a', type: 'INT' }],
          schemaRegistry: { url: 'http://ann:secret@registry' },
        },
      },
      'spec.events.schemaRegistry.url: must be an address such as',
    ],
    [
      'an injector that is to write CSV',
      { injector: {}, events: { format: 'csv' } },
      'spec.injector: an injector writes JSON or Avro',
    ],
  ])('cannot have %s', (_, spec, problem) => {
    expect(problems(spec)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('a manifest with a single field', () => {
  it('has every default', () => {
    const ofAnHour = { size: 10, history: false, seasonMillis: 3_600_000 };
    expect(resource().spec).toEqual({
      kafka: { cluster: 'games', listener: 'plain' },
      events: {
        format: 'json',
        partitions: 3,
        negativeScores: 'Refuse',
        scoreDecimals: 0,
        retention: '24h',
        deletionPolicy: 'Retain',
        maxLateness: '5s',
      },
      leaderboards: [
        { name: 'top-teams', type: 'TopTeams', title: 'Top Teams', ...ofAnHour },
        { name: 'top-players', type: 'TopPlayers', title: 'Top Players', ...ofAnHour },
        {
          name: 'hot-streakers',
          type: 'HotStreakers',
          title: 'Hot Streakers',
          size: 10,
          history: false,
          shortWindowMillis: 10_000,
          longWindowMillis: 60_000,
          memoryMillis: 300_000,
          everyMillis: 5_000,
        },
        { name: 'team-mvps', type: 'TeamMvps', title: 'Team MVPs', ...ofAnHour, minimumEvents: 10 },
      ],
      flink: {
        version: 'v2_2',
        parallelism: 1,
        jobManager: { memory: '1Gi', cpu: 0.15 },
        taskManager: { memory: '1536Mi', cpu: 0.25 },
        checkpointInterval: '10s',
        configuration: {},
      },
      dashboard: {
        resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '512Mi' } },
      },
      timeZone: 'UTC',
      weekStart: 'Monday',
      paused: false,
    });
  });

  it('has an injector only when it asks for one, and then with every default', () => {
    expect(resource({ injector: {} }).spec.injector).toEqual({
      allowOwnTopic: false,
      eventsPerSecond: 20,
      liveTeams: 15,
      membersPerTeam: { min: 5, max: 15 },
      maxScore: 20,
      robotProbability: 0.2,
      lateEvents: { share: 0.02, minDelay: '5m', maxDelay: '10m' },
      resources: { requests: { cpu: '50m', memory: '192Mi' }, limits: { memory: '512Mi' } },
    });
  });

  it('asks for measured resources when nothing is asked for, in whatever way', () => {
    const measured = resource().spec.dashboard.resources;
    for (const nothing of [{}, { limits: {} }, { requests: {}, limits: {} }])
      expect(resource({ dashboard: { resources: nothing } }).spec.dashboard.resources).toEqual(measured);
    const resources = { limits: { cpu: '2' } };
    expect(resource({ dashboard: { resources } }).spec.dashboard.resources).toEqual(resources);
  });

  it('makes titles and labels of names', () => {
    const [board] = resource({ leaderboards: [queryBoard({ name: 'best-of-3' })] }).spec.leaderboards;
    expect(board).toMatchObject({ title: 'Best Of 3', columns: [{ label: 'Rnk' }, { label: 'Team Name' }] });
  });
});

describe('a malformed manifest', () => {
  it('gets all of its problems at once, each with its path and what is allowed', () => {
    const { problems } = parseGameAnalytics({
      apiVersion: 'gameanalytics.dev/v1',
      metadata: { name: 'Arcade' },
      spec: {
        kafkaa: { cluster: 'games' },
        events: { partitions: '3', retention: '1 day', maxLateness: '2h' },
        leaderboards: [
          { name: 'top', type: 'TopTeam', size: 0, sesaon: '1h' },
          { name: 'top', type: 'TopPlayers' },
        ],
        dashboard: { replicas: 1.5 },
        paused: 'no',
      },
    });
    expect(problems).toEqual([
      { path: 'apiVersion', message: 'expected "gameanalytics.dev/v1alpha1", not "gameanalytics.dev/v1"' },
      { path: 'kind', message: 'is required: "GameAnalytics"' },
      {
        path: 'metadata.name',
        message: 'must be lower case letters, digits and -, beginning with a letter, not "Arcade"',
      },
      { path: 'spec.kafka', message: 'is required: object' },
      { path: 'spec.events.partitions', message: 'expected number, not "3"' },
      {
        path: 'spec.events.retention',
        message: 'must be a whole number and a unit: s, m, h or d (for example 10s, 5m, 1h, 7d), not "1 day"',
      },
      { path: 'spec.events.maxLateness', message: 'must be from 1s to 1h' },
      {
        path: 'spec.leaderboards[0].type',
        message: 'expected one of "TopTeams"|"TopPlayers"|"HotStreakers"|"TeamMvps"|"Query", not "TopTeam"',
      },
      { path: 'spec.leaderboards[0].size', message: 'must be >=1, not 0' },
      {
        path: 'spec.leaderboards[0].sesaon',
        message:
          'is not a field; allowed here: name, type, title, size, history, where, people, season, calendar, keepSeasons, score, of, shareRanks, ties, by, maxValues, shortWindow, longWindow, memory, every, minimumEvents, columns, query',
      },
      { path: 'spec.dashboard.replicas', message: 'must be a whole number' },
      { path: 'spec.paused', message: 'expected boolean, not "no"' },
      {
        path: 'spec.kafkaa',
        message:
          'is not a field; allowed here: kafka, events, leaderboards, timeZone, weekStart, flink, injector, dashboard, results, players, paused',
      },
      { path: 'spec.leaderboards', message: 'the names of leaderboards must be unique' },
    ]);
  });

  it.each([null, [], 'text', 3, true])('may be no object at all: %j', (value) => {
    const expected = { path: '', message: `expected object, not ${JSON.stringify(value)}` };
    expect(parseGameAnalytics(value).problems).toEqual([expected]);
  });

  it('lists the fields that are allowed at any depth', () => {
    expect(
      problems({ injector: { lateEvents: { delay: '1m' } }, flink: { state: { url: 's3://x' } } }),
    ).toEqual([
      'spec.flink.state.url: is not a field; allowed here: claim, uri',
      'spec.flink.state: set either claim or uri',
      'spec.injector.lateEvents.delay: is not a field; allowed here: share, minDelay, maxDelay',
    ]);
  });

  it('says nothing twice: a malformed value is not judged by the rules about it', () => {
    expect(
      problems({ events: { maxLateness: 'soon' }, injector: { lateEvents: { minDelay: 'soon' } } }),
    ).toHaveLength(2);
    expect(problems({ leaderboards: [{ type: 'TopTeams' }, { type: 'TopTeams' }] })).toHaveLength(2);
  });

  it('quotes only the beginning of a long value', () => {
    const [problem] = problems({ events: { topic: `${'x'.repeat(10_000)} ` } }).slice(-1);
    expect(problem?.length).toBeLessThan(200);
  });
});

describe('across fields', () => {
  const SEASON_TOO_LONG =
    'spec.events.retention: without flink.state, retention must be at least twice the longest season (season, calendar), so that a restart can replay the open and the last one';

  it('the events are kept for at least two seasons', () => {
    const season = (season: string) => [{ name: 'top', type: 'TopTeams', season }];
    expect(problems({ leaderboards: season('13h') })).toEqual([SEASON_TOO_LONG]);
    expect(problems({ leaderboards: season('13h'), events: { retention: '26h' } })).toEqual([]);
    expect(problems({ leaderboards: season('none') })).toEqual([]);
    expect(problems({ events: { retention: '1h' } })).toEqual([SEASON_TOO_LONG]);
    expect(problems({ events: { retention: '1h' }, flink: { state: { claim: 'flink' } } })).toEqual([]);
  });

  it.each(['59s', '31d', '0s'])('a season of %s is out of range', (season) => {
    expect(
      problems({ events: { retention: '900d' }, leaderboards: [{ name: 'top', type: 'TopTeams', season }] }),
    ).toEqual(['spec.leaderboards[0].season: season must be none, or from 1m to 30d']);
  });

  it('the windows of a streak are multiples of every', () => {
    const streak = (fields: object) =>
      problems({ leaderboards: [{ name: 'hot', type: 'HotStreakers', ...fields }] });
    expect(streak({ every: '7s' })).toEqual([
      'spec.leaderboards[0]: shortWindow must be a multiple of every',
      'spec.leaderboards[0]: longWindow must be a multiple of every',
      'spec.leaderboards[0]: memory must be a multiple of every',
    ]);
    expect(streak({ every: '10s', shortWindow: '30s', longWindow: '5m', memory: '1h' })).toEqual([]);
    expect(streak({ shortWindow: '60s' })).toEqual([
      'spec.leaderboards[0]: shortWindow must be shorter than longWindow',
    ]);
    expect(streak({ memory: '2d' })).toEqual([
      'spec.leaderboards[0]: memory and longWindow must be at most 1d',
    ]);
    expect(streak({ every: '0s' })).toContain('spec.leaderboards[0]: every must be from 1s to 1h');
  });

  it('a field belongs to the types of board that have it', () => {
    expect(
      problems({
        leaderboards: [
          { name: 'a', type: 'TopTeams', every: '5s' },
          { name: 'b', type: 'HotStreakers', season: '1h' },
          { name: 'c', type: 'TeamMvps', query: 'SELECT 1' },
        ],
      }),
    ).toEqual([
      'spec.leaderboards[0].every: every is only for HotStreakers',
      'spec.leaderboards[1].season: season is only for TopTeams, TopPlayers, TeamMvps',
      'spec.leaderboards[2].query: query is only for Query',
    ]);
    expect(problems({ leaderboards: [queryBoard({ where: 'TRUE', history: true })] })).toEqual([
      'spec.leaderboards[0].where: where is only for TopTeams, TopPlayers, HotStreakers, TeamMvps',
    ]);
  });

  it('names are unique, and not those of the pipeline’s own topics', () => {
    expect(problems({ leaderboards: [board('a'), board('b'), board('a')] })).toEqual([
      'spec.leaderboards: the names of leaderboards must be unique',
    ]);
    expect(problems({ leaderboards: [board('user-score')] })).toEqual([
      'spec.leaderboards[0].name: the names user-score and pipeline-stats are taken by the pipeline’s own topics',
    ]);
  });

  it('no name is that of another board’s history', () => {
    const kept = (name: string) => ({ ...board(name), history: true });
    const taken = [
      'spec.leaderboards: a leaderboard must not have the name of another’s history, <name>-history',
    ];
    expect(problems({ leaderboards: [kept('a'), board('a-history')] })).toEqual(taken);
    expect(problems({ leaderboards: [board('a-history'), kept('a')] })).toEqual(taken);
    expect(problems({ leaderboards: [board('a'), kept('a-history')] })).toEqual([]);
    expect(problems({ leaderboards: [kept('a'), board('b-history')] })).toEqual([]);
  });

  it('the user’s topic is none of the boards’', () => {
    expect(problems({ events: { topic: 'game-a' }, leaderboards: [board('b'), board('a')] })).toEqual([
      'spec.events.topic: events.topic must not be another topic of the pipeline: <name>-pipeline-stats, <name>-results, <name>-players, <name>-<leaderboard> or its -history',
    ]);
    expect(problems({ events: { topic: 'game-c' }, leaderboards: [board('a')] })).toEqual([]);
  });

  it('an injector writes to the user’s topic only where the spec says so', () => {
    const events = { topic: 'payments' };
    const refusal =
      'spec.injector: an injector writes to a topic of your own (events.topic) only with allowOwnTopic: true';
    expect(problems({ events, injector: {} })).toEqual([refusal]);
    expect(problems({ events, injector: { allowOwnTopic: false } })).toEqual([refusal]);
    expect(problems({ events, injector: { allowOwnTopic: true } })).toEqual([]);
    expect(problems({ events })).toEqual([]);
    expect(problems({ injector: {} })).toEqual([]);
  });

  it.each(['.', '..', 'a b', '', 'ä', 'a/b'])('%j is no topic', (topic) => {
    expect(problems({ events: { topic } })[0]).toMatch(/^spec\.events\.topic: must/);
  });

  it('state is in a claim or at a URI', () => {
    expect(problems({ flink: { state: { claim: 'a', uri: 's3://b' } } })).toEqual([
      'spec.flink.state: set either claim or uri',
    ]);
    expect(problems({ flink: { state: { uri: '/tmp/state' } } })).toEqual([
      'spec.flink.state.uri: must be a URI such as s3://bucket/path, not "/tmp/state"',
    ]);
  });

  const configured = (key: string, value = 'x') => problems({ flink: { configuration: { [key]: value } } });

  it.each(REFUSED_KEYS)('the configuration $key is refused', ({ key, why }) => {
    expect(configured(key.replace('*', 'x'))).toEqual([`spec.flink.configuration: ${key} ${why}`]);
  });

  it.each([
    'execution.checkpointing.interval-during-backlog',
    'high-availability.kubernetes.leader-election.lease-duration',
    'kubernetes.container.image.pull-policy',
    'kubernetes.container.image.pull-secrets',
    'kubernetes.jobmanager.cpu.limit-factor',
    'metrics.reporter.prom.factory.class',
    's3.endpoint',
  ])('the configuration %s is the user’s', (key) => {
    expect(configured(key)).toEqual([]);
  });

  it.each([
    '',
    ' kubernetes.namespace',
    'kubernetes.namespace ',
    'a: b\nkubernetes.namespace',
    'a\n',
    '$internal.a',
  ])('%j is no key of a configuration', (key) => {
    expect(configured(key)).toEqual([
      'spec.flink.configuration: a key must be at most 200 letters, digits, dots, hyphens and underscores',
    ]);
  });

  it('a value of the configuration has one line', () => {
    expect(configured('pipeline.max-parallelism', '1\nkubernetes.namespace: x')).toEqual([
      expect.stringMatching(/^spec\.flink\.configuration\.\S+: must not have control characters/),
    ]);
  });

  it('a range does not end before it begins', () => {
    expect(
      problems({
        injector: { membersPerTeam: { min: 9, max: 8 }, lateEvents: { minDelay: '10m', maxDelay: '5m' } },
      }),
    ).toEqual([
      'spec.injector.membersPerTeam: min must not be above max',
      'spec.injector.lateEvents: minDelay must not be above maxDelay',
    ]);
  });
});

describe('a condition on a board’s events', () => {
  const conditional = (type: string, where: unknown) => ({ leaderboards: [{ ...board('a', type), where }] });

  it.each(['TopTeams', 'TopPlayers', 'TeamMvps', 'HotStreakers'])('is kept as it is written: %s', (type) => {
    const where = " user_id NOT LIKE 'RBT%' -- people\n";
    expect(resource(conditional(type, where)).spec.leaderboards).toMatchObject([{ type, where }]);
    expect(resource({ leaderboards: [board('a', type)] }).spec.leaderboards[0]).not.toHaveProperty('where');
  });

  it('stays inside its parentheses', () => {
    expect(problems(conditional('TopTeams', 'TRUE) OR (TRUE'))).toEqual([
      'spec.leaderboards[0].where: where must be one condition with its quotes, comments and parentheses closed; semicolons, double quotes, hints, // comments and E strings are not allowed',
    ]);
  });

  it('has at most 2,000 characters', () => {
    const long = `score > ${'1'.repeat(1992)}`;
    expect(problems(conditional('TopTeams', long))).toEqual([]);
    expect(problems(conditional('TopTeams', `${long}1`))).toHaveLength(1);
  });
});

describe('a board by value', () => {
  const byValue = (fields: object, events: object = {}) =>
    problems({ events, leaderboards: [{ ...board('a', 'TopPlayers'), ...fields }] });
  const COLUMNS = [
    ...['player', 'country', 'user_id'].map((name) => ({ name, type: 'STRING' })),
    ...['INT', 'boolean', 'DOUBLE', 'DECIMAL(9, 0)', 'ARRAY<STRING>', 'TIMESTAMP(3)'].map((type, i) => ({
      name: `c${i}`,
      type,
    })),
  ];
  const MUST_BE =
    'spec.leaderboards: by must be a column of the events that is text, a whole number or BOOLEAN';

  it.each(['user_id', 'team_id', 'team_name', 'score', 'event_time_millis'])('is by %s', (by) => {
    expect(byValue({ by })).toEqual([]);
  });

  it.each(['country', 'c0', 'c1', 'user_id'])('is by %s, a column of the record', (by) => {
    expect(byValue({ by }, { columns: COLUMNS })).toEqual([]);
  });

  it.each(['c2', 'c3', 'c4', 'c5', 'event_time', 'produced_at', 'region'])(
    'is not by %s, and hears what there is',
    (by) => {
      expect(byValue({ by }, { columns: COLUMNS })).toEqual([
        `${MUST_BE}, of a: there is user_id, team_id, team_name, score, event_time_millis, player, country, c0, c1; others of a record are named in events.columns`,
      ]);
    },
  );

  it('is not by a field of an event that its mapping does not set', () => {
    const fields = { userId: 'player' };
    for (const by of ['team_id', 'team_name'])
      expect(byValue({ by }, { columns: COLUMNS, fields })).toEqual([
        `${MUST_BE}, of a: there is user_id, score, event_time_millis, player, country, c0, c1; others of a record are named in events.columns`,
      ]);
  });

  it('keeps 1000 values unless it says how many', () => {
    const maxValues = (fields: object) =>
      resource({ leaderboards: [{ ...board('a', 'TopPlayers'), ...fields }] }).spec.leaderboards[0];
    expect(maxValues({ by: 'team_id' })).toMatchObject({ by: 'team_id', maxValues: 1000 });
    expect(maxValues({ by: 'team_id', maxValues: 3 })).toMatchObject({ maxValues: 3 });
    expect(maxValues({})).not.toHaveProperty('maxValues');
  });

  it('keeps so many rows that they are bounded', () => {
    const refusal = expect.stringContaining(
      'size times maxValues times (1 + keepSeasons) must be at most 100000',
    );
    expect(byValue({ by: 'team_id', size: 33 })).toEqual([]);
    expect(byValue({ by: 'team_id', size: 34 })).toEqual([refusal]);
    expect(byValue({ by: 'team_id', keepSeasons: 10 })).toEqual([refusal]);
    expect(byValue({ size: 1000, keepSeasons: 100 })).toEqual([]);
  });

  it('keeps no history, and values only of a column', () => {
    expect(byValue({ by: 'team_id', history: true })).toEqual([
      'spec.leaderboards[0]: by and history exclude each other: of boards by value, no history is kept',
    ]);
    expect(byValue({ maxValues: 3 })).toEqual(['spec.leaderboards[0]: maxValues is only for boards with by']);
  });

  it.each(['HotStreakers', 'TeamMvps'])('is none of %s', (type) => {
    expect(byValue({ type, by: 'team_id' })).toEqual([
      'spec.leaderboards[0].by: by is only for TopTeams, TopPlayers',
    ]);
  });
});

describe('a calendar', () => {
  const calendars = (calendar: object, spec: object = {}) => ({
    events: { retention: '90d' },
    leaderboards: [{ ...board('a', 'TeamMvps'), calendar }],
    ...spec,
  });
  const parsed = (calendar: object, spec?: object) =>
    resource(calendars(calendar, spec)).spec.leaderboards.map((one) => 'calendar' in one && one.calendar);

  it('takes what it leaves out from the spec', () => {
    const week = { every: 'Week' };
    expect(parsed(week)).toEqual([{ every: 'Week', timeZone: 'UTC', weekStart: 'Monday' }]);
    const spec = { timeZone: 'Europe/Berlin', weekStart: 'Sunday' };
    expect(parsed(week, spec)).toEqual([{ ...week, ...spec }]);
    const own = { ...week, timeZone: 'Asia/Kathmandu', weekStart: 'Saturday' };
    expect(parsed(own, spec)).toEqual([own]);
  });

  it('has a first day of its weeks only where seasons are weeks, so that another recomputes nothing else', () => {
    expect(parsed({ every: 'Month', weekStart: 'Sunday' })).toEqual([{ every: 'Month', timeZone: 'UTC' }]);
  });

  it('excludes a season', () => {
    const both = { ...board('a', 'TopTeams'), season: '1h', calendar: { every: 'Day' } };
    expect(problems({ events: { retention: '90d' }, leaderboards: [both] })).toEqual([
      'spec.leaderboards[0]: season and calendar exclude each other',
    ]);
  });

  it('is of a time zone that there is', () => {
    const message = 'must be a time zone of the IANA database, such as Europe/Berlin';
    expect(problems(calendars({ every: 'Day', timeZone: 'Mars/Phobos' }))).toEqual([
      `spec.leaderboards[0].calendar: timeZone ${message}`,
    ]);
    expect(problems({ timeZone: 'Mars/Phobos' })).toEqual([`spec.timeZone: ${message}`]);
  });

  it.each([
    ['Day', '54h', '53h'],
    ['Week', '342h', '341h'],
    ['Month', '1494h', '1493h'],
  ])('of a %s needs events kept for %s', (every, enough, short) => {
    expect(problems(calendars({ every }, { events: { retention: enough } }))).toEqual([]);
    expect(problems(calendars({ every }, { events: { retention: short } }))).toEqual([
      expect.stringContaining(
        'spec.events.retention: without flink.state, retention must be at least twice the longest season (season, calendar)',
      ),
    ]);
  });
});

describe('a score', () => {
  const scored = (fields: object) => ({ leaderboards: [{ ...board('a', 'TopTeams'), ...fields }] });
  const columns = (fields: object) =>
    resource(scored(fields)).spec.leaderboards.flatMap((one) => getBoardType(one).shape(one).columns);

  it.each([
    ['Sum', 'Score'],
    ['Best', 'Best'],
    ['Lowest', 'Lowest'],
    ['Latest', 'Latest'],
    ['Count', 'Events'],
  ])('%s is headed %s', (score, label) => {
    expect(columns({ score })).toContainEqual(
      expect.objectContaining({ name: 'total_score', shown: { label, type: 'integer' } }),
    );
  });

  it('of which the smallest is the first has no bar', () => {
    const bars = ['Best', 'Lowest'].map((score) => {
      const [made] = resource(scored({ score })).spec.leaderboards;
      return getBoardType(made!).shape(made!).bar;
    });
    expect(bars).toEqual(['total_score', undefined]);
  });

  it('that was reached first says when, and is not the latest', () => {
    const reached = expect.objectContaining({
      name: 'reached_at',
      shown: { label: 'Reached', type: 'time' },
    });
    expect(columns({ ties: 'FirstToReach', shareRanks: true })).toContainEqual(reached);
    expect(columns({ ties: 'Id' })).toEqual(columns({}));
    expect(problems(scored({ ties: 'Id', score: 'Latest' }))).toEqual([]);
    expect(problems(scored({ ties: 'FirstToReach', score: 'Latest' }))).toEqual([
      'spec.leaderboards[0]: ties: FirstToReach is not for score: Latest, which may be reached more than once',
    ]);
  });

  it('is of an expression that stays inside its parentheses', () => {
    const of = ' score - 3 -- less\n';
    expect(resource(scored({ of })).spec.leaderboards).toMatchObject([{ of }]);
    expect(problems(scored({ of: 'score) + (score' }))).toEqual([
      `spec.leaderboards[0].of: of must be ${SAFE_EXPRESSION}`,
    ]);
    expect(problems(scored({ of: '(SELECT 1)' }))).toHaveLength(1);
  });

  it('is not for other types', () => {
    expect(problems({ leaderboards: [{ ...board('a', 'TeamMvps'), score: 'Best', of: 'score' }] })).toEqual([
      'spec.leaderboards[0].score: score is only for TopTeams, TopPlayers',
      'spec.leaderboards[0].of: of is only for TopTeams, TopPlayers',
    ]);
  });
});

describe('a board of people alone', () => {
  it('is of any type whose events can be chosen', () => {
    const types = ['TopTeams', 'TopPlayers', 'HotStreakers', 'TeamMvps'];
    const leaderboards = types.map((type) => ({ ...board(type.toLowerCase(), type), people: true }));
    expect(resource({ leaderboards }).spec.leaderboards).toMatchObject(types.map(() => ({ people: true })));
    expect(problems({ leaderboards: [{ ...board('q', 'Query'), people: true }] })[0]).toContain(
      'people is only for TopTeams, TopPlayers, HotStreakers, TeamMvps',
    );
  });
});

describe('a board written in SQL', () => {
  it('needs columns and a query', () => {
    expect(problems({ leaderboards: [board('q', 'Query')] })).toEqual([
      'spec.leaderboards[0]: a Query board needs columns and query',
    ]);
  });

  it('has a rank, and column names that are unique', () => {
    const columns = [
      { name: 'team_name', type: 'STRING' },
      { name: 'team_name', type: 'BIGINT' },
      { name: 'season_start', type: 'STRING' },
    ];
    expect(problems({ leaderboards: [queryBoard({ columns })] })).toEqual([
      'spec.leaderboards[0].columns: one of the columns must be {name: rnk, type: BIGINT}',
      'spec.leaderboards[0].columns: the column season_start must be BIGINT (epoch milliseconds)',
      'spec.leaderboards[0].columns: the names of columns must be unique',
    ]);
  });

  it('is one SELECT', () => {
    const [problem] = problems({ leaderboards: [queryBoard({ query: 'SELECT 1; DROP TABLE raw_events' })] });
    expect(problem).toMatch(/^spec\.leaderboards\[0\]\.query: the query must be one SELECT/);
  });
});

describe('the parser', () => {
  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseGameAnalytics(value);
        expect(parsed.problems?.length ?? 0).toBeGreaterThan(0);
      }),
    );
  });

  it('never throws at a valid manifest with any one part replaced by anything', () => {
    fc.assert(
      fc.property(validSpecs(), fc.nat(), fc.jsonValue(), (spec, pick, junk) => {
        const value = manifest(structuredClone(spec));
        replacePart(value, pick, junk);
        for (const { path, message } of parseGameAnalytics(value).problems ?? []) {
          expect(message.length).toBeGreaterThan(0);
          expect(path).not.toContain('[object');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not throw at a value that contains itself', () => {
    const paused: unknown[] = [];
    paused.push(paused);
    expect(problems({ paused })).toEqual(['spec.paused: expected boolean']);
  });

  it('accepts every valid spec, and what it accepts can be planned', () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        expect(problems(spec)).toEqual([]);
        expect(plan(resource(spec), ENVIRONMENT).length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

function board(name: string, type = 'TopTeams') {
  return { name, type };
}

function queryBoard(fields: object) {
  const columns = [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'team_name', type: 'STRING' },
  ];
  return { name: 'mine', type: 'Query', columns, query: 'SELECT 1, team_name FROM valid_events', ...fields };
}

/** Replaces the part of a JSON value that a number picks: some field, at some depth. */
function replacePart(value: object, pick: number, junk: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const collect = (node: object): void => {
    for (const [key, child] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, key]);
      if (typeof child === 'object' && child !== null) collect(child);
    }
  };
  collect(value);
  const place = places[pick % places.length];
  if (place) place[0][place[1]] = junk;
}
