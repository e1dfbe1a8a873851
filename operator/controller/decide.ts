import type { FlinkDeployment, KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import { FLINK_DEPLOYMENT } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { grantUsers } from './acls.ts';
import { isTopic, isUser, matchByName, needsWrite, toPrune, withAppliedHash } from './children.ts';
import { topicsCondition, usersCondition } from './conditions.ts';
import { decideJob, jobAgeMillis } from './job.ts';
import type { Observed } from './observe.ts';
import { podTroubles } from './pods.ts';
import { controllerRevision } from './revision.ts';
import { type ConditionState, conditionFalse, readStatus } from './status.ts';

/** The objects of a plan, by the step in which they are applied. */
export interface PlannedObjects {
  /** All but the users and the job; the topics are among them. */
  supporting: KubernetesObject[];
  topics: KubernetesObject[];
  users: KafkaUser[];
  job: FlinkDeployment;
}

export function sortPlan(planned: KubernetesObject[]): PlannedObjects {
  const job = planned.find((object): object is FlinkDeployment => object.kind === FLINK_DEPLOYMENT.kind);
  if (!job) throw new Error('the plan has no job');
  return {
    supporting: planned.filter((object) => object !== job && !isUser(object)),
    topics: planned.filter(isTopic),
    users: planned.filter(isUser),
    job,
  };
}

/** What becomes of the job, and of what it needs. */
export interface Decision {
  topics: ConditionState;
  users: ConditionState;
  job: ConditionState;
  /** The job, and the revision to keep as its last good one; empty while it must wait. */
  apply: KubernetesObject[];
  /** The users that lose rights. */
  revoke: KafkaUser[];
  prune: LiveObject[];
  /** When to look again, although nothing changes. */
  requeueAfterMillis?: number | undefined;
}

/**
 * Decides what becomes of the job once what it stands on was applied. Topics that no board needs any more,
 * and rights to them, go once the job that used them has been replaced.
 *
 * @param observed what there is after the supporting objects and the users were applied
 * @param resource the resource, whose status says since when the job's revision is applied
 */
export function decide(
  planned: PlannedObjects,
  observed: Observed,
  { resource, now, upgradeTimeoutMillis }: { resource: LiveObject; now: Date; upgradeTimeoutMillis: number },
): Decision {
  const { children } = observed;
  const topics = topicsCondition(matchByName(planned.topics, children));
  const users = usersCondition(matchByName(planned.users, children));
  const { desired, lastGood, condition, rolloutComplete, requeueAfterMillis } = decideJob({
    planned: planned.job,
    live: observed.job,
    lastGood: observed.lastGood,
    podTroubles: podTroubles(observed.pods, 'flink'),
    ageMillis: jobAgeMillis(observed.job, readStatus(resource), now),
    timeoutMillis: upgradeTimeoutMillis,
  });
  const wait = jobWait(desired, observed, [topics, users]);
  const kept = lastGood ? [controllerRevision(planned.job, lastGood)] : [];
  const { metadata } = resource;
  const { granted } = grantUsers(planned.users, planned.topics, children, metadata, { keepOthers: false });
  const unplanned = toPrune(
    [...planned.supporting, ...planned.users, ...kept, desired],
    children,
    metadata.uid,
  );
  return {
    topics,
    users,
    job: wait ?? condition,
    apply: wait ? [] : [...kept, desired],
    revoke: rolloutComplete ? granted.filter((user) => wouldChange(user, children)) : [],
    // What the job that runs needs in Kafka stays until then.
    prune: unplanned.filter((object) => rolloutComplete || !(isTopic(object) || isUser(object))),
    requeueAfterMillis,
  };
}

function jobWait(
  desired: FlinkDeployment,
  { children, servesFlink }: Observed,
  needs: ConditionState[],
): ConditionState | undefined {
  if (!servesFlink)
    return conditionFalse(
      'FlinkOperatorMissing',
      'The cluster does not know FlinkDeployments: install the Flink Kubernetes Operator 1.15 or newer.',
    );
  // A job that has all it should never waits.
  if (!wouldChange(desired, children)) return undefined;
  const missing = needs.find(({ status }) => status !== 'True');
  return (
    missing &&
    conditionFalse(
      'WaitingForDependency',
      `The job is started once Kafka is set up for it. ${missing.message}`,
    )
  );
}

function wouldChange(desired: KubernetesObject, children: LiveObject[]): boolean {
  return matchByName([withAppliedHash(desired)], children).some(needsWrite);
}
