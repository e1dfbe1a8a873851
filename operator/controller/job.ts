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
import type { LiveObject } from '../kube/object.ts';
import { type JobObservation, observeJob } from './flink-status.ts';
import { plannedRevision, type Revision } from './revision.ts';
import { type ConditionState, conditionFalse, conditionTrue } from './status.ts';

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
 * How far the job is with the revision that the spec wants.
 *
 *    missing ──apply──┐
 *                     ▼
 *   outdated ─apply─▶ progressing ──comes up──▶ stable ◀──Flink restarts it──▶ restarting
 *                       │
 *                       ├─fails──────▶ failed ────┐
 *                       └─too slow───▶ timedOut ──┴─apply the last good one──▶ rejected
 *
 * A change of the spec makes an applied job `outdated`; only from `rejected` back to the last good revision,
 * which is applied already, it leads to `stable`. A job that someone deletes is `missing`. Without a last
 * good revision, one that failed or timed out stays applied and may still come up.
 */
type Rollout =
  | { kind: 'missing' }
  /** Another revision is applied. */
  | { kind: 'outdated'; live: LiveObject }
  | { kind: 'progressing'; live: LiveObject; message: string }
  | { kind: 'failed' | 'timedOut'; live: LiveObject; reason: string }
  | { kind: 'stable' }
  /** It was stable once. Flink restarts it; we only report that. */
  | { kind: 'restarting'; live: LiveObject; observed: JobObservation }
  /** It did not come up, and is not tried again: the FlinkDeployment itself remembers it. */
  | { kind: 'rejected'; live: LiveObject; reason: string };

function rolloutState(facts: JobFacts, wanted: Revision): Rollout {
  const { live, lastGood, podTroubles, ageMillis, timeoutMillis } = facts;
  if (!live) return { kind: 'missing' };
  if (annotation(live, REJECTED) === wanted.id)
    return { kind: 'rejected', live, reason: annotation(live, REJECTION) ?? '' };
  if (appliedRevision(live) !== wanted.id) return { kind: 'outdated', live };
  const wasStable = lastGood?.id === wanted.id;
  const observed = observeJob(live, podTroubles, { isNew: !wasStable });
  const { phase, message } = observed;
  if (phase === 'stable') return { kind: 'stable' };
  if (wasStable) return { kind: 'restarting', live, observed };
  if (phase === 'failed') return { kind: 'failed', live, reason: message };
  if (ageMillis < timeoutMillis) return { kind: 'progressing', live, message };
  const reason = `it did not come up within ${timeoutMillis / 1000} s: ${message}`;
  return { kind: 'timedOut', live, reason };
}

/**
 * What a job should be, and its condition. A new revision is given its time to come up. One that fails, or
 * runs out of time, is put back to the last good one and is not tried again.
 */
export function decideJob(facts: JobFacts): JobDecision {
  const { planned, lastGood, timeoutMillis } = facts;
  const wanted = plannedRevision(planned);
  const plannedMode = wanted.spec.job.upgradeMode;
  const remainingMillis = timeoutMillis - facts.ageMillis;
  const rollout = rolloutState(facts, wanted);
  switch (rollout.kind) {
    case 'missing':
      return {
        desired: build(planned, wanted, plannedMode),
        lastGood,
        condition: conditionFalse('Deploying', 'The job is being started.'),
        rolloutComplete: false,
        requeueAfterMillis: timeoutMillis,
      };
    case 'outdated': {
      // A revision that never came up has no state to give.
      const mode = lastGood && canKeepState(rollout.live, wanted) ? plannedMode : 'stateless';
      return {
        desired: build(planned, wanted, mode),
        lastGood,
        condition: lastGood
          ? upgradeCondition(mode, lastGood, wanted)
          : conditionFalse('Deploying', 'The job is being started.'),
        rolloutComplete: false,
        requeueAfterMillis: timeoutMillis,
      };
    }
    case 'progressing': {
      const mode = appliedMode(rollout.live);
      return {
        desired: build(planned, wanted, mode),
        lastGood,
        condition: lastGood
          ? upgradeCondition(mode, lastGood, wanted, ` Flink: ${rollout.message}`)
          : conditionFalse('Deploying', `The job is being started: ${rollout.message}`),
        rolloutComplete: false,
        requeueAfterMillis: remainingMillis,
      };
    }
    case 'failed':
    case 'timedOut':
      if (lastGood) return rollBack(planned, rollout, lastGood, wanted, facts.podTroubles);
      return {
        desired: build(planned, wanted, appliedMode(rollout.live)),
        lastGood,
        condition: conditionFalse('Failed', rollout.reason),
        rolloutComplete: false,
        ...(remainingMillis > 0 && { requeueAfterMillis: remainingMillis }),
      };
    case 'stable':
      return {
        desired: build(planned, wanted, plannedMode),
        lastGood: wanted,
        condition: RUNNING,
        rolloutComplete: true,
      };
    case 'restarting':
      return {
        desired: build(planned, wanted, appliedMode(rollout.live)),
        lastGood,
        condition: restartingCondition(rollout.observed),
        rolloutComplete: true,
      };
    case 'rejected':
      return rollBack(planned, rollout, lastGood ?? runningRevision(rollout.live), wanted, facts.podTroubles);
  }
}

