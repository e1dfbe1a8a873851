import { type Problem, parseGameAnalytics } from '../../api/parse.ts';
import type { Environment } from '../../plan/environment.ts';
import { plan } from '../../plan/plan.ts';
import type { KubeClient } from '../kube/client.ts';
import { KAFKA } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type Result, TerminalError } from '../queue/result.ts';
import { applyPlan, type Outcome, untouched } from './apply-plan.ts';
import { ResourceDeletedError } from './assert-not-deleted.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { conditionFalse } from './condition-state.ts';
import { computeConditions, waitingConditions } from './conditions.ts';
import type { EventRecorder } from './event-recorder.ts';
import { flinkImageProblems } from './flink-image.ts';
import { appliedLayout, findJob, jobCondition } from './job.ts';
import { kafkaCondition } from './kafka-condition.ts';
import { podTroubles } from './pods.ts';
import { report } from './report.ts';
import { details, statusOf } from './status.ts';

interface ReconcilerParts {
  client: KubeClient;
  view: ClusterCache;
  recorder: EventRecorder;
  /** What all plans depend on. */
  environment: Omit<Environment, 'bootstrapServers' | 'layout'>;
  /** The images that resources may name for Flink, as flinkImageProblems takes them. */
  allowedFlinkImages: string[] | undefined;
  /** How long a new revision of the job may take to come up. */
  upgradeTimeoutMillis: number;
  now: () => Date;
}

/**
 * Brings one resource's pipeline to what its spec says, from whatever there is, and reports. Level-triggered:
 * it learns which resource, never what happened; and where nothing differs it writes nothing.
 *
 * @param key namespace/name of the resource
 * @throws TerminalError when the spec is invalid: what runs is left as it was until the spec changes
 */
export async function reconcile(parts: ReconcilerParts, key: string, signal: AbortSignal): Promise<Result> {
  try {
    return await reconcileResource(parts, key, signal);
  } catch (error) {
    // The watch is about to tell.
    if (error instanceof ResourceDeletedError) return undefined;
    throw error;
  }
}

async function reconcileResource(parts: ReconcilerParts, key: string, signal: AbortSignal): Promise<Result> {
  const { view, environment, now } = parts;
  const [namespace = '', name = ''] = key.split('/');
  const live = view.resource(namespace, name);
  // What a deleted resource owned is Kubernetes' own garbage collection's.
  if (!live || live.metadata.deletionTimestamp) return undefined;

  const { resource, problems } = parseGameAnalytics({ ...live, status: undefined });
  if (problems) return refuse(parts, live, problems);
  const imageProblems = flinkImageProblems(resource, parts.allowedFlinkImages);
  if (imageProblems.length > 0) return refuse(parts, live, imageProblems);

  const wanted = resource.spec.kafka;
  const kafka = kafkaCondition(view.serves(KAFKA), view.kafka(namespace, wanted.cluster), wanted);
  const { bootstrapServers } = kafka;
  if (bootstrapServers === undefined) {
    await report(parts, live, waitingConditions(resource, kafka.condition));
    return undefined;
  }

  const children = () => view.children(namespace, name);
  const pods = () => view.pods(namespace, name);
  // Without a place for its state, a job that is replaced reads all events again, and is best laid out again.
  const layout = resource.spec.flink.state && appliedLayout(findJob(children()));
  const planned = plan(resource, { ...environment, bootstrapServers, layout });
  const outcome = resource.spec.paused
    ? untouched(jobCondition(findJob(children()), podTroubles(pods(), 'flink')))
    : await applyPlan(parts, live, planned, signal);

  const findings = { kafka: kafka.condition, pods: pods(), ...outcome };
  const conditions = computeConditions(resource, planned, children(), findings);
  await report(parts, live, conditions, details(resource, findJob(children()), statusOf(live), now()));
  return resultOf(outcome);
}

/** Objects that could not be written are retried with exponential backoff: the cause may be gone then. */
function resultOf({ problems, requeueAfterMillis: lookAgainMillis }: Outcome): Result {
  const refused = [...problems.values()].filter(({ reason }) => reason !== 'Pending');
  if (refused.length > 0) throw new Error(refused.map(({ message }) => message).join('; '));
  return { requeueAfterMillis: lookAgainMillis };
}

async function refuse(parts: ReconcilerParts, live: LiveObject, problems: Problem[]): Promise<never> {
  const message = problems.map(({ path, message }) => `${path || 'the resource'}: ${message}`).join('; ');
  await report(parts, live, { Ready: conditionFalse('InvalidSpec', message) });
  throw new TerminalError(message);
}
