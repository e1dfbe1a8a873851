import { isDeepStrictEqual } from 'node:util';
import type { Component } from '../../plan/metadata.ts';
import type { FlinkDeployment, KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { CONTROLLER_REVISION, FLINK_DEPLOYMENT } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { compareVersions } from '../kube/resource-version.ts';
import { grantedRights, keepExistingAcls } from './acls.ts';
import { type Applied, applyChild, type Conflict } from './apply.ts';
import { assertNotDeleted } from './assert-not-deleted.ts';
import { matchByName, needsWrite, toPrune, withAppliedHash } from './changes.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { type ConditionState, conditionFalse } from './condition-state.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { ResourceEvent } from './events.ts';
import { decideJob, findJob, type JobDecision, jobAgeMillis } from './job.ts';
import { componentOf, isTopic, isUser, topicsCondition, usersCondition } from './parts.ts';
import { podTroubles } from './pods.ts';
import { controllerRevision, keptRevision, type Revision } from './revision.ts';
import { statusOf } from './status.ts';

interface ApplyParts {
  client: KubeClient;
  view: ClusterCache;
  recorder: EventRecorder;
  /** How long a new revision of the job may take to come up. */
  upgradeTimeoutMillis: number;
  now: () => Date;
}

/** What came of writing a plan. */
export interface Outcome {
  job: ConditionState;
  /** What could not be written, by the component it belongs to. */
  problems: Map<Component, ConditionState>;
  conflicts: Conflict[];
  /** When to look again, although nothing changes. */
  requeueAfterMillis?: number | undefined;
}

/** The outcome of writing nothing. */
export function untouched(job: ConditionState): Outcome {
  return { job, problems: new Map(), conflicts: [] };
}

/**
 * Makes the cluster what a plan says, and writes nothing where it is so already.
 *
 * @param live the resource
 * @param planned what its plan wants
 */
export function applyPlan(
  parts: ApplyParts,
  live: LiveObject,
  planned: KubernetesObject[],
  signal: AbortSignal,
): Promise<Outcome> {
  return new PlanRun(parts, live, signal).run(planned);
}

/** One run, with what it has met so far. */
class PlanRun {
  readonly #parts: ApplyParts;
  readonly #live: LiveObject;
  readonly #signal: AbortSignal;
  readonly #problems = new Map<Component, ConditionState>();
  readonly #conflicts: Conflict[] = [];

  constructor(parts: ApplyParts, live: LiveObject, signal: AbortSignal) {
    this.#parts = parts;
    this.#live = live;
    this.#signal = signal;
  }

  /**
   * Rights come after the topics that they are to. The job comes last: it needs both, and it is what can go
   * wrong. Topics that no board needs any more, and rights to them, go once the job that wrote them has been
   * replaced.
   */
  async run(planned: KubernetesObject[]): Promise<Outcome> {
    const plannedJob = findPlannedJob(planned);
    const others = planned.filter((object) => object !== plannedJob);
    const topics = others.filter(isTopic);
    const users = others.filter(isUser);
    await this.#apply(others.filter((object) => !isUser(object)));
    await this.#grant(users, topics, { keepOthers: true });
    // What comes up from here on is the next run's to judge.
    const seen = this.#children();
    const job = this.#decide(plannedJob, seen);
    const kept = job.lastGood ? [controllerRevision(plannedJob, job.lastGood)] : [];
    const held = this.#whyHeld(job, others, seen);
    if (!held) await this.#apply([...kept, job.desired]);
    if (job.rolloutComplete) await this.#grant(users, topics, { keepOthers: false });
    await this.#remove(
      toPrune([...others, ...kept, job.desired], seen, this.#live.metadata.uid),
      job.rolloutComplete,
    );
    return {
      job: held ?? job.condition,
      problems: this.#problems,
      conflicts: this.#conflicts,
      requeueAfterMillis: this.#isNewer(seen) ? 0 : job.requeueAfterMillis,
    };
  }

  /**
   * Whether the answer to our own write had a newer status of the job than the decision was made on. The
   * watch tells no one of what that answer had already.
   */
  #isNewer(seen: LiveObject[]): boolean {
    const before = findJob(seen);
    return before !== undefined && !isDeepStrictEqual(findJob(this.#children())?.status, before.status);
  }

  #children(): LiveObject[] {
    return this.#parts.view.children(this.#live.metadata.namespace ?? '', this.#live.metadata.name);
  }

  #pods(): LiveObject[] {
    return this.#parts.view.pods(this.#live.metadata.namespace ?? '', this.#live.metadata.name);
  }

  /**
   * All at once, since none needs another; and all to their ends, so that nothing of this run is under way in
   * the next.
   */
  async #apply(desired: KubernetesObject[]): Promise<void> {
    const children = matchByName(desired, this.#children());
    const { client } = this.#parts;
    // What is made for a resource that is gone would come too late to go with it.
    if (children.some(({ live }) => !live)) await assertNotDeleted(client, this.#live);
    const ends = await Promise.allSettled(
      children.map((child) => applyChild(client, child, this.#live.metadata, this.#signal)),
    );
    for (const [i, { desired }] of children.entries()) {
      const end = ends[i];
      if (end?.status === 'fulfilled') this.#take(componentOf(desired), end.value);
    }
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /**
   * Applies users with the rights that they may have now. One that is not there yet waits until it may have
   * all of them.
   */
  async #grant(users: KafkaUser[], topics: KubernetesObject[], { keepOthers }: { keepOthers: boolean }) {
    const children = this.#children();
    const known = matchByName(topics, children);
    const granted = matchByName(users, children).flatMap(({ desired, live }) => {
      const wanted = keepOthers ? keepExistingAcls(desired, live) : desired;
      const { user, waitsFor } = grantedRights(wanted, live, known, this.#live.metadata);
      if (live || waitsFor.length === 0) return [user];
      const message = `${user.kind} ${user.metadata.name} is made once KafkaTopic ${waitsFor[0]} is ready.`;
      this.#take('users', { conflicts: [], problem: conditionFalse('Pending', message) });
      return [];
    });
    await this.#apply(granted);
  }

  #take(component: Component, { live, conflicts, problem }: Applied): void {
    if (live) this.#parts.view.put(live);
    this.#conflicts.push(...conflicts);
    if (problem && !this.#problems.has(component)) this.#problems.set(component, problem);
  }

  #decide(planned: FlinkDeployment, children: LiveObject[]): JobDecision {
    const live = matchByName([planned], children)[0]?.live;
    return decideJob({
      planned,
      live,
      lastGood: lastGoodRevision(children),
      podTroubles: podTroubles(this.#pods(), 'flink'),
      ageMillis: jobAgeMillis(live, statusOf(this.#live), this.#parts.now()),
      timeoutMillis: this.#parts.upgradeTimeoutMillis,
    });
  }

  /** Why the job is not written now. One that has all it should is never held. */
  #whyHeld(
    { desired }: JobDecision,
    others: KubernetesObject[],
    children: LiveObject[],
  ): ConditionState | undefined {
    if (!this.#parts.view.serves(FLINK_DEPLOYMENT))
      return conditionFalse(
        'FlinkOperatorMissing',
        'The cluster does not know FlinkDeployments: install the Flink Kubernetes Operator 1.15 or newer.',
      );
    const changes = matchByName([desired], children).some((child) =>
      needsWrite({ ...child, desired: withAppliedHash(desired) }),
    );
    if (!changes) return undefined;
    const needs = [
      topicsCondition(matchByName(others.filter(isTopic), children)),
      usersCondition(matchByName(others.filter(isUser), children)),
    ];
    const missing = needs.find(({ status }) => status !== 'True');
    return (
      missing &&
      conditionFalse('Waiting', `The job is started once Kafka is set up for it. ${missing.message}`)
    );
  }

  async #remove(gone: LiveObject[], settled: boolean): Promise<void> {
    const { client, view, recorder } = this.#parts;
    for (const object of gone.filter((object) => settled || !isOfKafka(object))) {
      const left = await client.delete(object, { signal: this.#signal });
      if (left) view.put(left);
      else view.remove(object);
      if (isTopic(object)) await recorder(this.#live, deletionEvent(object));
    }
  }
}

/** What a job needs in Kafka for as long as it runs. */
function isOfKafka(object: LiveObject): boolean {
  return isTopic(object) || isUser(object);
}

/** A topic goes with all that is in it: that is worth telling. */
function deletionEvent({ kind, metadata }: LiveObject): ResourceEvent {
  const note = `${kind} ${metadata.name} was deleted: the spec has no leaderboard for it any more.`;
  return { type: 'Normal', reason: 'Deleted', action: 'Delete', note };
}

/** The one FlinkDeployment of a plan. */
function findPlannedJob(planned: KubernetesObject[]): FlinkDeployment {
  const job = planned.find((object): object is FlinkDeployment => object.kind === FLINK_DEPLOYMENT.kind);
  if (!job) throw new Error('the plan has no job');
  return job;
}

/** The last revision that was found good: the newest of those kept, should a crash have left two. */
function lastGoodRevision(children: LiveObject[]): Revision | undefined {
  const [newest] = children
    .filter(({ kind }) => kind === CONTROLLER_REVISION.kind)
    .sort((a, b) => compareVersions(b.metadata.resourceVersion, a.metadata.resourceVersion));
  return newest && keptRevision(newest);
}
