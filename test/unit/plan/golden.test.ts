import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../../cli/manifest.ts';
import { toYaml } from '../../../cli/yaml.ts';
import project from '../../../package.json' with { type: 'json' };
import type { KubernetesObject } from '../../../plan/objects.ts';
import { plan } from '../../../plan/plan.ts';
import { sessionScript } from '../../../plan/session.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { changedLines, withoutScript } from '../../../testkit/resources/golden.ts';
import { resource } from '../../../testkit/resources/resource.ts';

/** What `gameanalytics render` assumes without options. */
const ENVIRONMENT = {
  bootstrapServers: 'games-kafka-bootstrap:9092',
  appImage: `gameanalytics/app:${project.version}`,
  flinkImage: `gameanalytics/flink:${project.version}`,
};

/**
 * A change of the plan shows in these files, to be looked at in review. To accept it: npx vitest run
 * --project unit -u
 */
const GOLDEN = '../../golden';

const examples = readdirSync('examples')
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => basename(file, '.yaml'));

const scriptOf = async (name: string) =>
  sqlScript(await readManifest(`examples/${name}.yaml`), ENVIRONMENT.bootstrapServers);

it.each(examples)('examples/%s.yaml becomes these objects', async (name) => {
  const objects = plan(await readManifest(`examples/${name}.yaml`), ENVIRONMENT);
  await expect(yaml(objects, await scriptOf(name))).toMatchFileSnapshot(`${GOLDEN}/${name}.yaml`);
});

it('examples/minimal.yaml becomes this SQL', async () => {
  await expect(await scriptOf('minimal')).toMatchFileSnapshot(`${GOLDEN}/minimal.sql`);
});

it('a SQL session over examples/minimal.yaml begins with its SQL but for these lines', async () => {
  const script = sessionScript(await readManifest('examples/minimal.yaml'), ENVIRONMENT.bootstrapServers);
  const changes = changedLines(await scriptOf('minimal'), script);
  await expect(changes).toMatchFileSnapshot(`${GOLDEN}/minimal.session.sql.diff`);
});

/** Lines of SQL that are the same for many resources stand in the goldens once. */
it.each(examples.filter((name) => name !== 'minimal'))(
  'examples/%s.yaml becomes the SQL of minimal.yaml but for these lines',
  async (name) => {
    const changes = changedLines(await scriptOf('minimal'), await scriptOf(name));
    await expect(changes).toMatchFileSnapshot(`${GOLDEN}/${name}.sql.diff`);
  },
);

