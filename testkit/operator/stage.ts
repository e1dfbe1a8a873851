import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import { expect } from 'vitest';
import { parseGameAnalytics } from '../../api/parse.ts';
import type { Condition, Status } from '../../api/status.ts';
import { Cluster } from '../../operator/cluster.ts';
import { type Child, isTopic, matchByName, needsWrite } from '../../operator/controller/children.ts';
import { appliedLayout } from '../../operator/controller/job.ts';
import { observe } from '../../operator/controller/observe.ts';
import { completeColumns } from '../../operator/controller/schema.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { CONTROLLER_REVISION } from '../../operator/kube/kinds.ts';
import type { LiveObject } from '../../operator/kube/object.ts';
import { createMetrics } from '../../operator/metrics.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { createKafka, type Listener } from '../stand-ins/kafka.ts';
import { type StandIns, startStandIns } from '../stand-ins/stand-ins.ts';
import { settledOf, timeless } from './arcade.ts';
import { APP_IMAGE, FLINK_IMAGE, startOperator, type TestOperator } from './operator.ts';
import { User } from './user.ts';

const PATIENCE_MILLIS = 60_000;

/**
 * A namespace with everything that a GameAnalytics needs, for hundreds of changes: seen by watches, written
 * without kubectl.
 */
export class Stage {
  readonly plane: ControlPlaneAccess;
  readonly namespace: string;
  readonly user: User;
  readonly #client: KubeClient;
  readonly #view: Cluster;
  readonly #standIns: StandIns;
  /** Versions of live objects, and the plan that each was found to be. */
  readonly #asPlanned = new Map<string, KubernetesObject>();
  #operator: TestOperator;

