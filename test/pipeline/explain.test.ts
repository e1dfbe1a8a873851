import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONLY_PLANNED } from '../../local/sql-check/explain.ts';
import { type SqlGateway, startSqlGateway } from '../../local/sql-check/gateway.ts';
import { splitScript } from '../../local/sql-check/statements.ts';
import { type Layout, layOut } from '../../plan/layout.ts';
import { sqlScript } from '../../plan/sql.ts';
import { resource } from '../../testkit/resources/resource.ts';

let gateway: SqlGateway;
beforeAll(async () => {
  gateway = await startSqlGateway(() => undefined, new AbortController().signal, { avro: true });
});
afterAll(() => gateway?.close());

/** Flink's plan of a script's statement set, as text. */
async function explain(script: string): Promise<string> {
  const { preparation, inserts } = splitScript(script);
  const session = await gateway.openSession(ONLY_PLANNED);
  for (const statement of preparation) await session.execute(statement);
  const set = `EXPLAIN CHANGELOG_MODE STATEMENT SET BEGIN ${inserts.join(';\n')};\nEND`;
  return String(await session.execute(set));
}

/** The part of a physical plan that ends in a board's sink. */
function planOf(plan: string, board: string): string {
  const physical = plan.slice(
    plan.indexOf('== Optimized Physical Plan =='),
    plan.indexOf('== Optimized Execution Plan =='),
  );
  const found = physical.split(/\n(?=Sink\()/).find((part) => part.includes(`.${board}]`));
  expect(found, `a sink for ${board}`).toBeDefined();
  return found ?? '';
}

const ranks = (plan: string) =>
  [...plan.matchAll(/\bRank\(strategy=\[(\w+)/g)].map(([, strategy]) => strategy);

const BUSIEST_COLUMNS = [
  { name: 'rnk', type: 'BIGINT' },
  { name: 'team_id', type: 'STRING' },
  { name: 'events', type: 'BIGINT' },
];
const BUSIEST = `
  SELECT rnk, team_id, events FROM (
    SELECT *, ROW_NUMBER() OVER (ORDER BY events DESC, team_id) AS rnk
    FROM (SELECT team_id, COUNT(*) AS events FROM valid_events GROUP BY team_id)
  ) WHERE rnk <= 10`;

const VALUE = 'score * 2 - MOD(event_time_millis, 7)';
/** Boards by every score, of the event's score and of a value that the planner knows nothing of. */
const SCORED = ['Sum', 'Best', 'Lowest', 'Count', 'Latest'].flatMap((score) => [
  { name: `teams-${score}`.toLowerCase(), type: 'TopTeams', score },
  { name: `players-${score}-of`.toLowerCase(), type: 'TopPlayers', score, of: VALUE, where: 'score > 1' },
]);
const CALENDARS = [
  { name: 'weekly', type: 'TopTeams', calendar: { every: 'Week', timeZone: 'Europe/Berlin' } },
  { name: 'monthly', type: 'TopPlayers', calendar: { every: 'Month', timeZone: 'America/New_York' } },
  { name: 'daily-mvps', type: 'TeamMvps', calendar: { every: 'Day', timeZone: 'Australia/Lord_Howe' } },
];
/** Of a zone whose clock never changes: with one that does, each plan takes many seconds more. */
const FROZEN_WEEKS = {
  name: 'frozen-weeks',
  type: 'TopTeams',
  calendar: { every: 'Week', timeZone: 'Asia/Kathmandu' },
};
/** By text that is read from JSON, by a number and by a BOOLEAN. */
const BY_VALUE = ['country', 'level', 'is_ranked'].flatMap((by) => [
  { name: `teams-${by}`.replace('_', '-'), type: 'TopTeams', by },
  {
    name: `players-${by}`.replace('_', '-'),
    type: 'TopPlayers',
    by,
    season: 'none',
    score: 'Best',
    of: VALUE,
  },
]);
const LATEST_BY_VALUE = {
  name: 'latest',
  type: 'TopPlayers',
  by: 'country',
  score: 'Latest',
  where: 'score > 1',
};
/** Of equal scores, the first to be reached is the first. */
const FIRST_TO_REACH = [
  { name: 'first-sum', type: 'TopTeams', by: 'country' },
  { name: 'first-best', type: 'TopPlayers', score: 'Best', of: VALUE },
  { name: 'first-lowest', type: 'TopTeams', score: 'Lowest' },
  { name: 'first-count', type: 'TopPlayers', score: 'Count', of: VALUE, by: 'level' },
].map((board) => ({ ...board, ties: 'FirstToReach' }));
const BY_COLUMNS = [
  ...['user_id', 'team_id', 'team_name', 'country'].map((name) => ({ name, type: 'STRING' })),
  ...['score', 'event_time_millis', 'level'].map((name) => ({ name, type: 'BIGINT' })),
  { name: 'is_ranked', type: 'BOOLEAN' },
];
const DECIMALS = [
  { name: 'sum', type: 'TopTeams' },
  { name: 'sum-of', type: 'TopPlayers', of: 'score / 3' },
  { name: 'lowest', type: 'TopPlayers', score: 'Lowest' },
];
const CORRECTED = [
  { name: 'teams', type: 'TopTeams' },
  { name: 'values', type: 'TopPlayers', of: VALUE },
  { name: 'by-country', type: 'TopPlayers', by: 'country' },
  ...['Best', 'Lowest', 'Count'].flatMap((score) => [
    { name: score.toLowerCase(), type: 'TopTeams', score },
    { name: `${score}-of`.toLowerCase(), type: 'TopPlayers', score, of: VALUE },
  ]),
  { name: 'mvps', type: 'TeamMvps' },
  { name: 'hot', type: 'HotStreakers' },
];
const [LATEST, FAST] = [/latest/, /sum|best|lowest|count/].map((names) =>
  SCORED.map(({ name }) => name).filter((name) => names.test(name)),
);

describe('the plan that Flink makes of the SQL', () => {
  let plan = '';
  let calendarPlan = '';
  let frozenPlan = '';
  let ownTopicPlan = '';
  let byPlan = '';
  let correctedPlan = '';
  beforeAll(async () => {
    const boards = [
      { name: 'top-teams', type: 'TopTeams' },
      { name: 'top-players', type: 'TopPlayers', season: 'none' },
      { name: 'hot-streakers', type: 'HotStreakers' },
      { name: 'team-mvps', type: 'TeamMvps' },
      { name: 'busiest', type: 'Query', columns: BUSIEST_COLUMNS, query: BUSIEST },
    ];
    const spec = { leaderboards: [...boards, ...SCORED], events: { retention: '90d' } };
    plan = await explain(sqlScript(resource(spec), 'localhost:9092'));
    const own = resource({ leaderboards: boards.slice(0, 1), events: { topic: 'game.matches' } });
    ownTopicPlan = await explain(sqlScript(own, 'localhost:9092'));
    const frozen = { ...spec.events, latestArrival: '10m' };
    calendarPlan = await explain(sqlScript(resource({ ...spec, leaderboards: CALENDARS }), 'localhost:9092'));
    const decimals = { ...frozen, scoreDecimals: 2 };
    const frozenWeeks = resource({ events: decimals, leaderboards: [FROZEN_WEEKS, ...DECIMALS] });
    frozenPlan = await explain(sqlScript(frozenWeeks, 'localhost:9092'));
    const byValue = {
      events: { ...frozen, columns: BY_COLUMNS },
      leaderboards: [...BY_VALUE, LATEST_BY_VALUE, ...FIRST_TO_REACH],
    };
    byPlan = await explain(sqlScript(resource(byValue), 'localhost:9092'));
    const events = { ...frozen, columns: BY_COLUMNS, negativeScores: 'Correct' };
    correctedPlan = await explain(sqlScript(resource({ events, leaderboards: CORRECTED }), 'localhost:9092'));
  });

  it.each([
    ['a managed topic', () => plan],
    ['a topic of the user’s own', () => ownTopicPlan],
  ])(
    'reads the events once, and for pipeline-stats once more without decoding them: of %s',
    (_, planOfTopic) => {
      const plan = planOfTopic();
      const execution = plan.slice(plan.indexOf('== Optimized Execution Plan =='));
      const scans = execution.matchAll(
        /TableSourceScan\(table=\[\[default_catalog, default_database, (\w+)/g,
      );
      expect([...scans].map(([, table]) => table).sort()).toEqual(['messages', 'raw_events']);
    },
  );

  it.each(['top-teams', 'top-players', 'busiest', ...FAST!])('ranks %s the fast way', (board) => {
    expect(ranks(planOf(plan, board))).toEqual(['UpdateFastStrategy']);
  });

  it.each(['weekly', 'monthly'])('ranks %s, of the seasons of a calendar, the fast way', (board) => {
    expect(ranks(planOf(calendarPlan, board))).toEqual(['UpdateFastStrategy']);
  });

  it.each(['frozen-weeks', ...DECIMALS.map(({ name }) => name)])(
    'ranks %s, of scores with decimals and in seasons that are frozen, the fast way',
    (board) => {
      expect(ranks(planOf(frozenPlan, board))).toEqual(['UpdateFastStrategy']);
    },
  );

  it.each(BY_VALUE)('ranks $name, of each value by itself, the fast way', ({ name }) => {
    const own = planOf(byPlan, name);
    expect(ranks(own)).toEqual(['UpdateFastStrategy']);
    expect(own).toMatch(/\bRank\(.*partitionBy=\[(value, season_start|season_start, value)\]/);
    expect(own).not.toMatch(/\b(Join|Union)\(/);
    // No total is kept of events without a value.
    const counted = own.slice(own.search(/\bGroupAggregate\(groupBy=\[season_start, value, \w+_id\]/));
    expect(counted).toMatch(/<>\((value|LEFT\((CAST\()?(country|level|is_ranked)\b[^<]*), _UTF-16LE''/);
  });

  it.each(FIRST_TO_REACH)(
    'ranks $name the fast way, with at most one sum for each event',
    ({ name, of, by }) => {
      const own = planOf(byPlan, name);
      expect(ranks(own)).toEqual(['UpdateFastStrategy']);
      expect(own).not.toMatch(/\b(Join|Union)\(/);
      expect(own.match(/\bOverAggregate\(/g) ?? []).toHaveLength(/sum|count/.test(name) ? 1 : 0);
      expect(own.match(/\*\(score, 2\)/g) ?? []).toHaveLength(of ? 1 : 0);
      // Nothing is kept of events without a value.
      if (by) expect(own.slice(own.indexOf('OverAggregate('))).toMatch(/<>\(.*_UTF-16LE''/);
    },
  );

  it('sorts the latest scores of each value without a rank that retracts and without a join', () => {
    expect(planOf(byPlan, 'latest')).not.toMatch(/\b(Rank|Join|Union)\(/);
  });

  it('needs no sink to sort out changes of boards by value', () => {
    expect(byPlan).not.toMatch(/upsertMaterialize|SinkMaterializer/i);
  });

  it.each(CALENDARS.map(({ name }) => name))('has no step of its own for the calendar of %s', (board) => {
    expect(planOf(calendarPlan, board)).not.toMatch(/\b(Join|Union|Correlate)\(.*calendar/);
    expect(planOf(calendarPlan, board).match(/\bCalc\(.*IF\(/g)).toHaveLength(1);
  });

  it.each(LATEST!)('sorts %s, which can fall, without a rank that retracts and without a join', (board) => {
    expect(planOf(plan, board)).not.toMatch(/\b(Rank|Join|Union)\(/);
  });

  it.each(SCORED.filter(({ of }) => of).map(({ name }) => name))('computes the value of %s once', (board) => {
    expect(planOf(plan, board).match(/\*\(score, 2\)/g)).toHaveLength(1);
  });

  it('ranks MVPs without a join and without a rank that retracts, each event in the order in which it is read', () => {
    const mvps = planOf(plan, 'team-mvps');
    expect(mvps).not.toMatch(/\b(Rank|Join|Union)\(/);
    expect(mvps.match(/\bOverAggregate\(.*?window=\[[^\]]*\]/g)).toEqual([
      expect.stringContaining('ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'),
    ]);
  });

  it.each(['top-teams', 'top-players', 'team-mvps', 'busiest', ...FAST!, ...LATEST!])(
    'combines what a rank takes back and replaces before %s is written',
    (board) => {
      expect(planOf(plan, board)).toMatch(
        /^Sink\(.*\n.*\bCalc\(.*changelogMode=\[I,UA,D\]\)\n.*\bGroupAggregate\(/,
      );
    },
  );

  it('draws the hot streaks by windows and one sum over instants, without a retraction', () => {
    const streaks = planOf(plan, 'hot-streakers');
    expect(streaks).toContain('WindowRank(');
    expect(streaks.match(/\bOverAggregate\(.*?window=\[[^\]]*\]/g)).toEqual([
      expect.stringContaining('RANGE BETWEEN 55000 PRECEDING AND CURRENT ROW'),
    ]);
    expect(streaks).not.toMatch(/\b(Rank|GroupAggregate)\(/);
    expect(streaks).not.toMatch(/changelogMode=\[I,(UB|UA|D)/);
  });

  it('needs no sink to sort out changes in the wrong order', () => {
    expect(plan).not.toMatch(/upsertMaterialize|SinkMaterializer/i);
  });

  it('forgets the totals of each board after a time of its own', async () => {
    const leaderboards = [
      { name: 'weekly', type: 'TopTeams', calendar: { every: 'Week' } },
      { name: 'best', type: 'TopPlayers', season: '1h', score: 'Best', ties: 'FirstToReach' },
      { name: 'sums', type: 'TopPlayers', season: '2h' },
      { name: 'mvps', type: 'TeamMvps', calendar: { every: 'Day', timeZone: 'Asia/Kathmandu' } },
    ];
    const events = { negativeScores: 'Correct', retention: '30d' };
    const mixed = await explain(sqlScript(resource({ events, leaderboards }), 'localhost:9092'));
    const hours = (board: string) =>
      [...planOf(mixed, board).matchAll(/STATE_TTL options:\[(\d+) ms/g)].map(
        ([, ttl]) => Number(ttl) / 3_600_000,
      );
    expect(hours('weekly')).toEqual([514, 514, 514]);
    expect(hours('best')).toEqual([4]);
    expect(hours('sums')).toEqual([7, 7, 7]);
    // A day of a zone whose clock may change has 27 hours at most.
    expect(hours('mvps')).toEqual([82, 82, 82, 82]);
  });

  describe('with corrections', () => {
    it.each(['teams', 'values', 'by-country', 'mvps'])(
      'sorts %s, which can fall, without a rank that retracts and without a join',
      (board) => {
        expect(planOf(correctedPlan, board)).not.toMatch(/\b(Rank|Join|Union)\(/);
      },
    );

    it.each(['best', 'best-of', 'lowest', 'lowest-of', 'count', 'count-of'])(
      'ranks %s the fast way: it changes in one direction still',
      (board) => {
        expect(ranks(planOf(correctedPlan, board))).toEqual(['UpdateFastStrategy']);
      },
    );

    it('takes back of a player what can fall, and not its newest name and event', () => {
      const [, teams = ''] =
        /\bGroupAggregate\(groupBy=\[season_start, team_id\], select=\[(.*?)\]/.exec(
          planOf(correctedPlan, 'mvps'),
        ) ?? [];
      expect(teams.match(/\w+\([\w$]+/g)).toEqual([
        'MAX(dated_team_name',
        'SUM_RETRACT(player_total',
        expect.stringMatching(/^MIN_RETRACT\(/),
        'MAX(last_event_at',
        'SUM_RETRACT(events',
      ]);
    });

    it('draws the hot streaks of insertions', () => {
      expect(planOf(correctedPlan, 'hot')).not.toMatch(/changelogMode=\[I,(UB|UA|D)/);
    });

    it('needs no sink to sort out changes', () => {
      expect(correctedPlan).not.toMatch(/upsertMaterialize|SinkMaterializer/i);
    });
  });

  it('pushes the watermark into the source, with alignment', () => {
    expect(plan).toMatch(/TableSourceScan\(.*watermark=\[.*watermarkAlignment=\[/);
  });
});

// State is found by the number of a step.
it('has the same steps for the statistics when a board adds seasons that can be frozen', async () => {
  const events = { retention: '90d', latestArrival: '10m' };
  const streaks = { name: 'hot-streakers', type: 'HotStreakers' };
  const teams = { name: 'top-teams', type: 'TopTeams' };
  const games = [[streaks], [streaks, teams], [streaks, teams, FROZEN_WEEKS]].map((leaderboards) =>
    resource({ events, leaderboards }),
  );
  let layout: Layout | undefined;
  const steps: string[] = [];
  for (const game of games) {
    layout = layOut(game, layout);
    const plan = await explain(sqlScript(game, 'localhost:9092', layout));
    steps.push(planOf(plan, 'pipeline_stats').replace(/\(.*/g, ''));
  }
  expect(steps[1]).toBe(steps[0]);
  expect(steps[2]).toBe(steps[0]);
});

describe('the plan of records of another form', () => {
  const columns = [
    { name: 'player', type: 'STRING' },
    { name: 'points', type: 'INT' },
    { name: 'amount', type: 'DECIMAL(18, 2)' },
    { name: 'result', type: 'ROW<kills INT, assists INT>' },
    { name: 'id', type: 'STRING' },
  ];
  const totals = [
    { name: 'top-players', type: 'TopPlayers' },
    { name: 'top-teams', type: 'TopTeams' },
  ];
  const planFor = (fields: object, events: object = {}, leaderboards = totals) =>
    explain(
      sqlScript(
        resource({
          events: {
            columns,
            fields: { userId: 'player', teamId: 'player', time: 'points', ...fields },
            ...events,
          },
          leaderboards,
        }),
        'localhost:9092',
      ),
    );

  it.each(['points', 'amount', '`result`.kills', '10 * `result`.kills + COALESCE(`result`.assists, 0)'])(
    'ranks a score of %s the fast way',
    async (score) => {
      const plan = await planFor({ score });
      for (const board of ['top-players', 'top-teams'])
        expect(ranks(planOf(plan, board))).toEqual(['UpdateFastStrategy']);
    },
  );

  it('is planned for Avro too, and ranks the fast way', async () => {
    const schemaRegistry = { url: 'http://registry', secretName: 'registry' };
    const plan = await planFor({ score: '`result`.kills' }, { format: 'avro-confluent', schemaRegistry });
    for (const board of ['top-players', 'top-teams'])
      expect(ranks(planOf(plan, board))).toEqual(['UpdateFastStrategy']);
  });

  it('keeps the ids of events once for all totals and once for all windows, and ranks the fast way', async () => {
    const all = [...totals, { name: 'hot-streakers', type: 'HotStreakers' }];
    const plan = await planFor({ score: 'points', eventId: 'id' }, { deduplicate: '1h' }, all);
    for (const board of ['top-players', 'top-teams'])
      expect(ranks(planOf(plan, board))).toEqual(['UpdateFastStrategy']);
    const execution = plan.slice(plan.indexOf('== Optimized Execution Plan =='));
    expect(execution.match(/OverAggregate\(partitionBy=\[event_id\]/g)).toHaveLength(2);
  });
});
