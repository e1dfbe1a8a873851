import { createHash } from 'node:crypto';
import type { Controlled } from './api.ts';
import { type Condition, since, timestamp } from './condition.ts';

export interface LiveDeployment extends Controlled {
  spec: { replicas: number; template: object; strategy?: { type?: string } };
  status?: DeploymentStatus;
}

export interface DeploymentStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  conditions?: Condition[];
}

/** What becomes of a roll-out: its pods come up, they do not in time, or they may not even be made. */
export type AppOutcome = 'available' | 'stuck' | 'refused';

/**
 * The roll-out has begun. Pods of the old template stay until there are new ones, unless the strategy is
 * Recreate.
 */
export function progressing(deployment: LiveDeployment, isNewTemplate: boolean): DeploymentStatus {
  const { spec, status = {} } = deployment;
  const keepsOld = !isNewTemplate || spec.strategy?.type !== 'Recreate';
  const available = keepsOld ? Math.min(status.availableReplicas ?? 0, spec.replicas) : 0;
  return statusOf(deployment, {
    replicas: Math.max(spec.replicas, available),
    updated: isNewTemplate ? 0 : Math.min(status.updatedReplicas ?? 0, spec.replicas),
    available,
    progress: {
      type: 'Progressing',
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message: `ReplicaSet "${replicaSet(deployment)}" is progressing.`,
    },
  });
}

/** What became of the roll-out, in Kubernetes' words. */
export function rolledOut(deployment: LiveDeployment, outcome: AppOutcome): DeploymentStatus {
  const { spec, status = {} } = deployment;
  const name = replicaSet(deployment);
  if (outcome === 'available')
    return statusOf(deployment, {
      replicas: spec.replicas,
      updated: spec.replicas,
      available: spec.replicas,
      progress: {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${name}" has successfully progressed.`,
      },
    });
  const available = status.availableReplicas ?? 0;
  const stuck: Condition = {
    type: 'Progressing',
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: `ReplicaSet "${name}" has timed out progressing.`,
  };
  if (outcome === 'stuck')
    return statusOf(deployment, {
      replicas: available + spec.replicas,
      updated: spec.replicas,
      available,
      progress: stuck,
    });
  const refused: Condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: `pods "${name}-" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0`,
  };
  return statusOf(deployment, { replicas: available, updated: 0, available, progress: stuck, refused });
}

interface Rollout {
  replicas: number;
  updated: number;
  available: number;
  progress: Condition;
  refused?: Condition;
}

function statusOf(
  { metadata, spec, status: before }: LiveDeployment,
  { replicas, updated, available, progress, refused }: Rollout,
): DeploymentStatus {
  const isAvailable = available >= spec.replicas;
  const availability: Condition = {
    type: 'Available',
    status: isAvailable ? 'True' : 'False',
    reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
  };
  const conditions = [availability, progress, ...(refused ? [refused] : [])];
  return {
    observedGeneration: metadata.generation ?? 0,
    replicas,
    updatedReplicas: updated,
    readyReplicas: available,
    availableReplicas: available,
    unavailableReplicas: Math.max(spec.replicas - available, 0),
    conditions: conditions.map((condition) => since(condition, before?.conditions, timestamp())),
  };
}

/** A ReplicaSet's name ends in a hash of its template. */
function replicaSet({ metadata, spec }: LiveDeployment): string {
  return `${metadata.name}-${createHash('sha256').update(JSON.stringify(spec.template)).digest('hex').slice(0, 10)}`;
}