  private constructor(plane: ControlPlaneAccess, namespace: string, standIns: StandIns) {
    this.plane = plane;
    this.namespace = namespace;
    this.user = new User(plane.kubeConfig());
    this.#client = new KubeClient(plane.kubeConfig());
    this.#view = new Cluster({
      client: this.#client,
      namespace,
      onChange: () => undefined,
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
    });
    this.#standIns = standIns;
    this.#operator = startOperator(plane.kubeConfig(), namespace);
  }

  /** A new one, at work, with a Kafka of each name, which has all of these listeners. */
  static async start(
    plane: ControlPlaneAccess,
    kafkas: string[] = ['games'],
    listeners: Listener[] = ['plain', { name: 'tls', authentication: 'tls' }],
  ): Promise<Stage> {
    const namespace = await plane.newNamespace();
    for (const kafka of kafkas) await createKafka(plane.kubeConfig(), namespace, kafka, { listeners });
    const standIns = await startStandIns(plane.kubeConfig(), {
      namespaces: [namespace],
      stepMillis: 5,
      skipsStates: true,
    });
    const stage = new Stage(plane, namespace, standIns);
    stage.#view.start();
    await stage.#view.synced();
    return stage;
  }

  /** Puts another operator in the place of the one at work, and returns it. */
  async restartOperator(): Promise<TestOperator> {
    await this.#operator.stop();
    this.#operator = startOperator(this.plane.kubeConfig(), this.namespace);
    return this.#operator;
  }

  async stop(): Promise<void> {
    await this.#operator.stop();
    await this.#view.stop();
    await this.#standIns.stop();
    await Promise.all([this.#client.close(), this.user.close()]);
  }

  /** Applies a spec, and waits until its `Ready` has one of these reasons. */
  async apply(name: string, spec: unknown, ...reasons: string[]): Promise<Condition> {
    const { metadata } = await this.user.applySpec(this.namespace, name, spec);
    const { generation = 0 } = metadata;
    return until(
      async () => this.#ready(name, generation),
      (ready) => reasons.includes(ready?.reason ?? ''),
      (ready) => `Ready is not said to be ${reasons.join(' or ')}: ${JSON.stringify(ready)}`,
    );
  }

  /** What the API server says against a spec; undefined when it takes it. */
  async refusal(name: string, spec: unknown): Promise<string | undefined> {
    const answer = this.user.applySpec(this.namespace, name, spec, { dryRun: true });
    return answer.then(
      () => undefined,
      (error: Error) => error.message,
    );
  }

  /** Waits until a resource's children are what its plan says. */
  async untilAsPlanned(name: string): Promise<void> {
    const isSo = (deviations: string[]) => deviations.length === 0;
    await until(
      () => this.#deviations(name),
      isSo,
      (deviations) => deviations.join('\n'),
    );
  }

  /** Waits until a resource's children are again as they were before something, of which `after` tells. */
  async untilSettled(name: string, before: Record<string, unknown>, after?: string): Promise<void> {
    const isSo = (now: unknown) => isDeepStrictEqual(now, before);
    // The assertion says what they are then.
    await until(
      async () => this.settled(name),
      isSo,
      () => '',
    ).catch(() => undefined);
    expect(this.settled(name), after).toEqual(before);
  }

  /**
   * Where a resource's children are not what its plan says: objects that the API server would change to have
   * all of the plan, objects that the operator would write again although nothing changed, and objects that
   * no plan has.
   */
  async #deviations(name: string): Promise<string[]> {
    const children = this.children(name);
    const pairs = matchByName(this.#planned(name), children);
    const rewritten = pairs.filter(needsWrite).map(({ desired }) => `written forever: ${idOf(desired)}`);
    const ids = pairs.map(({ desired }) => idOf(desired));
    const unplanned = children.filter((child) => !ids.includes(idOf(child)) && !isKept(child));
    const known = [...rewritten, ...unplanned.map((child) => `not in the plan: ${idOf(child)}`)];
    if (known.length > 0) return known;
    const changed = await Promise.all(pairs.map((pair) => this.#isChanged(pair)));
    return pairs.filter((_, i) => changed[i]).map(({ desired }) => `not as planned: ${idOf(desired)}`);
  }

  /**
   * Whether an object would be another one with all that is planned in it. The API server judges that, not
   * our own code; once for each version, since most edits leave most objects as they are.
   */
  async #isChanged({ desired, live }: Child): Promise<boolean> {
    if (!live) return true;
    const version = `${live.metadata.uid} ${live.metadata.resourceVersion}`;
    if (isDeepStrictEqual(this.#asPlanned.get(version), desired)) return false;
    const applied = await this.user.apply(desired, { dryRun: true });
    const isSame = isDeepStrictEqual(timeless(applied), timeless(live));
    if (isSame) this.#asPlanned.set(version, desired);
    return !isSame;
  }

  /** The objects of the plan for a resource, as the operator must have made it. */
  #planned(name: string): KubernetesObject[] {
    const live = this.#view.resource(this.namespace, name);
    const parsed = parseGameAnalytics({ ...live, status: undefined });
    if (parsed.problems) throw new Error(`${name} is not valid: ${JSON.stringify(parsed.problems)}`);
    const { resource } = completeColumns(parsed.resource, live?.status, '');
    const bootstrapServers = `${resource.spec.kafka.cluster}-kafka-bootstrap:9092`;
    const layout = resource.spec.flink.state && appliedLayout(observe(this.#view, resource).job);
    return plan(resource, { bootstrapServers, appImage: APP_IMAGE, flinkImage: FLINK_IMAGE, layout });
  }

  children(name: string): LiveObject[] {
    return this.#view.children(this.namespace, name);
  }

  settled(name: string): Record<string, unknown> {
    return settledOf(this.children(name));
  }

  #ready(name: string, generation: number): Condition | undefined {
    const status = this.#view.resource(this.namespace, name)?.status as Status | undefined;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.observedGeneration === generation ? ready : undefined;
  }
}

async function until<T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  complaint: (seen: T) => string,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + PATIENCE_MILLIS;
  for (;;) {
    const seen = await look();
    if (seen && isSo(seen)) return seen;
    if (Date.now() > deadline) throw new Error(complaint(seen));
    await sleep(10);
  }
}

/**
 * What exists outside the plan, and should: the job's last good revision, and a retained topic, which has no
 * owner.
 */
function isKept({ kind, metadata }: LiveObject): boolean {
  return kind === CONTROLLER_REVISION.kind || (isTopic({ kind }) && !metadata.ownerReferences?.length);
}

function idOf({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind} ${metadata.name}`;
}
