import { customResourceDefinition } from '../../api/crd.ts';
import type { Schema } from '../../tools/docs/structural-schema.ts';
import { type Mutation, mutations, type SpecialCase } from './mutations.ts';

type Spec = Record<string, unknown>;

/** The schema of spec, as the API server has it. */
export function specSchema(): Schema {
  const [version] = customResourceDefinition().spec.versions;
  const root = version?.schema.openAPIV3Schema as Schema | undefined;
  if (!root?.properties?.spec) throw new Error('the CRD has no schema of spec');
  return root.properties.spec;
}

const resources = () => ({
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1500m', memory: '1Gi' },
});

/** A spec with every field but those that exclude others, none of them at its default or at a boundary. */
export const FULL: Spec = {
  kafka: { cluster: 'games', listener: 'plain' },
  events: {
    partitions: 3,
    retention: '3d',
    deletionPolicy: 'Retain',
    maxLateness: '7s',
    latestArrival: '20m',
    negativeScores: 'Correct',
    scoreDecimals: 3,
  },
  leaderboards: [
    { name: 'teams', type: 'TopTeams' },
    {
      name: 'players',
      type: 'TopPlayers',
      title: 'Best',
      size: 5,
      history: true,
      where: "user_id NOT LIKE 'RBT%'",
      people: true,
      season: '2h',
      keepSeasons: 5,
      score: 'Lowest',
      of: 'CHAR_LENGTH(team_name)',
    },
    { name: 'mvps', type: 'TeamMvps', minimumEvents: 3 },
    {
      name: 'hot',
      type: 'HotStreakers',
      shortWindow: '20s',
      longWindow: '120s',
      memory: '10m',
      every: '10s',
    },
    {
      name: 'mine',
      type: 'Query',
      columns: [
        { name: 'player', type: 'STRING', label: 'Who' },
        { name: 'rnk', type: 'BIGINT' },
        { name: 'season_start', type: 'BIGINT' },
      ],
      query: 'SELECT user_id, 1, 0 FROM valid_events',
    },
  ],
  flink: {
    image: 'registry.example/flink:2',
    version: 'v2_2',
    parallelism: 2,
    jobManager: { memory: '2Gi', cpu: 0.75 },
    taskManager: { memory: '3Gi', cpu: 1.25 },
    checkpointInterval: '20s',
    state: { claim: 'flink-state' },
    configuration: { 'table.exec.sink.not-null-enforcer': 'DROP', 'taskmanager.network.memory.max': '64mb' },
  },
  injector: {
    eventsPerSecond: 12.5,
    liveTeams: 6,
    membersPerTeam: { min: 3, max: 20 },
    maxScore: 50,
    robotProbability: 0.4,
    lateEvents: { share: 0.3, minDelay: '1m', maxDelay: '20m' },
    seed: 42,
    resources: resources(),
  },
  dashboard: {
    replicas: 2,
    title: 'Arcade',
    ingress: { host: 'games.example', path: '/games/arcade', className: 'nginx', tlsSecret: 'games-tls' },
    auth: { secretName: 'sign-in' },
    resources: resources(),
  },
  timeZone: 'Europe/Berlin',
  weekStart: 'Saturday',
  paused: false,
};

/** A spec with the fields that exclude others. */
const OTHERWISE: Spec = {
  kafka: { cluster: 'games', authentication: { type: 'tls' } },
  events: { topic: 'own-events', retention: '60h' },
  leaderboards: [
    {
      name: 'daily',
      type: 'TopTeams',
      calendar: { every: 'Day', weekStart: 'Sunday', timeZone: 'Asia/Kathmandu' },
    },
    {
      name: 'by-team',
      type: 'TopPlayers',
      size: 3,
      by: 'team_name',
      maxValues: 500,
      shareRanks: true,
      ties: 'FirstToReach',
    },
  ],
  injector: { allowOwnTopic: true },
  flink: { state: { uri: 's3://bucket/path' } },
};

/** A spec of records of another form. */
const RECORDS: Spec = {
  kafka: { cluster: 'games' },
  events: {
    format: 'csv',
    columns: [{ name: 'id', type: 'STRING' }],
    fields: {
      userId: 'id',
      teamId: 'id',
      teamName: 'id',
      score: '1',
      time: 'id',
      timeUnit: 'Nanos',
      eventId: 'id',
    },
    deduplicate: '2h',
  },
  leaderboards: [{ name: 'players', type: 'TopPlayers' }],
};

