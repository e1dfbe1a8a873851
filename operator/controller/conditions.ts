import type { ConditionType } from '../../api/conditions.ts';
import { beyondRetention, type GameAnalytics } from '../../api/gameanalytics.ts';
import type { Component } from '../../plan/metadata.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import { DEPLOYMENT } from '../kube/kinds.ts';
import { isFailure, type Written } from './apply.ts';
import { type Child, matchByName, readComponent } from './children.ts';
import { type ChildCondition, notReadyMessage } from './kafka-condition.ts';
import type { Observed } from './observe.ts';
import { podTroubles } from './pods.ts';
import { type ConditionState, type ConditionStates, conditionFalse, conditionTrue } from './status.ts';

/** What the conditions depend on. */
export interface Findings extends Written {
  planned: KubernetesObject[];
  observed: Observed;
  kafka: ConditionState;
  schema: ConditionState;
  topics: ConditionState;
  users: ConditionState;
  job: ConditionState;
}

/** One part of a pipeline: its condition, and how its state follows from what was found. */
interface PartCheck {
  type: ConditionType;
  /** The component whose objects the part consists of: one that could not be written speaks first. */
  component?: Component;
  check: (findings: Findings, resource: GameAnalytics) => ConditionState;
}

/** The parts of a pipeline, in the order in which they depend on each other. */
const PARTS: readonly PartCheck[] = [
  { type: 'KafkaReady', check: ({ kafka }) => kafka },
  { type: 'SchemaReady', component: 'schema', check: ({ schema }) => schema },
  { type: 'TopicsReady', component: 'topics', check: ({ topics }) => topics },
  { type: 'UsersReady', component: 'users', check: ({ users }) => users },
  { type: 'JobRunning', component: 'flink', check: ({ job }, { spec }) => jobCheck(job, spec) },
  { type: 'InjectorReady', component: 'injector', check: (findings) => programCheck('injector', findings) },
  {
    type: 'DashboardReady',
    component: 'dashboard',
    check: (findings) => programCheck('dashboard', findings),
  },
  { type: 'ResultsReady', component: 'results', check: (findings) => programCheck('results', findings) },
  { type: 'HistoryReady', component: 'history', check: (findings) => programCheck('history', findings) },
];

/** The status of a pipeline, by its plan and what was found. */
export function computeConditions(resource: GameAnalytics, findings: Findings): ConditionStates {
  const { problems, conflicts } = findings;
  const states = PARTS.map(({ type, component, check }) => {
    const problem = problems.find((other) => other.component === component);
    const state = check(findings, resource);
    // An object that takes its time must not hide another of the component that its controller rejects.
    const isHiding = problem && !isFailure(problem) && state.reason === 'NotReady';
    return [type, problem && !isHiding ? problem.condition : state] as const;
  });
  const undone = conflicts.map(
    ({ manager, field, object }) => `${manager} had changed ${field} of ${object}; it was set back.`,
  );
  return {
    ...withReady(resource, states),
    ...(undone.length > 0 && { FieldConflict: conditionTrue('FieldManagerConflict', undone.join(' ')) }),
  };
}

/**
 * The status while something is missing without which nothing can be planned, and what exists stays as it is:
 * the address of Kafka, or the columns of the events.
 *
 * @param known the parts of which it is known how they are
 * @param missing as the end of a sentence
 */
export function waitingConditions(
  resource: GameAnalytics,
  known: Partial<Record<ConditionType, ConditionState>>,
  missing: string,
): ConditionStates {
  const waiting: ConditionState = {
    status: 'Unknown',
    reason: 'WaitingForDependency',
    message: `Waiting for ${missing}.`,
  };
  return withReady(
    resource,
    PARTS.map(({ type }) => [type, known[type] ?? waiting] as const),
  );
}

function withReady(
  { spec }: GameAnalytics,
  states: (readonly [ConditionType, ConditionState])[],
): ConditionStates {
  // The first part that is not as the spec wants it speaks for all.
  const [type, first] =
    states.find(([, { status, reason }]) => status !== 'True' || reason === 'RolledBack') ?? [];
  const summary = first
    ? conditionFalse(first.reason, `${type}: ${first.message}`)
    : conditionTrue('Ready', 'The pipeline is live.');
  const Ready = spec.paused
    ? conditionFalse('Paused', 'spec.paused is true: everything stays as it is until it is false.')
    : summary;
  return { Ready, ...Object.fromEntries(states) };
}

