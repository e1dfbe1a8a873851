import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FlinkDeployment } from '../../../plan/objects.ts';
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
  error?: string;
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

/** The old job has stopped, if there was one; the new one is to be deployed. */
export function upgrading(deployment: LiveFlinkDeployment): FlinkStatus {
  const { jobStatus, reconciliationStatus } = deployment.status ?? {};
  return withCondition(deployment, {
    ...deployment.status,
    observedGeneration: deployment.metadata.generation ?? 0,
    lifecycleState: 'UPGRADING',
    jobManagerDeploymentStatus: 'MISSING',
    jobStatus: jobStatus?.jobId ? { ...jobStatus, state: 'FINISHED' } : {},
    reconciliationStatus: {
      ...reconciliationStatus,
      state: 'UPGRADING',
      reconciliationTimestamp: Date.now(),
      lastReconciledSpec: specText(deployment),
    },
  });
}

/** Only what is ignored changed: the spec counts as acted on. */
export function observed({ metadata, spec, status }: LiveFlinkDeployment): FlinkStatus {
  const { reconciliationStatus } = status ?? {};
  const text = specText({ metadata, spec });
  const wasStable = reconciliationStatus?.lastStableSpec === reconciliationStatus?.lastReconciledSpec;
  return {
    ...status,
    observedGeneration: metadata.generation ?? 0,
    ...(reconciliationStatus && {
      reconciliationStatus: {
        ...reconciliationStatus,
        lastReconciledSpec: text,
        ...(wasStable && { lastStableSpec: text }),
      },
    }),
  };
}

/** A JobManager was asked for, with a new job. */
export function deploying(deployment: LiveFlinkDeployment): FlinkStatus {
  const { error: _old, ...status } = deployment.status ?? {};
  const now = String(Date.now());
  return withCondition(deployment, {
    ...status,
    lifecycleState: 'DEPLOYED',
    jobManagerDeploymentStatus: 'DEPLOYING',
    jobStatus: {
      state: 'RECONCILING',
      jobId: randomBytes(16).toString('hex'),
      jobName: deployment.spec.flinkConfiguration['pipeline.name'] ?? deployment.metadata.name,
      startTime: now,
      updateTime: now,
    },
    ...(status.reconciliationStatus && {
      reconciliationStatus: { ...status.reconciliationStatus, state: 'DEPLOYED' },
    }),
  });
}

/** The JobManager runs, and does not answer yet. */
export function notReady({ status }: LiveFlinkDeployment): FlinkStatus {
  return { ...status, jobManagerDeploymentStatus: 'DEPLOYED_NOT_READY' };
}

/** The JobManager answers; its tasks are being placed. */
export function created(deployment: LiveFlinkDeployment): FlinkStatus {
  return withJobState(
    { ...deployment, status: { ...deployment.status, jobManagerDeploymentStatus: 'READY' } },
    'CREATED',
  );
}

/** What became of the job. One that restarts for ever says no error. */
export function settled(deployment: LiveFlinkDeployment, outcome: JobOutcome): FlinkStatus {
  if (outcome.state === 'restarting') return withJobState(deployment, 'RESTARTING');
  if (outcome.state === 'failed')
    return { ...withJobState(deployment, 'FAILED'), lifecycleState: 'FAILED', error: outcome.error };
  const status = withJobState(deployment, 'RUNNING');
  const { reconciliationStatus } = status;
  return {
    ...status,
    lifecycleState: 'STABLE',
    ...(reconciliationStatus && {
      reconciliationStatus: {
        ...reconciliationStatus,
        lastStableSpec: reconciliationStatus.lastReconciledSpec,
      },
    }),
  };
}

type JobState = NonNullable<NonNullable<FlinkStatus['jobStatus']>['state']>;

function withJobState(deployment: LiveFlinkDeployment, state: JobState): FlinkStatus {
  const { status = {} } = deployment;
  const jobStatus = { ...status.jobStatus, state, updateTime: String(Date.now()) };
  return withCondition(deployment, { ...status, jobStatus });
}

/** The condition Running follows the job's state, which is its reason. */
function withCondition({ status: before }: LiveFlinkDeployment, status: FlinkStatus): FlinkStatus {
  const state = status.jobStatus?.state;
  if (!state) return status;
  const condition: Condition = {
    type: 'Running',
    status: state === 'RUNNING' ? 'True' : 'False',
    reason: `${state.charAt(0)}${state.slice(1).toLowerCase()}`,
    message: `Job state ${state}`,
  };
  return { ...status, conditions: [since(condition, before?.conditions, timestamp())] };
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