/** What the examples do not show, each by the kinds of objects it shows in. */
const CASES: { name: string; kinds: string[]; spec: Record<string, unknown>; metadata?: object }[] = [
  {
    name: 'state-in-a-claim',
    kinds: ['FlinkDeployment'],
    spec: { flink: { state: { claim: 'flink-state' }, checkpointInterval: '1m' } },
  },
  {
    name: 'own-records',
    kinds: ['FlinkDeployment', 'ConfigMap'],
    spec: {
      events: {
        topic: 'matches',
        format: 'csv',
        columns: [
          { name: 'match-id', type: 'STRING' },
          { name: 'player', type: 'BIGINT' },
          { name: 'points', type: 'DECIMAL(18, 2)' },
          { name: 'at', type: 'STRING' },
        ],
        fields: {
          userId: 'player',
          score: 'points * 100 -- cents',
          time: '`at`',
          timeUnit: 'Iso8601',
          eventId: '`match-id`',
        },
        deduplicate: '10m',
      },
      leaderboards: [{ name: 'players', type: 'TopPlayers', where: "`match-id` <> 'test'" }],
    },
  },
  {
    name: 'score-decimals',
    kinds: ['FlinkDeployment', 'Deployment'],
    spec: {
      events: { scoreDecimals: 2 },
      leaderboards: [
        { name: 'best', type: 'TopPlayers', score: 'Best', of: 'score * 1.5 -- of two halves' },
        { name: 'hot', type: 'HotStreakers' },
        { name: 'mvps', type: 'TeamMvps' },
      ],
    },
  },
  {
    name: 'by-value',
    kinds: ['KafkaTopic', 'FlinkDeployment', 'Deployment'],
    spec: {
      events: {
        columns: [
          ...['user_id', 'team_id', 'country'].map((name) => ({ name, type: 'STRING' })),
          ...['score', 'event_time_millis', 'level'].map((name) => ({ name, type: 'BIGINT' })),
        ],
      },
      leaderboards: [
        { name: 'countries', type: 'TopPlayers', by: 'country' },
        { name: 'levels', type: 'TopTeams', by: 'level', maxValues: 50, score: 'Latest', season: 'none' },
      ],
    },
  },
  {
    name: 'first-to-reach',
    kinds: ['FlinkDeployment'],
    spec: {
      leaderboards: [
        { name: 'teams', type: 'TopTeams', ties: 'FirstToReach' },
        { name: 'best', type: 'TopPlayers', score: 'Best', ties: 'FirstToReach', by: 'team_name' },
        { name: 'lowest', type: 'TopPlayers', score: 'Lowest', ties: 'FirstToReach', of: 'score - 3' },
        { name: 'busiest', type: 'TopTeams', score: 'Count', ties: 'FirstToReach' },
      ],
    },
  },
  {
    name: 'people',
    kinds: ['Deployment'],
    spec: {
      leaderboards: [
        { name: 'players', type: 'TopPlayers', where: 'score > 1 -- of all' },
        { name: 'people', type: 'TopPlayers', where: 'score > 1 -- of all', people: true },
        { name: 'hot-people', type: 'HotStreakers', people: true },
      ],
    },
  },
  {
    name: 'results',
    kinds: ['Deployment', 'KafkaTopic', 'KafkaUser', 'NetworkPolicy', 'RoleBinding'],
    spec: {
      kafka: { cluster: 'games', authentication: { type: 'scram-sha-512' } },
      events: { latestArrival: '10m' },
      leaderboards: [
        { name: 'teams', type: 'TopTeams' },
        { name: 'hot', type: 'HotStreakers' },
      ],
      results: {},
    },
    metadata: { namespace: 'arcades', uid: '0a1b' },
  },
  {
    name: 'hidden-players',
    kinds: ['Deployment', 'KafkaTopic', 'KafkaUser'],
    spec: {
      kafka: { cluster: 'games', authentication: { type: 'scram-sha-512' } },
      events: { latestArrival: '10m' },
      leaderboards: [{ name: 'top', type: 'TopPlayers' }],
      results: {},
      players: { secretName: 'hiding' },
    },
  },
  {
    name: 'frozen-seasons',
    kinds: ['FlinkDeployment', 'Deployment'],
    spec: {
      events: { latestArrival: '10m', retention: '30d' },
      leaderboards: [
        { name: 'teams', type: 'TopTeams' },
        { name: 'mvps', type: 'TeamMvps', where: 'score > 1' },
        { name: 'players', type: 'TopPlayers', calendar: { every: 'Week', timeZone: 'Asia/Kathmandu' } },
        { name: 'all-time', type: 'TopPlayers', season: 'none' },
      ],
    },
  },
  {
    name: 'corrections',
    kinds: ['FlinkDeployment'],
    spec: { events: { negativeScores: 'Correct' } },
  },
  {
    name: 'avro-records',
    kinds: ['FlinkDeployment', 'ConfigMap'],
    spec: {
      events: {
        format: 'avro-confluent',
        schemaRegistry: { url: 'https://registry:8443/apis/ccompat/v7', secretName: 'registry-sign-in' },
        columns: [
          { name: 'player', type: 'STRING' },
          { name: 'points', type: 'BIGINT' },
          { name: 'at', type: 'TIMESTAMP_LTZ(3)' },
        ],
        fields: { userId: 'player', score: 'points', time: '`at`', timeUnit: 'Timestamp' },
      },
      leaderboards: [{ name: 'players', type: 'TopPlayers' }],
    },
  },
  {
    name: 'avro-by-default',
    kinds: ['Deployment'],
    spec: {
      events: { format: 'avro-confluent', schemaRegistry: { secretName: 'registry-sign-in' } },
      injector: {},
    },
  },
  {
    name: 'avro-without-columns',
    kinds: ['KafkaTopic', 'NetworkPolicy', 'ServiceAccount', 'RoleBinding', 'Deployment', 'FlinkDeployment'],
    spec: {
      events: {
        format: 'avro-confluent',
        schemaRegistry: { url: 'https://registry:8443/apis/ccompat/v7', secretName: 'registry-sign-in' },
        fields: { userId: 'player', score: 'points', time: '`at`', timeUnit: 'Timestamp' },
      },
      leaderboards: [{ name: 'players', type: 'TopPlayers', by: 'country', where: "mode = 'ranked'" }],
    },
    metadata: { uid: '0d8cf8f8', namespace: 'games' },
  },
  {
    name: 'state-at-a-uri',
    kinds: ['FlinkDeployment'],
    spec: { flink: { state: { uri: 's3://bucket/path/' } } },
  },
  {
    name: 'sizes',
    kinds: ['FlinkDeployment', 'Deployment'],
    spec: {
      flink: {
        image: 'registry.example/flink:2.3.0',
        parallelism: 4,
        jobManager: { memory: '2Gi', cpu: 1 },
        taskManager: { memory: '4096Mi', cpu: 2.5 },
        configuration: { 'metrics.reporters': 'prom' },
      },
      injector: { seed: 42, resources: { requests: { cpu: '250m' }, limits: { memory: '256Mi' } } },
      dashboard: { replicas: 3, resources: { requests: { cpu: '0.1', memory: '128Mi' } } },
    },
  },
  {
    name: 'ingress',
    kinds: ['Ingress', 'Service'],
    spec: {
      dashboard: { ingress: { host: 'games.example', className: 'nginx', tlsSecret: 'games-tls' } },
    },
  },
  {
    name: 'sign-in-below-a-path',
    kinds: ['Ingress', 'Deployment'],
    spec: {
      dashboard: {
        ingress: { host: 'games.example', path: '/games/arcade' },
        auth: { secretName: 'sign-in' },
      },
    },
  },
  {
    name: 'kafka-by-password',
    kinds: ['KafkaUser', 'FlinkDeployment', 'Deployment'],
    spec: {
      kafka: { cluster: 'games', authentication: { type: 'scram-sha-512' } },
      leaderboards: [{ name: 'top', type: 'TopTeams', history: true }],
      flink: { state: { claim: 'flink-state' } },
      injector: {},
      dashboard: { auth: { secretName: 'sign-in' } },
    },
  },
  {
    name: 'kafka-by-certificate',
    kinds: ['KafkaUser', 'FlinkDeployment', 'Deployment'],
    spec: {
      kafka: { cluster: 'games', listener: 'secure', authentication: { type: 'tls' } },
      events: { topic: 'scores' },
      leaderboards: [{ name: 'top', type: 'TopTeams' }],
    },
  },
  {
    name: 'own-topic',
    kinds: ['KafkaTopic'],
    spec: { events: { topic: 'scores' }, leaderboards: [{ name: 'top', type: 'TopTeams', season: '30m' }] },
  },
  {
    name: 'delete-policy',
    kinds: ['KafkaTopic'],
    spec: {
      events: { partitions: 12, retention: '7d', deletionPolicy: 'Delete' },
      leaderboards: [{ name: 'ever', type: 'TopPlayers', season: 'none' }],
    },
    metadata: { namespace: 'arcades', uid: 'b1d5781a-6f2f-4a2c-8d54-0e2e4b7d0c55' },
  },
  {
    name: 'query-board',
    kinds: ['KafkaTopic', 'Deployment'],
    spec: {
      leaderboards: [
        {
          name: 'biggest-events',
          type: 'Query',
          columns: [
            { name: 'season_start', type: 'BIGINT' },
            { name: 'rnk', type: 'BIGINT' },
            { name: 'user_id', type: 'STRING', label: 'Player' },
            { name: 'biggest', type: 'BIGINT' },
          ],
          query: [
            'SELECT season_start, rnk, user_id, biggest FROM (',
            '  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY biggest DESC, user_id) AS rnk FROM (',
            '    SELECT event_time_millis / 3600000 * 3600000 AS season_start, user_id, MAX(score) AS biggest',
            '    FROM valid_events GROUP BY event_time_millis / 3600000 * 3600000, user_id))',
            'WHERE rnk <= 10 -- of each hour',
          ].join('\n'),
        },
      ],
    },
  },
];

