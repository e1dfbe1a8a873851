import type { Status } from '../../api/status.ts';
import {
  boardsToReplay,
  canRestoreFrom,
  LAYOUT_ANNOTATION,
  type Layout,
  readLayout,
} from '../../plan/layout.ts';
import { ANNOTATIONS } from '../../plan/metadata.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';
import { FLINK_DEPLOYMENT } from '../kube/kinds.ts';
import type { LiveObject } from '../kube/object.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './condition-state.ts';
import { describeFlinkError, isJobNotFound } from './flink-error.ts';
import { type Revision, revisionOf } from './revision.ts';

/**
 * Annotations of the FlinkDeployment: what it runs, and which revision was tried, did not come up, and why.
 * One write holds all.
 */
const REVISION = ANNOTATIONS.revision;
const REJECTED = ANNOTATIONS.refusedRevision;
const REJECTION = ANNOTATIONS.refusal;

/** What is known of a job when it is decided what becomes of it. */
export interface JobFacts {
  planned: FlinkDeployment;
  live: LiveObject | undefined;
  /** The last revision that came up. */
  lastGood: Revision | undefined;
  /** What keeps the job's pods from running; empty when nothing does. */
  podTroubles: string;
  /** How long the revision that was last applied has been there, in milliseconds. */
  ageMillis: number;
  /** How long a new revision may take to come up. */
  timeoutMillis: number;
}

export interface JobDecision {
  /** The FlinkDeployment as it should be. */
  desired: FlinkDeployment;
  /** The revision to keep as the last good one. */
  lastGood: Revision | undefined;
  condition: ConditionState;
  /** Whether the job that runs is that of the plan: what no plan needs may then go. */
  rolloutComplete: boolean;
  /** When to look again, although nothing changes: a revision has this long left to come up. */
  requeueAfterMillis?: number;
}

/**
 * What a job should be, and its condition. A new revision is given its time to come up. One that fails, or
 * runs out of time, is put back to the last good one and is not tried again: the FlinkDeployment itself
 * remembers it as refused.
 */
export function decideJob(facts: JobFacts): JobDecision {
  const { live } = facts;
  const wanted = revisionOf(facts.planned);
  if (live && annotation(live, REJECTED) === wanted.id)
    return rolledBack(
      facts,
      facts.lastGood ?? runningRevision(live),
      wanted,
      annotation(live, REJECTION) ?? '',
    );
  if (!live || appliedRevision(live) !== wanted.id) return upgrade(facts, wanted);
  return handleRollout(facts, live, wanted);
}

const RUNNING = conditionTrue('Running', 'The job runs.');

/** The wanted revision is applied: see how it does. */
function handleRollout(facts: JobFacts, live: LiveObject, wanted: Revision): JobDecision {
  const { lastGood, timeoutMillis, ageMillis } = facts;
  const isLastGood = lastGood?.id === wanted.id;
  const observed = isLastGood
    ? observeJob(live, facts.podTroubles)
    : observeRevision(live, facts.podTroubles);
  if (observed.phase === 'stable')
    return {
      desired: build(facts, wanted, wanted.spec.job.upgradeMode),
      lastGood: wanted,
      condition: RUNNING,
      rolloutComplete: true,
    };
  const lateMillis = ageMillis - timeoutMillis;
  const refusal = rejection(observed, lateMillis, timeoutMillis);
  if (refusal && lastGood && !isLastGood) return rolledBack(facts, lastGood, wanted, refusal);
  return {
    desired: build(facts, wanted, modeOf(live)),
    lastGood,
    condition: isLastGood ? restarting(observed) : comingUp(facts, observed, refusal),
    rolloutComplete: isLastGood,
    ...(lateMillis < 0 && !isLastGood && { requeueAfterMillis: -lateMillis }),
  };
}

/** Why a new revision counts as refused; undefined while it may still come up. */
function rejection(observed: JobObservation, lateMillis: number, timeoutMillis: number): string | undefined {
  if (observed.phase === 'failed') return observed.message;
  if (lateMillis < 0) return undefined;
  return `it did not come up within ${timeoutMillis / 1000} s: ${observed.message}`;
}

/**
 * The wanted revision is not applied yet: from the state of the one before where that leads to the same
 * boards.
 */
