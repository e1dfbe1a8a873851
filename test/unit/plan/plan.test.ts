import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFUSED_KEYS, refusesKey } from '../../../api/flink.ts';
import { type GameAnalytics, needsSchema } from '../../../api/gameanalytics.ts';
import { boards } from '../../../plan/boards.ts';
import type {
  Deployment,
  FlinkDeployment,
  KafkaTopic,
  KubernetesObject,
  Service,
} from '../../../plan/objects.ts';
import { plan } from '../../../plan/plan.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { deepFreeze } from '../../../testkit/resources/freeze.ts';
import { resource } from '../../../testkit/resources/resource.ts';
import { validSpecs } from '../../../testkit/resources/specs.ts';

const ENVIRONMENT = deepFreeze({ bootstrapServers: 'kafka:9092', appImage: 'app:1', flinkImage: 'flink:1' });
const IN_CLUSTER = { namespace: 'arcades', uid: '0a1b' };
const FULL = {
  injector: {},
  dashboard: { ingress: { host: 'games.example' } },
  flink: { state: { claim: 'state' } },
};
const RESULTS = { events: { latestArrival: '1h' }, results: {} };

function planned(made: GameAnalytics): KubernetesObject[] {
  return plan(made, ENVIRONMENT);
}

function ofKind<T extends KubernetesObject>(objects: KubernetesObject[], kind: T['kind']): T[] {
  return objects.filter((object): object is T => object.kind === kind);
}

describe('a plan', () => {
  it('is the same for the same resource, which it leaves as it is', () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        const made = deepFreeze(resource(spec));
        expect(planned(made)).toEqual(planned(structuredClone(made)));
      }),
      { numRuns: 100 },
    );
  });

  it('is plain JSON', () => {
    const objects = planned(resource(FULL, 'game', IN_CLUSTER));
    expect(JSON.parse(JSON.stringify(objects))).toEqual(objects);
  });

  it('names every object once, after the resource', () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        const ids = planned(resource(spec)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(id).toMatch(/^\w+ game-/);
      }),
      { numRuns: 100 },
    );
  });

  it('shares no object with that of another resource in the namespace', () => {
    const ids = (name: string) =>
      planned(resource(FULL, name)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(ids('arcade').filter((id) => ids('arcade-2').includes(id))).toEqual([]);
  });

  it('has names that Kubernetes and the other operators take, however long the resource’s', () => {
    const limits: Record<string, number> = { Service: 63, FlinkDeployment: 45, Deployment: 63 };
    const made = resource(
      { ...FULL, leaderboards: [{ name: 'b'.repeat(40), type: 'TopTeams' }] },
      'a'.repeat(40),
    );
    for (const { kind, metadata } of planned(made)) {
      expect(metadata.name.length, `${kind} ${metadata.name}`).toBeLessThanOrEqual(limits[kind] ?? 253);
      expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
      for (const value of Object.values(metadata.labels)) expect(value.length).toBeLessThanOrEqual(63);
    }
  });
});

describe('what a resource owns', () => {
  const owned = ({ metadata }: KubernetesObject) => metadata.ownerReferences !== undefined;

  it('is nothing while it is not in a cluster', () => {
    expect(planned(resource(FULL)).filter(owned)).toEqual([]);
  });

  it('is everything but the events it retains, once it is', () => {
    const free = planned(resource(FULL, 'game', IN_CLUSTER)).filter((object) => !owned(object));
    expect(free.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'KafkaTopic game-user-score',
    ]);
  });

  it('is not the results, which are to be read once, nor who is hidden', () => {
    const spec = { events: { latestArrival: '1h' }, results: {}, players: {} };
    const made = resource(spec, 'game', IN_CLUSTER);
    expect(
      planned(made)
        .filter((object) => !owned(object))
        .map(({ metadata }) => metadata.name),
    ).toEqual(['game-user-score', 'game-results', 'game-players']);
  });

  it('is the events too when they are to be deleted with it', () => {
    const made = resource({ events: { deletionPolicy: 'Delete' } }, 'game', IN_CLUSTER);
    expect(planned(made).every(owned)).toBe(true);
  });

  it('names the resource as its one controller, in its own namespace', () => {
    for (const { metadata } of planned(
      resource({ events: { deletionPolicy: 'Delete' } }, 'game', IN_CLUSTER),
    )) {
      expect(metadata.namespace).toBe('arcades');
      expect(metadata.ownerReferences).toEqual([
        {
          apiVersion: 'gameanalytics.dev/v1alpha1',
          kind: 'GameAnalytics',
          name: 'game',
          uid: '0a1b',
          controller: true,
          blockOwnerDeletion: false,
        },
      ]);
    }
  });
});

