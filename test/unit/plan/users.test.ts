import { describe, expect, it } from 'vitest';
import { layOut } from '../../../plan/layout.ts';
import type { Deployment, FlinkDeployment, KafkaUser } from '../../../plan/objects.ts';
import { plan } from '../../../plan/plan.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { resource } from '../../../testkit/resources/resource.ts';

const ENVIRONMENT = { bootstrapServers: 'kafka:9093', appImage: 'app', flinkImage: 'flink' };
const SPEC = {
  injector: {},
  leaderboards: [
    { name: 'teams', type: 'TopTeams', history: true },
    { name: 'hot', type: 'HotStreakers' },
  ],
};
const TYPES = ['scram-sha-512', 'tls'] as const;

const signedIn = (type: (typeof TYPES)[number], spec: object = SPEC, name = 'game') =>
  resource({ kafka: { cluster: 'games', authentication: { type } }, ...spec }, name);

/** What a user may, as `Operation type name`; a name's beginning ends with *. */
function rights(user: KafkaUser | undefined): string[] {
  return (user?.spec.authorization.acls ?? []).flatMap(
    ({ resource: { type, name, patternType }, operations }) =>
      operations.map((operation) => `${operation} ${type} ${name}${patternType === 'prefix' ? '*' : ''}`),
  );
}

function users(made = signedIn('scram-sha-512')): Map<string, KafkaUser> {
  const found = plan(made, ENVIRONMENT).filter((object): object is KafkaUser => object.kind === 'KafkaUser');
  return new Map(found.map((user) => [user.metadata.name, user]));
}

describe('users', () => {
  it('are none where nobody signs in', () => {
    expect([...users(resource(SPEC)).keys()]).toEqual([]);
  });

  it('are one for each program that there is, of the cluster', () => {
    expect([...users().keys()]).toEqual(
      ['injector', 'flink', 'dashboard', 'history'].map((program) => `game-${program}-kafka`),
    );
    expect([...users(signedIn('tls', {})).keys()]).toEqual(['game-flink-kafka', 'game-dashboard-kafka']);
    for (const { metadata, spec } of users(signedIn('tls')).values()) {
      expect(metadata.labels['strimzi.io/cluster']).toBe('games');
      expect(spec.authentication).toEqual({ type: 'tls' });
    }
  });

  it('may do what their program does, and nothing else', () => {
    expect(rights(users().get('game-injector-kafka'))).toEqual(['Write topic game-user-score']);
    expect(rights(users().get('game-flink-kafka'))).toEqual([
      'Read topic game-user-score',
      'Read group game.flink*',
      'Write topic game-pipeline-stats',
      'Write topic game-teams',
      'Write topic game-hot',
    ]);
    expect(rights(users().get('game-dashboard-kafka'))).toEqual([
      'Describe topic game-user-score',
      'Describe group game.flink*',
      'Read topic game-pipeline-stats',
      'Read group game-pipeline-stats-dashboard-*',
      'Read topic game-teams',
      'Read group game-teams-dashboard-*',
      'Read topic game-hot',
      'Read group game-hot-dashboard-*',
      'Read topic game-teams-history',
      'Read group game-teams-history-dashboard-*',
      'Describe group game-teams-history*',
    ]);
  });

  it('of the results may write only those, and ask how far the job has read', () => {
    const spec = { ...SPEC, events: { latestArrival: '1h' }, results: {} };
    const found = users(signedIn('tls', spec));
    expect(rights(found.get('game-results-kafka'))).toEqual([
      'Describe topic game-user-score',
      'Delete group game.flink*',
      'Read topic game-teams',
      'Read group game-teams-results-*',
      'Read topic game-results',
      'Read group game-results-results-*',
      'Write topic game-results',
      'Write transactionalId game-results',
    ]);
    for (const other of ['game-flink-kafka', 'game-dashboard-kafka'])
      expect(rights(found.get(other)).join()).not.toContain('game-results');
  });

  it('of the histories may write and delete only those', () => {
    const found = users(signedIn('tls', { ...SPEC, players: {} }));
    expect(rights(found.get('game-history-kafka'))).toEqual([
      'Read topic game-teams',
      'Read group game-teams-history-*',
      'Read topic game-teams-history',
      'Read group game-teams-history-history-*',
      'Read topic game-players',
      'Read group game-players-history-*',
      'Read group game-teams-history*',
      'Write topic game-teams-history',
      'Delete topic game-teams-history',
      'Write transactionalId game-teams-history',
    ]);
    expect(rights(found.get('game-flink-kafka')).join()).not.toContain('game-teams-history');
  });

  it('may read who is hidden, and not write it', () => {
    const spec = { ...SPEC, events: { latestArrival: '1h' }, results: {}, players: {} };
    const found = users(signedIn('tls', spec));
    const ofPlayers = (user: string) => rights(found.get(user)).filter((right) => /game-players/.test(right));
    expect(ofPlayers('game-flink-kafka')).toEqual([]);
    for (const program of ['dashboard', 'results', 'history'])
      expect(ofPlayers(`game-${program}-kafka`)).toEqual([
        'Read topic game-players',
        `Read group game-players-${program}-*`,
      ]);
  });

  it('may write who is hidden, of the dashboard alone, where programs may ask it to', () => {
    const spec = { ...SPEC, events: { latestArrival: '1h' }, results: {}, players: { secretName: 'hide' } };
    const may = [...users(signedIn('tls', spec))]
      .filter(([, user]) => rights(user).includes('Write topic game-players'))
      .map(([name]) => name);
    expect(may).toEqual(['game-dashboard-kafka']);
  });

  it('read the user’s own topic where the events are there', () => {
    const spec = { ...SPEC, events: { topic: 'scores' }, injector: { allowOwnTopic: true } };
    const found = users(signedIn('tls', spec));
    expect(rights(found.get('game-injector-kafka'))).toEqual(['Write topic scores']);
    expect(rights(found.get('game-flink-kafka'))).toContain('Read topic scores');
    expect(rights(found.get('game-dashboard-kafka'))).toContain('Describe topic scores');
  });

  it('may use every topic and group of the job’s script, also of a board that came later', () => {
    const later = { ...SPEC, leaderboards: [...SPEC.leaderboards, { name: 'new', type: 'TopPlayers' }] };
    const made = signedIn('tls', later);
    const script = sqlScript(made, 'kafka:9093', layOut(made, layOut(signedIn('tls'))));
    const named = (option: string) =>
      [...script.matchAll(new RegExp(`'${option}' = '(.*?)'`, 'g'))].map(([, name]) => name);
    const allowed = rights(users(made).get('game-flink-kafka'));
    const topics = allowed.flatMap((right) => right.match(/(?<=^\w+ topic ).*/) ?? []);
    expect(new Set(named('topic'))).toEqual(new Set(topics));
    expect(named('properties.group.id')).toContain('game.flink-2');
    for (const group of named('properties.group.id')) expect(group).toMatch(/^game\./);
  });
});