/** A spec of records with a schema registry. */
const AVRO: Spec = {
  kafka: { cluster: 'games' },
  events: {
    format: 'avro-confluent',
    schemaRegistry: { url: 'https://registry:8443/apis/ccompat/v7', secretName: 'registry' },
    columns: [{ name: 'id', type: 'STRING' }],
  },
};

/** A spec of seasons with results and of hidden players, whose topics go when they do. */
const RESULTS: Spec = {
  kafka: { cluster: 'games' },
  events: { latestArrival: '10m', deletionPolicy: 'Delete' },
  results: { resources: resources() },
  players: { secretName: 'hiding' },
};

/** A quantity can be written in many ways; a request above its limit is Kubernetes' to refuse. */
function resourceCases(path: string): Record<string, SpecialCase> {
  const most = '9'.repeat(20);
  return {
    [`${path}.requests.cpu`]: { valid: ['0', '0.0001', '1.5', '1500m'], unrealisable: ['1501m', most] },
    [`${path}.requests.memory`]: { valid: ['0', '0.5', '1024Mi', '1M'], unrealisable: ['1025Mi', most] },
    [`${path}.limits.cpu`]: { valid: ['0.25', '1', most], unrealisable: ['249m', '0'] },
    [`${path}.limits.memory`]: { valid: ['256Mi', '268435456', most], unrealisable: ['255Mi', '0'] },
  };
}

const TIME_ZONE: SpecialCase = {
  valid: ['UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'],
  refused: ['', '+05:30', ' UTC'],
  reported: ['Mars/Phobos'],
};

const EXPRESSION: SpecialCase = {
  valid: ['id', `id || '${'x'.repeat(1992)}'`, "TRY_CAST(id AS INT) / NULLIF(2, 0) -- ');'"],
  reported: [' ', '-- id', 'id) || (id', 'id; DROP TABLE x', 'CAST(id AS INT)', 'id / id', '(SELECT 1)'],
};

const KUBERNETES_NAME: SpecialCase = { unrealisable: ['a..b'] };

