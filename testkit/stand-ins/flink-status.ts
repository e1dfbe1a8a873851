import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FlinkDeployment } from '../../plan/objects.ts';
import type { Controlled } from './api.ts';
import { type Condition, since, timestamp } from './condition.ts';

export interface LiveFlinkDeployment extends Controlled {
  spec: FlinkDeployment['spec'];
  status?: FlinkStatus;
}

/** The status of a FlinkDeployment, as far as it is written here. */
export interface FlinkStatus {
  observedGeneration?: number;
  lifecycleState?: 'UPGRADING' | 'DEPLOYED' | 'STABLE' | 'FAILED';
  jobManagerDeploymentStatus?: 'MISSING' | 'DEPLOYING' | 'DEPLOYED_NOT_READY' | 'READY';
  error?: string | undefined;
  jobStatus?: {
    state?: 'RECONCILING' | 'CREATED' | 'RUNNING' | 'FAILED' | 'RESTARTING' | 'FINISHED';
    jobId?: string;
    jobName?: string;
    startTime?: string;
    updateTime?: string;
  };
  reconciliationStatus?: {
    state: 'UPGRADING' | 'DEPLOYED';
    reconciliationTimestamp: number;
    /** The whole spec as a text, which makes the real objects as large as they are. */
    lastReconciledSpec: string;
    lastStableSpec?: string;
  };
  conditions?: Condition[];
}

/** What became of a job that was started. */
export type JobOutcome = { state: 'stable' } | { state: 'restarting' } | { state: 'failed'; error: string };

/** How a spec stands to the one that was acted on last. */
export type SpecChange = 'first' | 'none' | 'ignored' | 'changed';

/** Changes of these alone redeploy nothing. */
const IGNORED = [
  'upgradeMode',
  'allowNonRestoredState',
  'initialSavepointPath',
  'savepointTriggerNonce',
  'checkpointTriggerNonce',
];

export function specChange({ metadata, spec, status }: LiveFlinkDeployment): SpecChange {
  const last = status?.reconciliationStatus?.lastReconciledSpec;
  if (last === undefined) return 'first';
  const { spec: before } = JSON.parse(last) as { spec: FlinkDeployment['spec'] };
  if (!isDeepStrictEqual(diffed(spec), diffed(before))) return 'changed';
  return status?.observedGeneration === metadata.generation ? 'none' : 'ignored';
}

function diffed({ job, ...spec }: FlinkDeployment['spec']) {
  return {
    ...spec,
    job: Object.fromEntries(Object.entries(job).filter(([name]) => !IGNORED.includes(name))),
  };
}

/**
 * The spec is to be acted on. A job that runs was stopped with a savepoint, and its JobManager is still
 * there; others are gone.
 */
export function upgrading(deployment: LiveFlinkDeployment): FlinkStatus {
  const { jobStatus, reconciliationStatus } = deployment.status ?? {};
  const isStopped = deployment.spec.job.upgradeMode === 'savepoint' && jobStatus?.state === 'RUNNING';
  return next(deployment, {
    error: undefined,
    observedGeneration: deployment.metadata.generation ?? 0,
    jobManagerDeploymentStatus: isStopped ? 'READY' : 'MISSING',
    // What has failed stays so.
    jobStatus: jobStatus?.state ? { ...jobStatus, state: isFailed(jobStatus) ? 'FAILED' : 'FINISHED' } : {},
    reconciliationStatus: {
      ...reconciliationStatus,
      state: 'UPGRADING',
      reconciliationTimestamp: Date.now(),
      lastReconciledSpec: specText(deployment),
    },
  });
}

/** The JobManager of the job that was stopped is gone. */
export function missing(deployment: LiveFlinkDeployment): FlinkStatus {
  return next(deployment, { jobManagerDeploymentStatus: 'MISSING' });
}

/** The next job has its id; the state is still that of the job before. */
export function named(deployment: LiveFlinkDeployment): FlinkStatus {
  const { state } = deployment.status?.jobStatus ?? {};
  return next(deployment, { jobStatus: { ...(state && { state }), jobId: randomBytes(16).toString('hex') } });
}

/** Only what is ignored changed: the spec counts as acted on. */
export function observed(deployment: LiveFlinkDeployment): FlinkStatus {
  const { reconciliationStatus } = deployment.status ?? {};
  const text = specText(deployment);
  return next(deployment, {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(reconciliationStatus && {
      reconciliationStatus: {
        ...reconciliationStatus,
        lastReconciledSpec: text,
        ...(isStable(reconciliationStatus) && { lastStableSpec: text }),
      },
    }),
  });
}

/** A JobManager was asked for, with the next job. */
export function deploying(deployment: LiveFlinkDeployment): FlinkStatus {
  const { jobStatus, reconciliationStatus } = deployment.status ?? {};
  return next(deployment, {
    error: undefined,
    jobManagerDeploymentStatus: 'DEPLOYING',
    jobStatus: { ...jobStatus, state: 'RECONCILING' },
    ...(reconciliationStatus && { reconciliationStatus: { ...reconciliationStatus, state: 'DEPLOYED' } }),
  });
}

