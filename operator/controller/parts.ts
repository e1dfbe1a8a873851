import { type Component, LABELS } from '../../plan/metadata.ts';
import type { KafkaUser, KubernetesObject } from '../../plan/objects.ts';
import { KAFKA_TOPIC, KAFKA_USER } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './condition-state.ts';
import { type ChildCondition, notReadyMessage } from './kafka-condition.ts';

/** An object of the plan with its live counterpart. */
export interface Child<T extends KubernetesObject = KubernetesObject> {
  desired: T;
  live: LiveObject | undefined;
}

/** Whether every topic is there, by what Strimzi says of each. */
export function topicsCondition(topics: Child[]): ConditionState {
  return firstProblem(topics) ?? conditionTrue('Available', `${topics.length} topics are there.`);
}

/** Whether everyone who signs in to Kafka is known there, by what Strimzi says of each. */
export function usersCondition(users: Child[]): ConditionState {
  if (users.length === 0) return conditionTrue('NotWanted', 'The spec asks for no authentication.');
  return firstProblem(users) ?? conditionTrue('Available', `${users.length} users are there.`);
}

function firstProblem(children: Child[]): ConditionState | undefined {
  const said = children.map(strimziProblem).filter((condition) => condition !== undefined);
  return said.find(({ reason }) => reason === 'NotReady') ?? said[0];
}

function strimziProblem({ desired, live }: Child): ConditionState | undefined {
  const name = `${desired.kind} ${desired.metadata.name}`;
  if (live?.metadata.deletionTimestamp)
    return conditionFalse('Pending', `${name} is being deleted, and made again then.`);
  const { conditions = [], observedGeneration = 0 } = (live?.status ?? {}) as {
    conditions?: ChildCondition[];
    observedGeneration?: number;
  };
  if (!live || observedGeneration < (live.metadata.generation ?? 0))
    return conditionFalse('Pending', `${name}: Strimzi has not answered yet.`);
  const against = notReadyMessage(conditions);
  return against === undefined ? undefined : conditionFalse('NotReady', `${name}: ${against}`);
}

/** Whether Strimzi says that an object is there as the plan wants it. */
export function isReady(child: Child): boolean {
  return strimziProblem(child) === undefined;
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
export function deploymentCondition({ desired, live }: Child, podTroubles: string): ConditionState {
  const name = `Deployment ${desired.metadata.name}`;
  if (!live) return conditionFalse('Pending', `${name} is not there yet.`);
  const wanted = Number((live.spec as { replicas?: number }).replicas ?? 1);
  const status = (live.status ?? {}) as DeploymentStatus;
  if ((status.observedGeneration ?? 0) < (live.metadata.generation ?? 0))
    return conditionFalse('Pending', `${name}: Kubernetes has not answered yet.`);
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const old = replicas - updatedReplicas;
  // Which of them are available does not show while there are old ones.
  const others = old > 0 ? `waiting for ${old} old to go` : `${availableReplicas} available`;
  const counts = `${updatedReplicas} of ${wanted} updated, ${others}`;
  if (updatedReplicas >= wanted && availableReplicas >= wanted && old <= 0)
    return conditionTrue('Available', `${name}: ${counts}.`);
  const failure = [rolloutFailure(status.conditions ?? []), podTroubles].filter(Boolean).join('. ');
  return failure
    ? conditionFalse('NotReady', `${name}: ${counts}. ${failure}`)
    : conditionFalse('Pending', `${name}: ${counts}.`);
}

/** Why a rollout does not continue, in Kubernetes' words. */
function rolloutFailure(conditions: ChildCondition[]): string | undefined {
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