describe.each(CASES)('$name', ({ name, kinds, spec, metadata }) => {
  const made = resource(spec, 'game', metadata);

  it('becomes these objects', async () => {
    const objects = plan(made, ENVIRONMENT).filter(({ kind }) => kinds.includes(kind));
    const script = sqlScript(made, ENVIRONMENT.bootstrapServers);
    await expect(yaml(objects, script)).toMatchFileSnapshot(`${GOLDEN}/cases/${name}.yaml`);
  });
});

it.each([
  'query-board',
  'kafka-by-password',
  'kafka-by-certificate',
  'own-records',
  'score-decimals',
  'avro-records',
  'avro-by-default',
  'by-value',
  'corrections',
  'first-to-reach',
  'frozen-seasons',
  'people',
])('%s becomes the SQL of examples/minimal.yaml but for these lines', async (name) => {
  const spec = CASES.find((other) => other.name === name)?.spec;
  const script = sqlScript(resource(spec), ENVIRONMENT.bootstrapServers);
  const changes = changedLines(await scriptOf('minimal'), script);
  await expect(changes).toMatchFileSnapshot(`${GOLDEN}/cases/${name}.sql.diff`);
});

function yaml(objects: KubernetesObject[], script: string): string {
  return withoutScript(objects.map(toYaml).join('---\n'), script);
}
