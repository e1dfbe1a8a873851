import { DEPLOYMENT } from '../../operator/kube/kinds.ts';
import type { Behavior, StepContext } from './controller.ts';
import { type AppOutcome, type LiveDeployment, progressing, rolledOut } from './deployment-status.ts';

/** What stands behind Deployments: processes, or the idea of some. */
export interface AppBackend {
  /** Replaces what runs of a Deployment by what it says now, and tells what became of it. */
  run(deployment: LiveDeployment): Promise<AppOutcome>;
  stop(deployment: LiveDeployment): Promise<void>;
}

/** Programs that are only imagined, and come up as a test says. */
export function imaginaryApps(outcome: (deployment: LiveDeployment) => AppOutcome): AppBackend {
  return { run: async (deployment) => outcome(deployment), stop: async () => undefined };
}

/** A roll-out that has begun. */
interface Rollout {
  generation: number | undefined;
  template: string;
  outcome: Promise<AppOutcome>;
}

/** The Deployment controller and the kubelets behind it: a Deployment becomes programs of the backend. */
export class Deployments implements Behavior<LiveDeployment> {
  readonly kind = DEPLOYMENT;
  readonly fieldManager = 'kube-controller-manager';
  readonly #backend: AppBackend;
  /** The last roll-out of each, by uid. */
  readonly #rollouts = new Map<string, Rollout>();

  constructor(backend: AppBackend) {
    this.#backend = backend;
  }

  async step(deployment: LiveDeployment, { api, pause }: StepContext): Promise<LiveDeployment | undefined> {
    const { uid, generation, deletionTimestamp } = deployment.metadata;
    if (deletionTimestamp) return undefined;
    const rollout = this.#rollouts.get(uid);
    const isNew = deployment.status?.observedGeneration !== generation;
    // One who has not seen a roll-out begin starts it over.
    if (isNew || (!rollout && !isOver(deployment))) {
      const isNewTemplate = this.#begin(deployment);
      return api.replaceStatus(deployment, progressing(deployment, isNewTemplate));
    }
    if (!rollout || isOver(deployment)) return undefined;
    await pause();
    // As with jobs, a Deployment may change while it rolls out.
    const outcome = await Promise.race([rollout.outcome, pause()]);
    return outcome ? api.replaceStatus(deployment, rolledOut(deployment, outcome)) : deployment;
  }

  async gone(deployment: LiveDeployment): Promise<void> {
    this.#rollouts.delete(deployment.metadata.uid);
    await this.#backend.stop(deployment);
  }

  /** True when pods of a new template are needed. */
  #begin(deployment: LiveDeployment): boolean {
    const { uid, generation } = deployment.metadata;
    const template = JSON.stringify(deployment.spec.template);
    const before = this.#rollouts.get(uid);
    // A write that was lost to a conflict is tried again; what runs already is not run twice.
    if (before?.generation !== generation)
      this.#rollouts.set(uid, {
        generation,
        template,
        outcome: this.#backend.run(deployment).catch(() => 'stuck'),
      });
    return before?.template !== template;
  }
}

/** The condition Progressing says so. */
function isOver({ status }: LiveDeployment): boolean {
  const progress = status?.conditions?.find(({ type }) => type === 'Progressing');
  return progress?.reason !== 'ReplicaSetUpdated';
}
