import fc from 'fast-check';

/**
 * Any spec that is valid, with every field there is set or left out, of a Kafka whose listeners are `plain`
 * and, for certificates, `tls`.
 */
export function validSpecs(): fc.Arbitrary<Record<string, unknown>> {
  return optional({
    kafka: fc.constant({ cluster: 'games', authentication: { type: 'tls' } }),
    events: events(),
    leaderboards: leaderboards(),
    flink: flink(),
    injector: injector(),
    dashboard: dashboard(),
    results: results(),
    players: fc.constantFrom({}, { secretName: 'hiding' }),
    timeZone: fc.constantFrom(...TIME_ZONES),
    weekStart: fc.constantFrom('Monday', 'Sunday'),
    paused: fc.boolean(),
  }).map((spec) => ({
    kafka: { cluster: 'games' },
    ...withoutTopics(spec),
    ...withoutTies(spec),
    ...longKept(spec),
  }));
}

const TIME_ZONES = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu'];

/**
 * Only where seasons are frozen there are results; they and the players to hide are in topics that no board
 * has.
 */
function withoutTopics<
  T extends { events?: object; leaderboards?: object[]; results?: object; players?: object },
>({ results, players, ...spec }: T): Omit<T, 'results' | 'players'> {
  const isFrozen = spec.events && 'latestArrival' in spec.events;
  const isTaken = (topic: string) =>
    spec.leaderboards?.some((board) => 'name' in board && board.name === topic);
  return {
    ...spec,
    ...(isFrozen && !isTaken('results') && results && { results }),
    ...(!isTaken('players') && players && { players }),
  };
}

/** Sums that can fall are not ordered by when they were reached. */
function withoutTies({ events, leaderboards }: { events?: object; leaderboards?: object[] }): object {
  const hasCorrections = events && 'negativeScores' in events && events.negativeScores === 'Correct';
  if (!hasCorrections || !leaderboards) return {};
  return {
    leaderboards: leaderboards.map((board) => {
      const isSum = !('score' in board) || board.score === 'Sum';
      return isSum && 'ties' in board ? { ...board, ties: 'Id' } : board;
    }),
  };
}

/** Events are kept for as long as the seasons of calendars need. */
function longKept({ events, leaderboards }: { events?: object; leaderboards?: object[] }): object {
  const hasCalendar = leaderboards?.some((board) => 'calendar' in board);
  return hasCalendar ? { events: { ...events, retention: '90d' } } : {};
}

function optional<T extends Record<string, unknown>>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(fields, { requiredKeys: [] });
}

function events() {
  return fc.tuple(topicOfEvents(), mapping()).map(([topic, mapped]) => ({ ...topic, ...mapped }));
}

/** Of events with teams, so that boards of every type can be made of them. */
function mapping() {
  const columns = fc.constantFrom(
    [{ name: 'player', type: 'STRING' }],
    [
      { name: '@id', type: 'bigint' },
      { name: 'clan', type: 'ROW<id STRING, `a tag` STRING>' },
      { name: 'score', type: 'DECIMAL(18, 2)' },
    ],
  );
  const fields = fc.record(
    {
      teamId: fc.constantFrom('clan.id', "'-' -- nobody's"),
      eventId: fc.constant('`@id`'),
      userId: fc.constantFrom('player', "COALESCE(player, ');')"),
      score: fc.constantFrom('score', 'score / 2'),
      timeUnit: fc.constantFrom('Millis', 'Seconds', 'Micros', 'Nanos', 'Iso8601', 'Timestamp'),
    },
    { requiredKeys: ['teamId', 'eventId'] },
  );
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ columns, fields, deduplicate: seconds(1, 3600) }) },
    { weight: 1, arbitrary: avro({ columns, fields }) },
    { weight: 1, arbitrary: avro({}) },
  );
}

function avro(mapped: Record<string, fc.Arbitrary<unknown>>) {
  const secretName = fc.constant('registry');
  const url = fc.constantFrom('http://registry:8081', 'https://registry/apis/ccompat/v7/');
  const schemaRegistry = fc.option(optional({ url, secretName }), { nil: undefined });
  return fc
    .record({ ...mapped, format: fc.constant('avro-confluent'), schemaRegistry })
    .map(({ schemaRegistry, ...others }) => ({ ...others, ...(schemaRegistry && { schemaRegistry }) }));
}