/** What the API server knows by CEL rules, or not at all. FULL's longest season is 2h. */
const SPECIAL: Record<string, SpecialCase> = {
  // By default the listener is `tls`, which has one way to sign in.
  'kafka.authentication.type': { valid: ['tls'] },
  'events.topic': { refused: ['..'] },
  'events.schemaRegistry.url': {
    valid: ['http://registry', 'http://10.0.0.1:65535/', 'https://[fd00::1]:8081/a/b_c~1'],
    refused: [
      'registry:8081',
      'ftp://registry',
      'http://ann:secret@registry',
      "http://registry/'",
      'http://registry/?a=b',
      'http://registry/a b',
      'http://registry:65536',
      `http://registry/${'a'.repeat(490)}`,
    ],
  },
  'events.retention': { valid: ['4h', '239m', '999999d'], refused: ['9m', '0d'] },
  'events.columns[].name': { valid: ['a', '@timestamp', 'a.b-c'], refused: ['$a', '1a', 'a b'] },
  'events.columns[].type': {
    valid: ['int', 'ROW<a INT, `b c` ARRAY<STRING>>', 'DECIMAL(18, 2)'],
    reported: ['x', 'STRING) WITH (', 'INT NOT NULL', 'ROW<>'],
  },
  'events.fields': { needed: true, valid: [], refused: [{}] },
  'events.fields.userId': EXPRESSION,
  'events.fields.teamId': EXPRESSION,
  'events.fields.teamName': EXPRESSION,
  'events.fields.score': EXPRESSION,
  'events.fields.time': EXPRESSION,
  'events.fields.eventId': { ...EXPRESSION, needed: true },
  'events.deduplicate': { valid: ['1s', '7d'], refused: ['0s', '8d'] },
  'events.latestArrival': { valid: ['1s', '30d'], refused: ['0s', '31d'] },
  'events.maxLateness': { valid: ['1s', '1h', '3600s'], refused: ['0s', '61m'] },
  leaderboards: { refused: [[...Array(2)].map(() => ({ name: 'twice', type: 'TopTeams' }))] },
  'leaderboards[].name': {
    refused: ['user-score', 'pipeline-stats', 'players-history', 'Teams', '9teams', 'teams-'],
  },
  'leaderboards[].type': { valid: ['TopPlayers', 'HotStreakers', 'TeamMvps'], refused: ['Query'] },
  'leaderboards[].where': {
    valid: ['TRUE', `score > ${'1'.repeat(1992)}`, "team_name LIKE 'EU %' -- Europe", "user_id <> ';)'"],
    reported: [' ', '-- all', 'TRUE) OR (TRUE', 'TRUE; DROP TABLE x', "user_id = 'open", 'user_id <> ""'],
  },
  'leaderboards[].of': {
    valid: ['score', `score + ${'1'.repeat(1992)}`, "CASE WHEN team_name = ';)' THEN 1 END -- one"],
    reported: [' ', '-- score', 'score) + (score', 'score; DROP TABLE x', "'open", '(SELECT 1)'],
  },
  'leaderboards[].by': { needed: true, valid: ['team_id', 'score'], refused: ['country', '', 'a b', '1a'] },
  'leaderboards[].season': { valid: ['none', '1m', '37h'], refused: ['59s', '31d'] },
  'leaderboards[].calendar.every': { valid: ['Day', 'Week', 'Month'] },
  'leaderboards[].calendar.timeZone': TIME_ZONE,
  timeZone: TIME_ZONE,
  'leaderboards[].shortWindow': { valid: ['10s', '110s'], refused: ['0s', '15s', '120s'] },
  'leaderboards[].longWindow': { valid: ['30s', '1d'], refused: ['20s', '125s', '86410s'] },
  'leaderboards[].memory': { valid: ['10s', '1d'], refused: ['0s', '15s', '86410s'] },
  'leaderboards[].every': { valid: ['1s', '20s'], refused: ['0s', '3s', '61m'] },
  'leaderboards[].columns': { needed: true, refused: [[{ name: 'a', type: 'STRING' }]] },
  'leaderboards[].columns[].name': { refused: ['A', 'rnk', 'season_start'] },
  'leaderboards[].query': {
    needed: true,
    valid: ['SELECT', `SELECT ${'x'.repeat(19_993)}`, 'WITH a AS (SELECT 1) SELECT * FROM a -- done'],
    reported: ['x', 'SELECT 1; DROP TABLE x', "SELECT 'open"],
  },
  // The Flink operator's release 1.15 knows no newer one.
  'flink.version': { valid: [], unrealisable: ['v2_3'] },
  'flink.jobManager.memory': { refused: ['0Mi', '1G'] },
  'flink.checkpointInterval': { valid: ['1s', '1h', '3600s'], refused: ['0s', '61m'] },
  'flink.state': { valid: [], refused: [{}, { claim: 'a', uri: 's3://a' }] },
  'flink.state.claim': { needed: true },
  'flink.state.uri': { needed: true },
  'flink.configuration': {
    valid: [
      {
        'execution.checkpointing.interval-during-backlog': '1 min',
        'high-availability.kubernetes.leader-election.lease-duration': '30 s',
        'kubernetes.container.image.pull-policy': 'Always',
        'kubernetes.container.image.pull-secrets': 'registry',
      },
      { ['k'.repeat(200)]: 'x' },
    ],
    refused: [
      { 'high-availability.type': 'x' },
      { 'high-availability': 'x' },
      { 'parallelism.default': '2' },
      { 'table.optimizer.agg-phase-strategy': 'AUTO' },
      { 'kubernetes.jobmanager.service-account': 'admin' },
      { 'kubernetes.secrets.admin': '/secrets' },
      { ' kubernetes.namespace': 'x' },
      { 'a: b\nkubernetes.namespace': 'x' },
      { 'a\n': 'x' },
      { a: 'b\nc' },
      { ['k'.repeat(201)]: 'x' },
    ],
  },
  'injector.allowOwnTopic': { needed: true, valid: [true], refused: [false] },
  'injector.membersPerTeam.min': { valid: [1, 20], refused: [21] },
  'injector.membersPerTeam.max': { valid: [3, 100], refused: [2] },
  'injector.lateEvents.minDelay': { valid: ['0s', '20m'], refused: ['1201s', '2d'] },
  'injector.lateEvents.maxDelay': { valid: ['60s', '1d'], refused: ['59s', '86401s'] },
  ...resourceCases('injector.resources'),
  ...resourceCases('dashboard.resources'),
  ...resourceCases('results.resources'),
  'dashboard.ingress.host': { unrealisable: ['a..b', '10.0.0.1'] },
  'dashboard.ingress.path': {
    valid: ['/', '/a', `/${'a'.repeat(199)}`],
    refused: ['', 'games', '/games/', '//', '/../a', '/a b', '/healthz', '/readyz', '/metrics'],
  },
  'dashboard.ingress.className': KUBERNETES_NAME,
  'dashboard.ingress.tlsSecret': KUBERNETES_NAME,
};

/** Every mutation of the spec of a GameAnalytics. */
export function gameAnalyticsMutations(): Mutation[] {
  return mutations(specSchema(), [FULL, OTHERWISE, RECORDS, AVRO, RESULTS], SPECIAL);
}