describe('topics', () => {
  const topics = (spec: Record<string, unknown>) => ofKind<KafkaTopic>(planned(resource(spec)), 'KafkaTopic');

  it('are those of the events, of their counts and of each board', () => {
    expect(topics({}).map(({ metadata }) => metadata.name)).toEqual([
      'game-user-score',
      'game-pipeline-stats',
      'game-top-teams',
      'game-top-players',
      'game-hot-streakers',
      'game-team-mvps',
    ]);
  });

  it('never are the user’s own', () => {
    fc.assert(
      fc.property(validSpecs(), fc.constantFrom('scores', 'game-user-score', 'game'), (spec, topic) => {
        const names = topics({ ...spec, events: { ...(spec.events as object), topic } }).map(
          ({ metadata }) => metadata.name,
        );
        expect(names).not.toContain(topic);
      }),
      { numRuns: 100 },
    );
  });

  it('name the Kafka that Strimzi puts them into', () => {
    for (const { metadata } of topics({})) expect(metadata.labels['strimzi.io/cluster']).toBe('games');
  });

  it('of boards have one partition and are compacted, or rows of a rank could come out of order', () => {
    for (const topic of topics({}).slice(1)) {
      expect(topic.spec.partitions).toBe(1);
      expect(topic.spec.config['cleanup.policy']).toMatch(/^compact/);
    }
  });

  it('of boards with seasons keep the running one and those that are over, and a week at least', () => {
    const retention = (season: string, keepSeasons?: number) =>
      topics({
        events: { retention: '90d' },
        leaderboards: [{ name: 'top', type: 'TopTeams', season, ...(keepSeasons && { keepSeasons }) }],
      }).at(-1)?.spec.config['retention.ms'];
    expect(retention('1h', 1)).toBe(7 * 86_400_000);
    expect(retention('7d', 12)).toBe(13 * 7 * 86_400_000);
    expect(retention('1h')).toBe(7 * 86_400_000);
    expect(retention('7d')).toBe(21 * 86_400_000);
    expect(retention('none')).toBeUndefined();
    const [monthly] = [{ name: 'top', type: 'TopTeams', calendar: { every: 'Month' } }];
    const ofMonths = topics({ events: { retention: '90d' }, leaderboards: [monthly] }).at(-1)?.spec.config;
    // Of three months with 31 days and clocks that are set back.
    expect(ofMonths).toMatchObject({
      'cleanup.policy': 'compact,delete',
      'retention.ms': 3 * (31 * 24 + 3) * 3_600_000,
    });
  });
});