function upgrade(facts: JobFacts, wanted: Revision): JobDecision {
  const { live, lastGood } = facts;
  const mode = live && !(lastGood && canKeepState(live, wanted)) ? 'stateless' : wanted.spec.job.upgradeMode;
  return {
    desired: build(facts, wanted, mode),
    lastGood,
    condition:
      live && lastGood
        ? upgrading(mode, lastGood, wanted)
        : conditionFalse('Deploying', 'The job is being started.'),
    rolloutComplete: false,
    requeueAfterMillis: facts.timeoutMillis,
  };
}

function upgrading(mode: UpgradeMode, lastGood: Revision, wanted: Revision): ConditionState {
  const from = readLayout(lastGood.layout);
  const to = readLayout(wanted.layout);
  const replayed = to ? boardsToReplay(from, to) : [];
  if (mode === 'stateless') {
    const why = replayed[0] ? ` (${replayed[0].why})` : '';
    return conditionFalse(
      'Replaying',
      `The job is being replaced and cannot restore its state${why}: the boards are recomputed from the events that are kept, and are low until then.`,
    );
  }
  const exceptions = replayed.map(({ board, why }) => `${board} (${why})`).join(', ');
  return conditionFalse(
    'Upgrading',
    `The job is being replaced and restores its state (savepoint).${exceptions && ` Recomputed from the events that are kept: ${exceptions}.`}`,
  );
}

function rolledBack(facts: JobFacts, lastGood: Revision, wanted: Revision, refusal: string): JobDecision {
  const { live } = facts;
  const isBack = annotation(live, REVISION) === lastGood.id;
  const observed = live && isBack ? observeRevision(live, facts.podTroubles) : undefined;
  const stable = observed?.phase === 'stable';
  // A refused revision that was started without the state has lost it; one that was to restore it has not
  // touched it.
  const mode = !stable && live && modeOf(live) === 'stateless' ? 'stateless' : lastGood.spec.job.upgradeMode;
  const message = `The last change did not come up and was put back: ${refusal}. Change spec to try again.`;
  const desired = build(facts, lastGood, mode);
  desired.metadata.annotations = {
    ...desired.metadata.annotations,
    [REJECTED]: wanted.id,
    [REJECTION]: refusal,
  };
  return {
    desired,
    lastGood,
    condition: { status: stable ? 'True' : 'False', reason: 'RolledBack', message },
    rolloutComplete: false,
  };
}

/** Once a revision was stable, Flink restarts it; we only report that. */
function restarting(observed: JobObservation): ConditionState {
  if (observed.phase === 'failed') return conditionFalse('Failed', observed.message);
  return conditionFalse('Restarting', `The job is being restarted: ${observed.message}`);
}

function comingUp(
  { lastGood, live, planned }: JobFacts,
  observed: JobObservation,
  refusal: string | undefined,
): ConditionState {
  if (refusal) return conditionFalse('Failed', refusal);
  if (!lastGood) return conditionFalse('Deploying', `The job is being started: ${observed.message}`);
  const condition = upgrading(live ? modeOf(live) : 'stateless', lastGood, revisionOf(planned));
  return { ...condition, message: `${condition.message} Flink: ${observed.message}` };
}

type UpgradeMode = FlinkDeployment['spec']['job']['upgradeMode'];

/** The FlinkDeployment that runs a revision. */
function build({ planned }: JobFacts, revision: Revision, upgradeMode: UpgradeMode): FlinkDeployment {
  return {
    ...planned,
    metadata: {
      ...planned.metadata,
      annotations: { [LAYOUT_ANNOTATION]: revision.layout, [REVISION]: revision.id },
    },
    spec: { ...revision.spec, job: { ...revision.spec.job, upgradeMode } },
  };
}

/**
 * Whether a revision can restore the state of what runs: laid out to, and the state kept where it will be
 * looked for.
 */
function canKeepState(live: LiveObject, wanted: Revision): boolean {
  const place = ({ flinkConfiguration }: FlinkDeployment['spec']) =>
    flinkConfiguration['execution.checkpointing.savepoint-dir'];
  const layout = readLayout(wanted.layout);
  return (
    layout !== undefined &&
    canRestoreFrom(appliedLayout(live), layout) &&
    place(live.spec as FlinkDeployment['spec']) === place(wanted.spec)
  );
}

function annotation(live: LiveObject | undefined, name: string): string | undefined {
  return live?.metadata.annotations?.[name];
}

/** The layout of the job that was last applied. */
export function appliedLayout(live: LiveObject | undefined): Layout | undefined {
  return readLayout(annotation(live, LAYOUT_ANNOTATION));
}