function topicOfEvents() {
  return optional({
    topic: fc.stringMatching(/^own[a-zA-Z0-9._-]{0,40}$/),
    partitions: fc.integer({ min: 1, max: 1000 }),
    retention: fc.constantFrom('24h', '1d', '7d', '90d'),
    deletionPolicy: fc.constantFrom('Retain', 'Delete'),
    maxLateness: seconds(1, 3600),
    latestArrival: seconds(1, 86_400),
    negativeScores: fc.constantFrom('Refuse', 'Correct'),
    scoreDecimals: fc.integer({ min: 0, max: 6 }),
  });
}

function leaderboards() {
  return fc.uniqueArray(fc.oneof(seasonBoard(), streakBoard(), queryBoard()), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 16,
  });
}

const boardName = () =>
  fc
    .stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/)
    .filter((name) => name.length <= 40 && !/^(user-score|pipeline-stats|.*-history)$/.test(name));

/** Any text that fits: quotes, line breaks, and characters beyond the basic plane. */
const title = () =>
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .map((text) => text.replace(/[^\P{Cc}\t\n\r]/gu, '-'));
const line = () => title().filter((text) => !/\p{Cc}/u.test(text));
const size = () => fc.integer({ min: 1, max: 1000 });
const where = () =>
  fc.constantFrom(
    "user_id NOT LIKE 'RBT%'",
    "score > 3 OR team_name = ');' -- both",
    '`team_id` IS NOT NULL',
  );

/** The fields that boards of every type but Query have. */
const conditionalBoard = () => ({
  name: boardName(),
  title: title(),
  size: size(),
  history: fc.boolean(),
  where: where(),
  people: fc.boolean(),
});

function seasonBoard() {
  const fields = {
    ...conditionalBoard(),
    keepSeasons: fc.integer({ min: 1, max: 100 }),
  };
  const season = fc.constantFrom('none', '1m', '90s', '1h', '12h');
  const calendar = optional({
    timeZone: fc.constantFrom(...TIME_ZONES),
    weekStart: fc.constantFrom('Monday', 'Saturday'),
  }).chain((rest) => fc.constantFrom('Day', 'Week', 'Month').map((every) => ({ every, ...rest })));
  const scored = {
    ...fields,
    type: fc.constantFrom('TopTeams', 'TopPlayers'),
    score: fc.constantFrom('Sum', 'Best', 'Lowest', 'Latest', 'Count'),
    shareRanks: fc.boolean(),
    ties: fc.constantFrom('Id', 'FirstToReach'),
    of: fc.constantFrom('score', 'score - 3 -- less', "CASE WHEN user_id <> ';)' THEN 1 END"),
  };
  const requiredKeys = ['name' as const, 'type' as const];
  const { history: _, size: __, keepSeasons: ___, ...unkept } = scored;
  const byValue = {
    ...unkept,
    season,
    by: fc.constantFrom('user_id', 'team_id', 'score'),
    maxValues: fc.integer({ min: 1, max: 90 }),
  };
  return fc
    .oneof(
      fc.record({ ...scored, season }, { requiredKeys }),
      fc.record({ ...scored, calendar }, { requiredKeys }),
      fc.record(byValue, { requiredKeys: [...requiredKeys, 'by' as const] }),
      fc.record({ ...fields, season, type: fc.constant('TeamMvps') }, { requiredKeys }),
      fc.record({ ...fields, calendar, type: fc.constant('TeamMvps') }, { requiredKeys }),
    )
    .filter((board) => !('score' in board && board.score === 'Latest' && board.ties === 'FirstToReach'));
}

/** Windows that are multiples of `every`, the short one shorter than the long one. */
function streakBoard() {
  const factors = fc.record({
    every: fc.integer({ min: 1, max: 3600 }),
    short: fc.integer({ min: 1, max: 11 }),
    more: fc.integer({ min: 1, max: 12 }),
    memory: fc.integer({ min: 1, max: 24 }),
  });
  return fc
    .record(
      {
        ...conditionalBoard(),
        factors,
      },
      { requiredKeys: ['name', 'factors'] },
    )
    .map(({ factors, ...board }) => ({
      ...board,
      type: 'HotStreakers',
      every: `${factors.every}s`,
      shortWindow: `${factors.every * factors.short}s`,
      longWindow: `${factors.every * (factors.short + factors.more)}s`,
      memory: `${factors.every * factors.memory}s`,
    }));
}