describe('a board that keeps its history', () => {
  it('has a second topic for it, from which nothing is compacted away', () => {
    const leaderboards = [{ name: 'top', type: 'TopTeams', season: '7d', history: true }];
    const made = planned(resource({ events: { retention: '90d' }, leaderboards }));
    const [own, history] = ofKind<KafkaTopic>(made, 'KafkaTopic').slice(-2);
    expect(history?.metadata.name).toBe('game-top-history');
    expect(history?.spec).toMatchObject({ partitions: 1, config: { 'cleanup.policy': 'delete' } });
    expect(history?.spec.config['retention.ms']).toBe(own?.spec.config['retention.ms']);
  });

  it('has the job of one that does not, and a program that copies', () => {
    const [kept, other] = [true, false].map((history) =>
      resource({ leaderboards: [{ name: 'top', type: 'TopPlayers', history }], players: {} }),
    ) as [GameAnalytics, GameAnalytics];
    expect(sqlScript(kept, 'kafka:9092')).toBe(sqlScript(other, 'kafka:9092'));
    const program = (made: GameAnalytics) =>
      ofKind<Deployment>(planned(made), 'Deployment').find(
        ({ metadata }) => metadata.name === 'game-history',
      );
    expect(program(other)).toBeUndefined();
    const { env } = program(kept)!.spec.template.spec.containers[0];
    const { value } = env.find(({ name }) => name === 'HISTORY_BOARDS')!;
    expect(JSON.parse(value)).toEqual([
      { topic: 'game-top', historyTopic: 'game-top-history', player: 'user_id' },
    ]);
  });

  it('is not compacted before its changes are copied, unless that waits', () => {
    const made = planned(resource({ leaderboards: [{ name: 'top', type: 'TopTeams', history: true }] }));
    const [own] = ofKind<KafkaTopic>(made, 'KafkaTopic').slice(-2);
    expect(own?.spec.config['min.compaction.lag.ms']).toBe(3_600_000);
  });
});

describe('a board of people alone', () => {
  const pairs = (...leaderboards: object[]) =>
    boards(resource({ leaderboards })).map(({ peopleOf }) => peopleOf);
  const all = { name: 'all', type: 'TopTeams', score: 'Best', where: 'score > 1' };
  const people = { ...all, name: 'people', title: 'Teams of People', history: true, people: true };

  it('is a pair with the one that is the same but counts robots', () => {
    expect(pairs(all, people)).toEqual([undefined, 'all']);
    expect(pairs(people, { ...all, name: 'other', size: 3 }, all)).toEqual(['all', undefined, undefined]);
  });

  it.each([
    { type: 'TopPlayers' },
    { season: '2h' },
    { where: 'score > 2' },
    { ties: 'FirstToReach' },
    { score: 'Lowest' },
    { people: true },
  ])('is none with a board of %j', (other) => {
    expect(pairs({ ...all, ...other }, people)).toEqual([undefined, undefined]);
  });

  it('is a pair with no board that has another', () => {
    expect(pairs(all, people, { ...people, name: 'more' })).toEqual([undefined, 'all', undefined]);
  });

  it('counts what fulfils its own condition too', () => {
    const script = (board: object) => sqlScript(resource({ leaderboards: [board] }), 'kafka:9092');
    expect(script(people)).toContain("WHERE (\nNOT (user_id LIKE 'RBT%') AND (\nscore > 1\n)\n  )");
    const streaks = { name: 'streaks', type: 'HotStreakers', people: true };
    expect(script(streaks)).toContain("AND (\nNOT (user_id LIKE 'RBT%')\n  )");
  });
});

