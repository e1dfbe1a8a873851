import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Component } from '../../plan/metadata.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import { DEPLOYMENT } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import type { Conflict } from './apply.ts';
import { matchByName } from './changes.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './condition-state.ts';
import {
  componentOf,
  deploymentCondition,
  isTopic,
  isUser,
  topicsCondition,
  usersCondition,
} from './parts.ts';
import { podTroubles } from './pods.ts';
import type { ConditionStates } from './status.ts';

/** The parts of a pipeline, in the order in which they depend on each other. */
const PARTS = [
  'KafkaReady',
  'TopicsReady',
  'UsersReady',
  'JobRunning',
  'InjectorReady',
  'DashboardReady',
] as const;

type PartConditions = Record<(typeof PARTS)[number], ConditionState>;

/** What the conditions depend on in addition to the children. */
interface Findings {
  kafka: ConditionState;
  job: ConditionState;
  pods: LiveObject[];
  /** What could not be written, by the component it belongs to. */
  problems?: Map<Component, ConditionState>;
  conflicts?: Conflict[];
}

/** The status of a pipeline, by its plan and its live objects. */
export function computeConditions(
  resource: GameAnalytics,
  planned: KubernetesObject[],
  children: LiveObject[],
  { kafka, job, pods, problems = new Map(), conflicts = [] }: Findings,
): ConditionStates {
  const topics = topicsCondition(matchByName(planned.filter(isTopic), children));
  const users = usersCondition(matchByName(planned.filter(isUser), children));
  const parts = {
    KafkaReady: kafka,
    TopicsReady: problems.get('topics') ?? topics,
    UsersReady: problems.get('users') ?? users,
    JobRunning: problems.get('flink') ?? job,
    InjectorReady: problems.get('injector') ?? componentCondition('injector', planned, children, pods),
    DashboardReady: problems.get('dashboard') ?? componentCondition('dashboard', planned, children, pods),
  };
  return {
    ...withReady(parts, resource),
    ...(conflicts.length > 0 && { FieldConflict: conflictCondition(conflicts) }),
  };
}

/** The status while Kafka has no address: nothing can be planned, and what exists stays as it is. */
export function waitingConditions(resource: GameAnalytics, kafka: ConditionState): ConditionStates {
  const waiting: ConditionState = { status: 'Unknown', reason: 'Waiting', message: 'Waiting for Kafka.' };
  const parts = {
    KafkaReady: kafka,
    TopicsReady: waiting,
    UsersReady: waiting,
    JobRunning: waiting,
    InjectorReady: waiting,
    DashboardReady: waiting,
  };
  return withReady(parts, resource);
}

function componentCondition(
  component: Component,
  planned: KubernetesObject[],
  children: LiveObject[],
  pods: LiveObject[],
): ConditionState {
  const deployments = planned.filter(
    (object) => object.kind === DEPLOYMENT.kind && componentOf(object) === component,
  );
  const [child] = matchByName(deployments, children);
  return child
    ? deploymentCondition(child, podTroubles(pods, component))
    : conditionTrue('NotWanted', `The spec asks for no ${component}.`);
}

function withReady(parts: PartConditions, { spec }: GameAnalytics): ConditionStates {
  const Ready = spec.paused
    ? conditionFalse('Paused', 'spec.paused is true: everything stays as it is until it is false.')
    : readyCondition(parts);
  return { Ready, ...parts };
}

/** The first part that is not as the spec wants it speaks for all. */
function readyCondition(parts: PartConditions): ConditionState {
  const type = PARTS.find((part) => parts[part].status !== 'True' || parts[part].reason === 'RolledBack');
  if (!type) return conditionTrue('Ready', 'The pipeline is live.');
  const { reason, message } = parts[type];
  return conditionFalse(reason, `${type}: ${message}`);
}

function conflictCondition(conflicts: Conflict[]): ConditionState {
  const sentences = conflicts.map(
    ({ manager, field, object }) => `${manager} had changed ${field} of ${object}; it was set back.`,
  );
  return conditionTrue('FieldManagerConflict', sentences.join(' '));
}
