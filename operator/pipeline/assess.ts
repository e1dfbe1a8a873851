import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Component } from '../../plan/metadata.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import { DEPLOYMENT } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import type { Conflict } from './apply.ts';
import { paired } from './changes.ts';
import { componentOf, isTopic, isUser, judgeApp, judgeTopics, judgeUsers } from './parts.ts';
import { podTroubles } from './pods.ts';
import type { Verdicts } from './status.ts';
import { fails, holds, type Verdict } from './verdict.ts';

/** The parts of a pipeline, in the order in which they depend on each other. */
const PARTS = [
  'KafkaReady',
  'TopicsReady',
  'UsersReady',
  'JobRunning',
  'InjectorReady',
  'DashboardReady',
] as const;

type PartVerdicts = Record<(typeof PARTS)[number], Verdict>;

/** What the conditions depend on in addition to the children. */
interface Findings {
  kafka: Verdict;
  job: Verdict;
  pods: LiveObject[];
  /** What could not be written, by the component it belongs to. */
  problems?: Map<Component, Verdict>;
  conflicts?: Conflict[];
}

/** The status of a pipeline, by its plan and its live objects. */
export function assess(
  resource: GameAnalytics,
  planned: KubernetesObject[],
  children: LiveObject[],
  { kafka, job, pods, problems = new Map(), conflicts = [] }: Findings,
): Verdicts {
  const topics = judgeTopics(paired(planned.filter(isTopic), children));
  const users = judgeUsers(paired(planned.filter(isUser), children));
  const parts = {
    KafkaReady: kafka,
    TopicsReady: problems.get('topics') ?? topics,
    UsersReady: problems.get('users') ?? users,
    JobRunning: problems.get('flink') ?? job,
    InjectorReady: problems.get('injector') ?? judgeComponent('injector', planned, children, pods),
    DashboardReady: problems.get('dashboard') ?? judgeComponent('dashboard', planned, children, pods),
  };
  return { ...summed(parts, resource), ...(conflicts.length > 0 && { FieldConflict: told(conflicts) }) };
}

/** The status while Kafka has no address: nothing can be planned, and what exists stays as it is. */
export function assessWaiting(resource: GameAnalytics, kafka: Verdict): Verdicts {
  const waiting: Verdict = { status: 'Unknown', reason: 'Waiting', message: 'Waiting for Kafka.' };
  const parts = {
    KafkaReady: kafka,
    TopicsReady: waiting,
    UsersReady: waiting,
    JobRunning: waiting,
    InjectorReady: waiting,
    DashboardReady: waiting,
  };
  return summed(parts, resource);
}

function judgeComponent(
  component: Component,
  planned: KubernetesObject[],
  children: LiveObject[],
  pods: LiveObject[],
): Verdict {
  const deployments = planned.filter(
    (object) => object.kind === DEPLOYMENT.kind && componentOf(object) === component,
  );
  const [child] = paired(deployments, children);
  return child
    ? judgeApp(child, podTroubles(pods, component))
    : holds('NotWanted', `The spec asks for no ${component}.`);
}

function summed(parts: PartVerdicts, { spec }: GameAnalytics): Verdicts {
  const Ready = spec.paused
    ? fails('Paused', 'spec.paused is true: everything stays as it is until it is false.')
    : judgeAll(parts);
  return { Ready, ...parts };
}

/** The first part that is not as the spec wants it speaks for all. */
function judgeAll(parts: PartVerdicts): Verdict {
  const type = PARTS.find((part) => parts[part].status !== 'True' || parts[part].reason === 'RolledBack');
  if (!type) return holds('Ready', 'The pipeline is live.');
  const { reason, message } = parts[type];
  return fails(reason, `${type}: ${message}`);
}

function told(conflicts: Conflict[]): Verdict {
  const sentences = conflicts.map(
    ({ manager, field, object }) => `${manager} had changed ${field} of ${object}; it was set back.`,
  );
  return holds('FieldManagerConflict', sentences.join(' '));
}