describe('pods', () => {
  const objects = planned(resource(FULL, 'game', IN_CLUSTER));
  const withResults = planned(resource(RESULTS, 'game', IN_CLUSTER));
  const selectorOf = (component: string) =>
    ofKind<Deployment>(objects, 'Deployment').find(({ metadata }) => metadata.name === `game-${component}`)
      ?.spec.selector.matchLabels;

  it('meet the restricted Pod Security level', () => {
    const deployments = ofKind<Deployment>(objects, 'Deployment').map(({ spec }) => spec.template);
    const flink = ofKind<FlinkDeployment>(objects, 'FlinkDeployment').map(({ spec }) => spec.podTemplate);
    expect([...deployments, ...flink]).toHaveLength(3);
    for (const template of [...deployments, ...flink]) {
      expect(template).toMatchObject({
        spec: {
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
          ],
        },
      });
    }
  });

  it('of our own programs have no token but for the results, and cannot write to their file system', () => {
    for (const { metadata, spec } of ofKind<Deployment>([...objects, ...withResults], 'Deployment')) {
      const { automountServiceAccountToken } = spec.template.spec;
      expect(automountServiceAccountToken).toBe(metadata.name === 'game-results');
      expect(spec.template.spec.containers[0].securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
      });
    }
  });

  it('run under accounts that the plan makes', () => {
    const accounts = objects
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ metadata }) => metadata.name);
    for (const { spec } of ofKind<Deployment>(objects, 'Deployment'))
      expect(accounts).toContain(spec.template.spec.serviceAccountName);
    for (const { spec } of ofKind<FlinkDeployment>(objects, 'FlinkDeployment'))
      expect(accounts).toContain(spec.serviceAccount);
  });

  it('are selected by labels they have, and by no other’s', () => {
    const deployments = ofKind<Deployment>(objects, 'Deployment');
    for (const { spec } of deployments)
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    const [service] = ofKind<Service>(objects, 'Service');
    const selected = deployments.filter(({ spec }) =>
      Object.entries(service?.spec.selector ?? {}).every(
        ([key, value]) => spec.template.metadata.labels[key] === value,
      ),
    );
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(['game-dashboard']);
  });

  it('may be taken one at a time by a drain, and go to different places, where there can be several', () => {
    const own = selectorOf('dashboard');
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ metadata, spec }) => ({ name: metadata.name, spec }))).toEqual([
      {
        name: 'game-dashboard',
        spec: {
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
          selector: { matchLabels: own },
        },
      },
    ]);
    const spread = ofKind<Deployment>(objects, 'Deployment').flatMap(
      ({ spec }) => (spec.template.spec.topologySpreadConstraints as object[] | undefined) ?? [],
    );
    expect(spread).toHaveLength(2);
    for (const constraint of spread)
      expect(constraint).toMatchObject({
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: own },
      });
  });

  it('brings no roles: job and results are bound to those that come with the operator', () => {
    const all = [...objects, ...withResults];
    expect(all.filter(({ kind }) => /Role$/.test(kind))).toEqual([]);
    const bindings = withResults.filter(({ kind }) => kind === 'RoleBinding');
    const binding = (role: string, account: string) => ({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'arcades' }],
    });
    expect(bindings.map(({ roleRef, subjects }) => ({ roleRef, subjects }))).toEqual([
      binding('gameanalytics-flink-job', 'game-job'),
      binding('gameanalytics-results', 'game-results'),
    ]);
  });

  it('tells the results of the API server in a cluster alone', () => {
    const told = ({ spec }: Deployment) =>
      spec.template.spec.containers[0].env.filter(({ name }) => name.startsWith('KUBERNETES_'));
    expect(ofKind<Deployment>(withResults, 'Deployment').flatMap(told)).toEqual([
      { name: 'KUBERNETES_API_SERVER', value: 'https://kubernetes.default.svc' },
    ]);
    const elsewhere = planned(resource(RESULTS));
    expect(ofKind<Deployment>(elsewhere, 'Deployment').flatMap(told)).toEqual([]);
  });
});

