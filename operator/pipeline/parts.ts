import { type Component, LABELS } from '../../plan/metadata.ts';
import type { KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import { KAFKA_TOPIC, KAFKA_USER } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type ChildCondition, words } from './kafka.ts';
import { fails, holds, type Verdict } from './verdict.ts';

/** An object of the plan with its live counterpart. */
export interface Child<T extends KubernetesObject = KubernetesObject> {
  desired: T;
  live: LiveObject | undefined;
}

/** Whether every topic is there, by what Strimzi says of each. */
export function judgeTopics(topics: Child[]): Verdict {
  return judgeAll(topics) ?? holds('Available', `${topics.length} topics are there.`);
}

/** Whether everyone who signs in to Kafka is known there, by what Strimzi says of each. */
export function judgeUsers(users: Child[]): Verdict {
  if (users.length === 0) return holds('NotWanted', 'The spec asks for no authentication.');
  return judgeAll(users) ?? holds('Available', `${users.length} users are there.`);
}

function judgeAll(children: Child[]): Verdict | undefined {
  const said = children.map(judgeStrimzi).filter((verdict) => verdict !== undefined);
  return said.find(({ reason }) => reason === 'NotReady') ?? said[0];
}

function judgeStrimzi({ desired, live }: Child): Verdict | undefined {
  const name = `${desired.kind} ${desired.metadata.name}`;
  if (live?.metadata.deletionTimestamp)
    return fails('Pending', `${name} is being deleted, and made again then.`);
  const { conditions = [], observedGeneration = 0 } = (live?.status ?? {}) as {
    conditions?: ChildCondition[];
    observedGeneration?: number;
  };
  if (!live || observedGeneration < (live.metadata.generation ?? 0))
    return fails('Pending', `${name}: Strimzi has not answered yet.`);
  const against = words(conditions);
  return against === undefined ? undefined : fails('NotReady', `${name}: ${against}`);
}

/** Whether Strimzi says that an object is there as the plan wants it. */
export function isThere(child: Child): boolean {
  return judgeStrimzi(child) === undefined;
}

interface DeploymentStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  conditions?: ChildCondition[];
}

/**
 * Whether the Deployment of one of our programs has rolled out, by its own status.
 *
 * @param podTroubles what keeps its pods from running; empty when nothing does
 */
export function judgeApp({ desired, live }: Child, podTroubles: string): Verdict {
  const name = `Deployment ${desired.metadata.name}`;
  if (!live) return fails('Pending', `${name} is not there yet.`);
  const wanted = Number((live.spec as { replicas?: number }).replicas ?? 1);
  const status = (live.status ?? {}) as DeploymentStatus;
  if ((status.observedGeneration ?? 0) < (live.metadata.generation ?? 0))
    return fails('Pending', `${name}: Kubernetes has not answered yet.`);
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const old = replicas - updatedReplicas;
  // Which of them are available does not show while there are old ones.
  const others = old > 0 ? `waiting for ${old} old to go` : `${availableReplicas} available`;
  const counts = `${updatedReplicas} of ${wanted} updated, ${others}`;
  if (updatedReplicas >= wanted && availableReplicas >= wanted && old <= 0)
    return holds('Available', `${name}: ${counts}.`);
  const failure = [failureOf(status.conditions ?? []), podTroubles].filter(Boolean).join('. ');
  return failure
    ? fails('NotReady', `${name}: ${counts}. ${failure}`)
    : fails('Pending', `${name}: ${counts}.`);
}

/** Why a rollout does not continue, in Kubernetes' words. */
function failureOf(conditions: ChildCondition[]): string | undefined {
  const failed = conditions.find(
    ({ type, status }) =>
      (type === 'ReplicaFailure' && status === 'True') || (type === 'Progressing' && status === 'False'),
  );
  return failed && [failed.reason, failed.message].filter(Boolean).join(': ');
}

/** The component an object belongs to, by its label. */
export function componentOf({ metadata }: { metadata: { labels?: Record<string, string> } }): Component {
  return metadata.labels?.[LABELS.component] as Component;
}

export function isTopic({ kind }: { kind: string }): boolean {
  return kind === KAFKA_TOPIC.kind;
}

export function isUser(object: { kind: string }): object is KafkaUser {
  return object.kind === KAFKA_USER.kind;
}