describe.each(TYPES)('programs that sign in by %s', (type) => {
  const objects = plan(signedIn(type), ENVIRONMENT);

  it('have the Secrets that Strimzi makes, and only theirs', () => {
    for (const deployment of objects.filter((object): object is Deployment => object.kind === 'Deployment')) {
      const { volumes, containers } = deployment.spec.template.spec;
      const name = deployment.metadata.name;
      expect(volumes).toEqual([
        { name: 'kafka-ca', secret: { secretName: 'games-cluster-ca-cert' } },
        { name: 'kafka-user', secret: { secretName: `${name}-kafka` } },
      ]);
      const env = Object.fromEntries(containers[0].env.map(({ name, value }) => [name, value]));
      const mounts = containers[0].volumeMounts?.map(({ mountPath }) => mountPath);
      expect([env.KAFKA_CA_FOLDER, env.KAFKA_USER_FOLDER]).toEqual(mounts);
      expect(env.KAFKA_USERNAME).toBe(type === 'tls' ? undefined : `${name}-kafka`);
    }
  });

  it('apply to every connection of the job alike', () => {
    const job = objects.find((object): object is FlinkDeployment => object.kind === 'FlinkDeployment');
    const script = job?.spec.job.args.join() ?? '';
    const count = (text: string) => script.split(text).length - 1;
    expect(count(`'properties.security.protocol' = '${type === 'tls' ? 'SSL' : 'SASL_SSL'}'`)).toBe(
      count("'properties.bootstrap.servers'"),
    );
    expect(count('${secret:/etc/gameanalytics/kafka-user:')).toBeGreaterThan(0);
    expect(JSON.stringify(job?.spec.podTemplate)).toContain('game-flink-kafka');
  });
});
