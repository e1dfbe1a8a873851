import { isDeepStrictEqual } from 'node:util';
import { type GameAnalytics, needsSchema } from '../../api/gameanalytics.ts';
import { type Problem, parseGameAnalytics } from '../../api/parse.ts';
import type { Environment } from '../../plan/environment.ts';
import { plan } from '../../plan/plan.ts';
import type { KubeClient } from '../kube/client.ts';
import { KAFKA } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type Result, TerminalError } from '../queue/work-queue.ts';
import { grantUsers } from './acls.ts';
import { apply, combine, isFailure, prune, ResourceDeletedError, type Written } from './apply.ts';
import { matchByName } from './children.ts';
import {
  computeConditions,
  type Findings,
  topicsCondition,
  usersCondition,
  waitingConditions,
} from './conditions.ts';
import { decide, type PlannedObjects, sortPlan } from './decide.ts';
import type { EventRecorder } from './event-recorder.ts';
import { flinkImageProblems } from './flink-image.ts';
import { appliedLayout, jobCondition } from './job.ts';
import { kafkaCondition } from './kafka-condition.ts';
import { type ClusterCache, type Observed, observe } from './observe.ts';
import { podTroubles } from './pods.ts';
import { details, report } from './report.ts';
import { completeColumns } from './schema.ts';
import { type ConditionStates, conditionFalse, readStatus } from './status.ts';

interface ReconcilerParts {
  client: KubeClient;
  cache: ClusterCache;
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
  const { cache, environment, now } = parts;
  const [namespace = '', name = ''] = key.split('/');
  const live = cache.resource(namespace, name);
  // What a deleted resource owned is Kubernetes' own garbage collection's.
  if (!live || live.metadata.deletionTimestamp) return undefined;

  const parsed = parseGameAnalytics({ ...live, status: undefined });
  if (parsed.problems) return refuse(parts, live, parsed.problems);
  const troubles = podTroubles(cache.pods(namespace, name), 'schema');
  const { resource, problems = [], schema } = completeColumns(parsed.resource, live.status, troubles);
  const imageProblems = flinkImageProblems(resource, parts.allowedFlinkImages);
  if (problems.length + imageProblems.length > 0) return refuse(parts, live, [...problems, ...imageProblems]);

  const wanted = resource.spec.kafka;
  const kafka = kafkaCondition(cache.serves(KAFKA), cache.kafka(namespace, wanted.cluster), wanted);
  const { bootstrapServers } = kafka;
  if (bootstrapServers === undefined) {
    await report(parts, live, waitingConditions(resource, { KafkaReady: kafka.condition }, 'Kafka'));
    return undefined;
  }

  if (needsSchema(resource.spec)) {
    const known = { KafkaReady: kafka.condition, SchemaReady: schema };
    await findColumns(parts, live, resource, known, { ...environment, bootstrapServers }, signal);
    return undefined;
  }

  const observed = observe(cache, live);
  // Without a place for its state, a job that is replaced reads all events again, and is best laid out again.
  const layout = resource.spec.flink.state && appliedLayout(observed.job);
  const planned = plan(resource, { ...environment, bootstrapServers, layout });
  const objects = sortPlan(planned);
  const outcome = resource.spec.paused
    ? leaveAlone(objects, observed)
    : await applyPlan(parts, live, objects, signal);

  const conditions = computeConditions(resource, { ...outcome, planned, kafka: kafka.condition, schema });
  await report(parts, live, conditions, details(resource, outcome.liveJob, readStatus(live), now()));
  // Objects that could not be written are retried with exponential backoff: the cause may be gone then.
  throwFailures(outcome);
  return { requeueAfterMillis: outcome.requeueAfterMillis };
}

/** Applies what finds the columns of the events, and leaves all else as it is until they are known. */
async function findColumns(
  parts: ReconcilerParts,
  live: LiveObject,
  resource: GameAnalytics,
  known: ConditionStates,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  const { paused } = resource.spec;
  const writer = { ...parts, resource: live, signal };
  const written = await apply(writer, paused ? [] : plan(resource, environment));
  const SchemaReady = written.problems[0]?.condition ?? known.SchemaReady;
  const states = waitingConditions(
    resource,
    { ...known, ...(SchemaReady && { SchemaReady }) },
    'the columns of the events',
  );
  await report(parts, live, states);
  throwFailures(written);
}

function throwFailures({ problems }: Written): void {
  const failures = problems.filter(isFailure);
  if (failures.length > 0) throw new Error(failures.map(({ condition }) => condition.message).join('; '));
}

async function refuse(parts: ReconcilerParts, live: LiveObject, problems: Problem[]): Promise<never> {
  const message = problems.map(({ path, message }) => `${path || 'the resource'}: ${message}`).join('; ');
  await report(parts, live, { Ready: conditionFalse('InvalidSpec', message) });
  throw new TerminalError(message);
}

/** What came of a plan. */
interface Outcome extends Omit<Findings, 'planned' | 'kafka' | 'schema'> {
  /** The job as it is now. */
  liveJob: LiveObject | undefined;
  /** When to look again, although nothing changes. */
  requeueAfterMillis?: number | undefined;
}

function leaveAlone(planned: PlannedObjects, observed: Observed): Outcome {
  const { children, pods, job } = observed;
  return {
    observed,
    topics: topicsCondition(matchByName(planned.topics, children)),
    users: usersCondition(matchByName(planned.users, children)),
    job: jobCondition(job, podTroubles(pods, 'flink')),
    conflicts: [],
    problems: [],
    liveJob: job,
  };
}

async function applyPlan(
  parts: ReconcilerParts,
  resource: LiveObject,
  planned: PlannedObjects,
  signal: AbortSignal,
): Promise<Outcome> {
  const { cache, now, upgradeTimeoutMillis } = parts;
  const writer = { ...parts, resource, signal };
  const supporting = await apply(writer, planned.supporting);

  // Rights come after the topics that they are to.
  const { children } = observe(cache, resource);
  const { users, topics } = planned;
  const rights = grantUsers(users, topics, children, resource.metadata, { keepOthers: true });
  const granted = await apply(writer, rights.granted);

  // The job comes last: it needs both, and it is what can go wrong. What was only of use to the job before
  // goes once that has been replaced. What comes up from here on is the next run's to judge.
  const observed = observe(cache, resource);
  const decision = decide(planned, observed, { resource, now: now(), upgradeTimeoutMillis });
  const job = await apply(writer, decision.apply);
  const revoked = await apply(writer, decision.revoke);
  await prune(writer, decision.prune);

  const after = observe(cache, resource);
  // The answer to our own write may have a newer status of the job than the decision was made on. The watch
  // tells no one of what that answer had already.
  const isNewer = observed.job && !isDeepStrictEqual(after.job?.status, observed.job.status);
  return {
    ...combine([supporting, { conflicts: [], problems: rights.waiting }, granted, job, revoked]),
    observed,
    topics: decision.topics,
    // Strimzi has yet to answer to users whose rights were just taken.
    users: decision.revoke.length > 0 ? usersCondition(matchByName(users, after.children)) : decision.users,
    job: decision.job,
    liveJob: after.job,
    requeueAfterMillis: isNewer ? 0 : decision.requeueAfterMillis,
  };
}