/** Whether every topic is there, by what Strimzi says of each. */
export function topicsCondition(topics: Child[]): ConditionState {
  return firstProblem(topics) ?? conditionTrue('Available', `${topics.length} topics are there.`);
}

/** Whether everyone who signs in to Kafka is known there, by what Strimzi says of each. */
export function usersCondition(users: Child[]): ConditionState {
  if (users.length === 0) return conditionTrue('Disabled', 'The spec asks for no authentication.');
  return firstProblem(users) ?? conditionTrue('Available', `${users.length} users are there.`);
}

function firstProblem(children: Child[]): ConditionState | undefined {
  const problems = children.map(strimziProblem).filter((condition) => condition !== undefined);
  return problems.find(({ reason }) => reason === 'NotReady') ?? problems[0];
}

/** What Strimzi says against an object being there as the plan wants it; undefined when nothing. */
export function strimziProblem({ desired, live }: Child): ConditionState | undefined {
  const name = `${desired.kind} ${desired.metadata.name}`;
  if (live?.metadata.deletionTimestamp)
    return conditionFalse('Progressing', `${name} is being deleted, and made again then.`);
  const { conditions = [], observedGeneration = 0 } = (live?.status ?? {}) as {
    conditions?: ChildCondition[];
    observedGeneration?: number;
  };
  if (!live || observedGeneration < (live.metadata.generation ?? 0))
    return conditionFalse('Progressing', `${name}: Strimzi has not answered yet.`);
  const against = notReadyMessage(conditions);
  return against === undefined ? undefined : conditionFalse('NotReady', `${name}: ${against}`);
}

/** The job's condition, with what a board would miss if it was recomputed. */
function jobCheck(job: ConditionState, spec: GameAnalytics['spec']): ConditionState {
  const boards = beyondRetention(spec).map(({ name }) => name);
  if (boards.length === 0 || !['Running', 'Replaying', 'Upgrading'].includes(job.reason)) return job;
  const kept = `Kafka keeps events for ${spec.events.retention} (events.retention)`;
  return {
    ...job,
    message: `${job.message} ${kept}: recomputed, ${boards.join(', ')} would miss what is older.`,
  };
}

function programCheck(component: Component, { planned, observed }: Findings): ConditionState {
  const deployments = planned.filter(
    (object) => object.kind === DEPLOYMENT.kind && readComponent(object) === component,
  );
  const [child] = matchByName(deployments, observed.children);
  return child
    ? deploymentCondition(child, podTroubles(observed.pods, component))
    : conditionTrue('Disabled', `The spec asks for no ${component}.`);
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
  if (!live) return conditionFalse('Progressing', `${name} is not there yet.`);
  const wanted = Number((live.spec as { replicas?: number }).replicas ?? 1);
  const status = (live.status ?? {}) as DeploymentStatus;
  if ((status.observedGeneration ?? 0) < (live.metadata.generation ?? 0))
    return conditionFalse('Progressing', `${name}: Kubernetes has not answered yet.`);
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const old = replicas - updatedReplicas;
  // Which of them are available does not show while there are old ones.
  const others = old > 0 ? `waiting for ${old} old to go` : `${availableReplicas} available`;
  const counts = `${updatedReplicas} of ${wanted} updated, ${others}`;
  if (updatedReplicas >= wanted && availableReplicas >= wanted && old <= 0)
    return conditionTrue('Available', `${name}: ${counts}.`);
  const stalled = conditions.find(
    ({ type, status }) =>
      (type === 'ReplicaFailure' && status === 'True') || (type === 'Progressing' && status === 'False'),
  );
  const stall = [stalled?.reason, stalled?.message].filter(Boolean).join(': ');
  const failure = [stall, podTroubles].filter(Boolean).join('. ');
  return failure
    ? conditionFalse('NotReady', `${name}: ${counts}. ${failure}`)
    : conditionFalse('Progressing', `${name}: ${counts}.`);
}