function queryBoard() {
  const others = fc.uniqueArray(
    fc.record(
      {
        name: fc
          .stringMatching(/^[a-z][a-z0-9_]{0,20}$/)
          .filter((name) => !['rnk', 'season_start'].includes(name)),
        type: fc.constantFrom('STRING', 'BIGINT', 'DOUBLE', 'BOOLEAN'),
        label: title(),
      },
      { requiredKeys: ['name', 'type'] },
    ),
    { selector: ({ name }) => name, minLength: 1, maxLength: 10 },
  );
  return fc
    .record({ name: boardName(), size: size(), history: fc.boolean(), others, seasonal: fc.boolean() })
    .map(({ others, seasonal, ...board }) => ({
      ...board,
      type: 'Query',
      columns: [
        ...(seasonal ? [{ name: 'season_start', type: 'BIGINT' }] : []),
        { name: 'rnk', type: 'BIGINT' },
        ...others,
      ],
      query: "SELECT 1, ';' FROM valid_events -- done",
    }));
}

function flink() {
  return optional({
    image: fc.stringMatching(/^[a-z]+[/:a-z0-9]{0,40}$/),
    version: fc.constantFrom('v2_2', 'v2_3'),
    parallelism: fc.integer({ min: 1, max: 256 }),
    jobManager: flinkProcess(),
    taskManager: flinkProcess(),
    checkpointInterval: seconds(1, 3600),
    state: fc.oneof(
      fc.record({ claim: fc.constant('flink-state') }),
      fc.record({ uri: fc.constantFrom('s3://bucket', 's3://bucket/path/') }),
    ),
    configuration: fc.dictionary(fc.stringMatching(/^table\.[a-z.-]{1,40}$/), line(), { maxKeys: 10 }),
  });
}

function flinkProcess() {
  return optional({
    memory: fc.constantFrom('768Mi', '1Gi', '16Gi'),
    cpu: fc.double({ min: 0.1, max: 64, noNaN: true }),
  });
}

/** One that may write to a topic of the user's own, which others of the specs have. */
function injector() {
  return optional({
    eventsPerSecond: fc.double({ min: 0.1, max: 50_000, noNaN: true }),
    liveTeams: fc.integer({ min: 1, max: 10_000 }),
    membersPerTeam: fc.record({
      min: fc.integer({ min: 1, max: 5 }),
      max: fc.integer({ min: 5, max: 100 }),
    }),
    maxScore: fc.integer({ min: 1, max: 1_000_000 }),
    robotProbability: fc.double({ min: 0, max: 1, noNaN: true }),
    lateEvents: fc.record({ share: fc.constant(0.5), minDelay: seconds(0, 60), maxDelay: seconds(60, 3600) }),
    seed: fc.integer({ min: 0, max: 4_294_967_295 }),
    resources: resources(),
  }).map((injector) => ({ ...injector, allowOwnTopic: true }));
}

function dashboard() {
  return optional({
    replicas: fc.integer({ min: 0, max: 100 }),
    title: title(),
    ingress: fc.record(
      {
        host: fc.constant('games.example'),
        path: fc.constantFrom('/', '/games/arcade'),
        className: fc.constant('nginx'),
        tlsSecret: fc.constant('tls'),
      },
      { requiredKeys: ['host'] },
    ),
    auth: fc.constant({ secretName: 'sign-in' }),
    resources: resources(),
  });
}

function results() {
  return optional({ resources: resources() });
}

function resources() {
  const list = optional({
    cpu: fc.constantFrom('250m', '1.5', '2'),
    memory: fc.constantFrom('256Mi', '1Gi'),
  });
  return optional({ requests: list, limits: list });
}

function seconds(min: number, max: number): fc.Arbitrary<string> {
  return fc.integer({ min, max }).map((length) => `${length}s`);
}