function rollBack(
  planned: FlinkDeployment,
  { live, reason }: { live: LiveObject; reason: string },
  lastGood: Revision,
  rejected: Revision,
  podTroubles: string,
): JobDecision {
  const isBack = appliedRevision(live) === lastGood.id;
  const stable = isBack && observeJob(live, podTroubles, { isNew: true }).phase === 'stable';
  // A rejected revision that was started without the state has lost it; one that was to restore it has not
  // touched it.
  const mode = !stable && appliedMode(live) === 'stateless' ? 'stateless' : lastGood.spec.job.upgradeMode;
  const message = `The last change did not come up and was put back: ${reason}. Change spec to try again.`;
  return {
    desired: build(planned, lastGood, mode, { [REJECTED]: rejected.id, [REJECTION]: reason }),
    lastGood,
    condition: { status: stable ? 'True' : 'False', reason: 'RolledBack', message },
    rolloutComplete: false,
  };
}

const RUNNING = conditionTrue('Running', 'The job runs.');

/**
 * How the job does that runs, whatever the spec says now.
 *
 * @param podTroubles what keeps its pods from running; empty when nothing does
 */
export function jobCondition(live: LiveObject | undefined, podTroubles: string): ConditionState {
  if (!live) return conditionFalse('Progressing', 'There is no job yet.');
  const observed = observeJob(live, podTroubles, { isNew: false });
  return observed.phase === 'stable' ? RUNNING : restartingCondition(observed);
}

function restartingCondition({ phase, message }: JobObservation): ConditionState {
  if (phase === 'failed') return conditionFalse('Failed', message);
  return conditionFalse('Restarting', `The job is being restarted: ${message}`);
}

function upgradeCondition(mode: UpgradeMode, from: Revision, to: Revision, more = ''): ConditionState {
  const layout = readLayout(to.layout);
  const replayed = layout ? boardsToReplay(readLayout(from.layout), layout) : [];
  if (mode === 'stateless') {
    const why = replayed[0] ? ` (${replayed[0].why})` : '';
    return conditionFalse(
      'Replaying',
      `The job is being replaced and cannot restore its state${why}: the boards are recomputed from the events that are kept, and are low until then.${more}`,
    );
  }
  const boards = replayed.map(({ board, why }) => `${board} (${why})`).join(', ');
  const exceptions = boards && ` Recomputed from the events that are kept: ${boards}.`;
  return conditionFalse(
    'Upgrading',
    `The job is being replaced and restores its state (savepoint).${exceptions}${more}`,
  );
}

type UpgradeMode = FlinkDeployment['spec']['job']['upgradeMode'];

function build(
  planned: FlinkDeployment,
  revision: Revision,
  upgradeMode: UpgradeMode,
  annotations: Record<string, string> = {},
): FlinkDeployment {
  return {
    ...planned,
    metadata: {
      ...planned.metadata,
      annotations: { [LAYOUT_ANNOTATION]: revision.layout, [REVISION]: revision.id, ...annotations },
    },
    spec: { ...revision.spec, job: { ...revision.spec.job, upgradeMode } },
  };
}

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

function runningRevision(live: LiveObject): Revision {
  return {
    id: appliedRevision(live) ?? '',
    spec: live.spec as FlinkDeployment['spec'],
    layout: annotation(live, LAYOUT_ANNOTATION) ?? '',
  };
}

function appliedMode(live: LiveObject): UpgradeMode {
  const { job } = live.spec as FlinkDeployment['spec'];
  return job.upgradeMode;
}

/** How long the revision that runs has been applied, in milliseconds; 0 when that was not yet reported. */
export function jobAgeMillis(live: LiveObject | undefined, { job }: Status, now: Date): number {
  if (!job?.since || job.revision !== appliedRevision(live)) return 0;
  return now.getTime() - Date.parse(job.since);
}
