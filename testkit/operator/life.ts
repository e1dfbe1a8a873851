import { expect } from 'vitest';
import { millis } from '../../api/duration.ts';
import { createKafka } from '../stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../stand-ins/stand-ins.ts';
import type { Arcade } from './arcade.ts';
import type { TestOperator } from './operator.ts';

/** With everything that an edit can take away. */
const FULL = {
  kafka: { cluster: 'games', authentication: { type: 'scram-sha-512' } },
  flink: { state: { claim: 'state' } },
  events: { latestArrival: '10m' },
  results: {},
  injector: {},
  dashboard: { ingress: { host: 'games.example' } },
};
/** Of the first board: a job with it does not come up. */
const REFUSED_SEASON = '3h';
/** Kinds of which an edit can take objects away. */
const REMOVABLE = [
  'Deployment',
  'Ingress',
  'KafkaTopic',
  'KafkaUser',
  'NetworkPolicy',
  'RoleBinding',
  'ServiceAccount',
];
const PATIENCE = { timeout: 30_000 };

/** Everything that operators ever do, one thing after the other, by a leader and its standby. */
export class Life {
  readonly #arcade: Arcade;
  readonly #startOperator: (identity: string) => TestOperator;
  readonly #operators = new Map<string, TestOperator>();
  #standIns: StandIns | undefined;

  /** @param startOperator starts one that looks after the arcade's namespace */
  constructor(arcade: Arcade, startOperator: (identity: string) => TestOperator) {
    this.#arcade = arcade;
    this.#startOperator = startOperator;
  }

  /** On a cluster that knows our own kind and none of those that we build on: they come with time. */
  async run(): Promise<void> {
    await this.#waitForOthers();
    await this.#meetWhatIsNotOurs();
    await this.#replaceTheJob();
    await this.#handOver();
    await this.#removeWhatIsNotWanted();
    await this.#undoDrift();
    await this.#putBack();
  }

  async end(): Promise<void> {
    await Promise.all(Array.from(this.#operators.values(), (operator) => operator.stop()));
    await this.#standIns?.stop();
  }

  async #waitForOthers(): Promise<void> {
    const { plane } = this.#arcade;
    this.#start('leader');
    await this.#arcade.apply({ ...FULL, leaderboards: boards('1h') });
    await this.#arcade.until('KafkaReady', { reason: 'StrimziMissing' });
    this.#start('standby');
    await plane.applyCrds('closed');
    await this.#arcade.until('KafkaReady', { reason: 'KafkaMissing' });
  }

  async #meetWhatIsNotOurs(): Promise<void> {
    const { plane, namespace } = this.#arcade;
    this.#standIns = await startStandIns(plane.kubeConfig(), {
      namespaces: [namespace],
      outcomes: {
        job: ({ spec }) =>
          spec.job.args.join().includes(`MOD(event_time_millis, ${millis(REFUSED_SEASON)})`)
            ? { state: 'failed', error: 'no slots' }
            : { state: 'stable' },
      },
    });
    await this.#arcade.kubectl('create', 'service', 'clusterip', 'arcade-dashboard', '--tcp=80');
    await createKafka(plane.kubeConfig(), namespace, 'games', {
      listeners: ['plain', { name: 'tls', authentication: 'scram-sha-512' }],
    });
    await this.#arcade.until('DashboardReady', { reason: 'NameConflict' });
    await this.#arcade.kubectl('delete', 'service', 'arcade-dashboard');
    await this.#arcade.ready();
  }

  async #replaceTheJob(): Promise<void> {
    const before = await this.#children('ControllerRevision');
    expect(before).toHaveLength(1);
    await this.#arcade.apply({ ...FULL, leaderboards: boards('2h') });
    await this.#arcade.ready();
    await expect.poll(() => this.#children('ControllerRevision'), PATIENCE).toHaveLength(1);
    expect(await this.#children('ControllerRevision')).not.toEqual(before);
  }

  async #handOver(): Promise<void> {
    const leads = async (identity: string) => {
      const metric = await this.#operators
        .get(identity)
        ?.metrics.registry.getSingleMetricAsString('leader_election_master_status');
      return / 1$/m.test(metric ?? '');
    };
    expect(await leads('leader')).toBe(true);
    await this.#operators.get('leader')?.stop();
    await expect.poll(() => leads('standby'), PATIENCE).toBe(true);
  }

  async #removeWhatIsNotWanted(): Promise<void> {
    // What reads the columns is there in between, and goes too.
    const events = { format: 'avro-confluent' };
    await this.#arcade.apply({ flink: FULL.flink, events, leaderboards: boards('2h').slice(0, 1) });
    await this.#arcade.ready();
    await expect
      .poll(() => this.#children(...REMOVABLE), PATIENCE)
      .toEqual([
        'Deployment arcade-dashboard',
        'KafkaTopic arcade-pipeline-stats',
        'KafkaTopic arcade-results',
        'KafkaTopic arcade-top-teams',
        'KafkaTopic arcade-user-score',
        'NetworkPolicy arcade-dashboard',
        'NetworkPolicy arcade-job',
        'RoleBinding arcade-job',
        'ServiceAccount arcade-dashboard',
        'ServiceAccount arcade-job',
      ]);
  }

  /** With everything there again: each kind can be changed by others. */
  async #undoDrift(): Promise<void> {
    const arcade = this.#arcade;
    await arcade.apply({ ...FULL, leaderboards: boards('2h') });
    await arcade.ready();
    const before = await arcade.settled();
    const undone = () => expect.poll(() => arcade.settled(), PATIENCE).toEqual(before);
    const children = [...(await arcade.children()).keys()].map((id) => id.replace(' ', '/'));
    await arcade.kubectl(
      'label',
      ...children,
      'app.kubernetes.io/managed-by-',
      'app.kubernetes.io/instance-',
    );
    await undone();
    await arcade.kubectl('set', 'image', 'deployment/arcade-injector', 'injector=evil:1');
    await arcade.until('FieldConflict', { reason: 'FieldManagerConflict' });
    await undone();
    await arcade.kubectl('delete', ...children, '--wait=false');
    await undone();
    await arcade.ready();
  }

  async #putBack(): Promise<void> {
    await this.#arcade.apply({ ...FULL, leaderboards: boards(REFUSED_SEASON) });
    await this.#arcade.until('JobRunning', { status: 'True', reason: 'RolledBack' });
    await expect
      .poll(() => this.#arcade.events(), PATIENCE)
      .toEqual(
        expect.arrayContaining([
          'StrimziMissing',
          'NameConflict',
          'Ready',
          'Deleted',
          'FieldManagerConflict',
          'RolledBack',
        ]),
      );
  }

  #start(identity: string): void {
    this.#operators.set(identity, this.#startOperator(identity));
  }

  /** The children of these kinds, as `Kind name`. */
  async #children(...kinds: string[]): Promise<string[]> {
    const children = [...(await this.#arcade.children()).values()];
    return children
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .sort();
  }
}

function boards(season: string) {
  return [
    { name: 'top-teams', type: 'TopTeams', season },
    { name: 'top-players', type: 'TopPlayers', size: 10 },
  ];
}