describe('the Flink job', () => {
  const job = (spec: Record<string, unknown> = {}) => {
    const [deployment] = ofKind<FlinkDeployment>(planned(resource(spec)), 'FlinkDeployment');
    if (!deployment) throw new Error('no FlinkDeployment');
    return deployment.spec;
  };

  it('is SQL that Flink’s own SqlDriver runs, with no jar of our own', () => {
    expect(job().job).toMatchObject({
      entryClass: 'org.apache.flink.table.runtime.application.SqlDriver',
      jarURI: expect.stringMatching(/^local:\/\/\/opt\/flink\/lib\/flink-/),
      args: ['--script', sqlScript(resource(), 'kafka:9092')],
    });
  });

  it('has the image of the resource, or the one released with the operator', () => {
    expect(job().image).toBe('flink:1');
    expect(job({ flink: { image: 'mine:2' } }).image).toBe('mine:2');
  });

  it('is upgraded from a savepoint where there is a place for one, else from the events', () => {
    expect(job().job.upgradeMode).toBe('stateless');
    expect(job({ flink: { state: { claim: 'state' } } }).job.upgradeMode).toBe('savepoint');
  });

  it('keeps its state apart from that of other resources at the same place', () => {
    const { flinkConfiguration } = job({ flink: { state: { uri: 's3://bucket//' } } });
    expect(flinkConfiguration).toMatchObject({
      'execution.checkpointing.dir': 's3://bucket/game/checkpoints',
      'execution.checkpointing.savepoint-dir': 's3://bucket/game/savepoints',
      'high-availability.storageDir': 's3://bucket/game/ha',
    });
  });

  it('takes the user’s configuration over its own, which is text throughout', () => {
    const { flinkConfiguration } = job({
      flink: { configuration: { 'pipeline.object-reuse': 'false', x: 'y' } },
    });
    expect(flinkConfiguration).toMatchObject({ 'pipeline.object-reuse': 'false', x: 'y' });
    expect(Object.values(flinkConfiguration).every((value) => typeof value === 'string')).toBe(true);
  });

  it.each([{}, { state: { uri: 's3://bucket' } }])(
    'sets nothing in silence over the user’s, with %o',
    (flink) => {
      const isRefused = (key: string) => REFUSED_KEYS.some((refused) => refusesKey(refused.key, key));
      const keys = Object.keys(job({ flink }).flinkConfiguration).filter((key) => !isRefused(key));
      const configuration = Object.fromEntries(keys.map((key) => [key, 'theirs']));
      expect(job({ flink: { ...flink, configuration } }).flinkConfiguration).toMatchObject(configuration);
    },
  );

  it('has its memory as heap when its state is there, and not when that is in RocksDB', () => {
    const managed = (configuration: Record<string, string>) =>
      job({ flink: { configuration } }).flinkConfiguration['taskmanager.memory.managed.fraction'];
    expect(managed({})).toBe('0.1');
    expect(managed({ 'state.backend.type': 'hashmap' })).toBe('0.1');
    expect(managed({ 'state.backend.type': 'rocksdb' })).toBeUndefined();
    expect(managed({ 'taskmanager.memory.managed.fraction': '0.3' })).toBe('0.3');
  });
});

describe('our programs', () => {
  const env = (spec: Record<string, unknown>, component: string) => {
    const deployment = ofKind<Deployment>(planned(resource(spec)), 'Deployment').find(
      ({ metadata }) => metadata.name === `game-${component}`,
    );
    return new Map(deployment?.spec.template.spec.containers[0].env.map(({ name, value }) => [name, value]));
  };

  it('are no injector unless it is asked for', () => {
    const names = planned(resource()).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.includes('injector'))).toEqual([]);
  });

  it('have an injector that writes into the topic the job reads', () => {
    expect(env({ injector: {} }, 'injector').get('EVENTS_TOPIC')).toBe('game-user-score');
    expect(
      env({ injector: { allowOwnTopic: true }, events: { topic: 'scores' } }, 'injector').get('EVENTS_TOPIC'),
    ).toBe('scores');
  });

  it('have a seed only when there is one, 0 included', () => {
    expect(env({ injector: {} }, 'injector').has('SEED')).toBe(false);
    expect(env({ injector: { seed: 0 } }, 'injector').get('SEED')).toBe('0');
  });

  it('have a dashboard that knows every board by its topic and by columns that its topic has', () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        fc.pre(!needsSchema(resource(spec).spec));
        const panels = JSON.parse(env(spec, 'dashboard').get('DASHBOARD_BOARDS') ?? '');
        const expected = boards(resource(spec));
        expect(panels.map(({ name, topic }: { name: string; topic: string }) => `${name} ${topic}`)).toEqual(
          expected.map(({ name }) => `${name} game-${name}`),
        );
        for (const [i, panel] of panels.entries()) {
          const columns = expected[i]?.rowColumns.map(({ name }) => name);
          const used = [...panel.columns.map(({ name }: { name: string }) => name), ...panel.identity];
          expect(columns).toEqual(expect.arrayContaining(used));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('have a dashboard with the title of the resource, or its name', () => {
    expect(env({}, 'dashboard').get('DASHBOARD_TITLE')).toBe('game');
    expect(env({ dashboard: { title: 'The "Games"' } }, 'dashboard').get('DASHBOARD_TITLE')).toBe(
      'The "Games"',
    );
  });
});