/** The revision of the job that was last applied. */
export function appliedRevision(live: LiveObject | undefined): string | undefined {
  return annotation(live, REVISION);
}

/** The revision that runs, where nothing else remembers it. */
function runningRevision(live: LiveObject): Revision {
  return {
    id: appliedRevision(live) ?? '',
    spec: live.spec as FlinkDeployment['spec'],
    layout: annotation(live, LAYOUT_ANNOTATION) ?? '',
  };
}

function modeOf(live: LiveObject): UpgradeMode {
  const { job } = live.spec as FlinkDeployment['spec'];
  return job.upgradeMode;
}

interface JobObservation {
  phase: 'stable' | 'failed' | 'pending';
  /** What the Flink operator says, in its words. */
  message: string;
}

/** The part of a FlinkDeployment's status that is read here. */
interface FlinkStatus {
  observedGeneration?: number;
  lifecycleState?: string;
  jobManagerDeploymentStatus?: string;
  error?: string;
  jobStatus?: { state?: string; jobId?: string };
}

/** The state of a revision that was just applied; reports about the previous one do not count. */
function observeRevision(live: LiveObject, podTroubles: string): JobObservation {
  const { observedGeneration = 0 } = statusOf(live);
  if (observedGeneration < (live.metadata.generation ?? 0))
    return { phase: 'pending', message: 'the Flink operator has not answered yet' };
  return observeJob(live, podTroubles);
}

/** How the job does by its status: the lifecycle alone can stay STABLE while the job restarts. */
function observeJob(live: LiveObject, podTroubles: string): JobObservation {
  const status = statusOf(live);
  const state = jobState(status);
  const words = [jobMessage(status, scriptOf(live)), podTroubles].filter(Boolean).join('. ');
  if (status.lifecycleState === 'FAILED' || state === 'FAILED') return { phase: 'failed', message: words };
  if (status.lifecycleState === 'STABLE' && state === 'RUNNING') return { phase: 'stable', message: words };
  return { phase: 'pending', message: words };
}

function statusOf(live: LiveObject | undefined): FlinkStatus {
  return (live?.status ?? {}) as FlinkStatus;
}

/**
 * The job's state; undefined while the Flink operator upgrades, since it is then still that of the job
 * before.
 */
function jobState({ lifecycleState, jobStatus }: FlinkStatus): string | undefined {
  return lifecycleState === 'UPGRADING' ? undefined : jobStatus?.state;
}

/** That a job is not found says no more than its state, RECONCILING, and sounds like a failure. */
function jobMessage(status: FlinkStatus, script: string): string {
  const { lifecycleState, jobManagerDeploymentStatus, error = '' } = status;
  const states = [lifecycleState, jobManagerDeploymentStatus, jobState(status)].filter(Boolean).join('/');
  const words = error && !isJobNotFound(error) ? describeFlinkError(error, script) : '';
  return [states || 'no status yet', words].filter(Boolean).join(': ');
}

function scriptOf(live: LiveObject): string {
  const { job } = live.spec as Partial<FlinkDeployment['spec']>;
  return job?.args.at(-1) ?? '';
}

/** How long the revision that runs has been applied, in milliseconds; 0 when that was not yet reported. */
export function jobAgeMillis(live: LiveObject | undefined, { job }: Status, now: Date): number {
  if (!job?.since || job.revision !== appliedRevision(live)) return 0;
  return now.getTime() - Date.parse(job.since);
}

/** The FlinkDeployment among a resource's objects. */
export function findJob(children: LiveObject[]): LiveObject | undefined {
  return children.find(({ kind }) => kind === FLINK_DEPLOYMENT.kind);
}

/**
 * How the job does that runs, whatever the spec says now.
 *
 * @param podTroubles what keeps its pods from running; empty when nothing does
 */
export function jobCondition(live: LiveObject | undefined, podTroubles: string): ConditionState {
  if (!live) return conditionFalse('Pending', 'There is no job yet.');
  const observed = observeJob(live, podTroubles);
  return observed.phase === 'stable' ? RUNNING : restarting(observed);
}

/** The job as Flink names it: its state and id. */
export function flinkJob(live: LiveObject | undefined): { state?: string; id?: string } {
  const { state, jobId } = statusOf(live).jobStatus ?? {};
  return { ...(state && { state }), ...(jobId && { id: jobId }) };
}