/** The JobManager runs, and does not answer yet. */
export function notReady(deployment: LiveFlinkDeployment): FlinkStatus {
  return next(deployment, { jobManagerDeploymentStatus: 'DEPLOYED_NOT_READY' });
}

/** The JobManager answers, and does not know the job yet. */
export function notFound(deployment: LiveFlinkDeployment): FlinkStatus {
  return next(deployment, { jobManagerDeploymentStatus: 'READY', error: 'Job Not Found' });
}

/** The JobManager knows the job; its tasks are being placed. */
export function created(deployment: LiveFlinkDeployment): FlinkStatus {
  const jobName = deployment.spec.flinkConfiguration['pipeline.name'] ?? deployment.metadata.name;
  const jobStatus = { ...withJobState(deployment, 'CREATED'), jobName, startTime: String(Date.now()) };
  return next(deployment, { error: undefined, jobStatus });
}

/** What became of the job. One that restarts forever says no error. */
export function settled(deployment: LiveFlinkDeployment, outcome: JobOutcome): FlinkStatus {
  if (outcome.state === 'restarting')
    return next(deployment, { error: undefined, jobStatus: withJobState(deployment, 'RESTARTING') });
  if (outcome.state === 'failed')
    return next(deployment, { error: outcome.error, jobStatus: withJobState(deployment, 'FAILED') });
  const { reconciliationStatus } = deployment.status ?? {};
  return next(deployment, {
    error: undefined,
    jobStatus: withJobState(deployment, 'RUNNING'),
    ...(reconciliationStatus && {
      reconciliationStatus: {
        ...reconciliationStatus,
        lastStableSpec: reconciliationStatus.lastReconciledSpec,
      },
    }),
  });
}

/** A process of a job that runs was killed: Kubernetes and Flink replace it. */
export function killed(deployment: LiveFlinkDeployment, process: 'JobManager' | 'TaskManager'): FlinkStatus {
  if (process === 'TaskManager') return next(deployment, { jobStatus: withJobState(deployment, 'CREATED') });
  return next(deployment, {
    jobManagerDeploymentStatus: 'DEPLOYING',
    jobStatus: withJobState(deployment, 'RECONCILING'),
  });
}

/** The same, with the condition that the last write left behind; undefined when it left none behind. */
export function caughtUp(deployment: LiveFlinkDeployment): FlinkStatus | undefined {
  const status = next(deployment, {});
  return isDeepStrictEqual(status, deployment.status) ? undefined : status;
}

type JobState = NonNullable<NonNullable<FlinkStatus['jobStatus']>['state']>;

function withJobState({ status }: LiveFlinkDeployment, state: JobState) {
  return { ...status?.jobStatus, state, updateTime: String(Date.now()) };
}

/**
 * A status after a change. The real one computes its condition Running before it looks at the job: it is a
 * write behind.
 */
function next({ status: before = {} }: LiveFlinkDeployment, change: Partial<FlinkStatus>): FlinkStatus {
  const status = { ...before, ...change };
  const state = before.jobStatus?.state;
  const conditions = state && [since(running(state), before.conditions, timestamp())];
  return { ...status, lifecycleState: lifecycleOf(status), ...(conditions && { conditions }) };
}

/**
 * As the real one computes it: a job that is put back to what was stable is stable from the moment of its
 * deployment.
 */
function lifecycleOf({ jobStatus, reconciliationStatus }: FlinkStatus) {
  if (reconciliationStatus?.state === 'UPGRADING') return 'UPGRADING';
  if (isFailed(jobStatus)) return 'FAILED';
  return isStable(reconciliationStatus) ? 'STABLE' : 'DEPLOYED';
}

function isFailed(jobStatus: FlinkStatus['jobStatus']): boolean {
  return jobStatus?.state === 'FAILED';
}

function isStable(reconciliation: FlinkStatus['reconciliationStatus']): boolean {
  const { lastReconciledSpec, lastStableSpec } = reconciliation ?? {};
  if (!lastReconciledSpec || !lastStableSpec) return false;
  return isDeepStrictEqual(JSON.parse(lastReconciledSpec).spec, JSON.parse(lastStableSpec).spec);
}

/** The condition Running has the job's state as its reason. */
function running(state: JobState): Condition {
  return {
    type: 'Running',
    status: state === 'RUNNING' ? 'True' : 'False',
    reason: `${state.charAt(0)}${state.slice(1).toLowerCase()}`,
    message: `Job status ${state}`,
  };
}

function specText({ metadata, spec }: Pick<LiveFlinkDeployment, 'metadata' | 'spec'>): string {
  return JSON.stringify({
    spec,
    resource_metadata: {
      apiVersion: 'flink.apache.org/v1beta1',
      metadata: { generation: metadata.generation },
      firstDeployment: metadata.generation === 1,
    },
  });
}
