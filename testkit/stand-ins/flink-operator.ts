import { FLINK_DEPLOYMENT } from '../../operator/kube/kinds.ts';
import type { Behavior, StepContext } from './controller.ts';
import {
  caughtUp,
  created,
  deploying,
  type FlinkStatus,
  type JobOutcome,
  type LiveFlinkDeployment,
  missing,
  named,
  notFound,
  notReady,
  observed,
  settled,
  specChange,
  upgrading,
} from './flink-status.ts';

/** What stands behind the Flink operator: a Flink, or the idea of one. */
export interface JobBackend {
  /** Starts the job of a FlinkDeployment, and tells what becomes of it. */
  run(deployment: LiveFlinkDeployment): Promise<JobOutcome>;
  /** Stops its job, if it has one, so that the next can restore it. */
  stop(deployment: LiveFlinkDeployment): Promise<void>;
  /** Ends its job, if it has one, for good. */
  cancel(deployment: LiveFlinkDeployment): Promise<void>;
}

/** Jobs that are only imagined, and end up as a test says. */
export function imaginaryJobs(outcome: (deployment: LiveFlinkDeployment) => JobOutcome): JobBackend {
  return {
    run: async (deployment) => outcome(deployment),
    stop: async () => undefined,
    cancel: async () => undefined,
  };
}

/** A job that was started. */
export interface Deploy {
  namespace: string | undefined;
  name: string;
  mode: LiveFlinkDeployment['spec']['job']['upgradeMode'];
  script: string;
}

/** What a job is in when nothing more happens by itself. */
const SETTLED: (string | undefined)[] = ['RUNNING', 'RESTARTING', 'FAILED'];

const FINALIZER = 'flinkdeployments.flink.apache.org/finalizer';

/**
 * The Flink Kubernetes Operator: a FlinkDeployment becomes a job of its backend, by way of the states that
 * the real one shows.
 */
export class FlinkOperator implements Behavior<LiveFlinkDeployment> {
  readonly kind = FLINK_DEPLOYMENT;
  readonly fieldManager = 'flink-kubernetes-operator';
  /** Every start of a job, in order. */
  readonly deploys: Deploy[] = [];
  readonly #backend: JobBackend;
  /** What becomes of each job that was started, by the FlinkDeployment's uid. */
  readonly #outcomes = new Map<string, Promise<JobOutcome>>();

  constructor(backend: JobBackend) {
    this.#backend = backend;
  }

  async step(
    deployment: LiveFlinkDeployment,
    context: StepContext,
  ): Promise<LiveFlinkDeployment | undefined> {
    const { deletionTimestamp, finalizers = [] } = deployment.metadata;
    const { api } = context;
    const isFinalized = finalizers.includes(FINALIZER);
    if (deletionTimestamp) {
      if (!isFinalized) return undefined;
      // The real one takes no savepoint then, which could not be done once the topics of the boards are gone.
      await this.#end(deployment, 'cancel');
      return api.setFinalizers(
        deployment,
        finalizers.filter((name) => name !== FINALIZER),
      );
    }
    if (!isFinalized) return api.setFinalizers(deployment, [...finalizers, FINALIZER]);
    return this.#reconcile(deployment, context);
  }

  async #reconcile(
    deployment: LiveFlinkDeployment,
    context: StepContext,
  ): Promise<LiveFlinkDeployment | undefined> {
    const change = specChange(deployment);
    if (change === 'none') return this.#goOn(deployment, context);
    if (change === 'ignored') return context.api.replaceStatus(deployment, observed(deployment));
    if (change === 'changed') await this.#end(deployment, 'stop');
    return context.api.replaceStatus(deployment, upgrading(deployment));
  }

  /** The next state on the way up; at its end there is none. */
  async #goOn(
    deployment: LiveFlinkDeployment,
    { api, pause }: StepContext,
  ): Promise<LiveFlinkDeployment | undefined> {
    const { jobManagerDeploymentStatus: jobManager, jobStatus = {} } = deployment.status ?? {};
    const write = (status: FlinkStatus) => api.replaceStatus(deployment, status);
    if (jobManager === 'READY' && SETTLED.includes(jobStatus.state)) {
      const status = caughtUp(deployment);
      return status && write(status);
    }
    await pause();
    if (jobManager === 'READY' && jobStatus.state === 'FINISHED') return write(missing(deployment));
    const outcome = this.#outcomes.get(deployment.metadata.uid);
    // One who has not seen the job start starts over, as the real operator does after a restart of its own.
    if (!outcome) {
      this.#start(deployment);
      return write(named(deployment));
    }
    if (jobManager === 'MISSING') return write(deploying(deployment));
    if (jobManager === 'DEPLOYING') return write(notReady(deployment));
    if (jobManager === 'DEPLOYED_NOT_READY') return write(notFound(deployment));
    // A JobManager that was killed continues with a job that has begun.
    if (jobStatus.state === 'RECONCILING' && !jobStatus.startTime) return write(created(deployment));
    // A spec may change while a job is still coming up: nothing is waited for longer than a pause.
    const known = await Promise.race([outcome, pause()]);
    return known ? write(settled(deployment, known)) : deployment;
  }

  #start(deployment: LiveFlinkDeployment): void {
    const { namespace, name, uid } = deployment.metadata;
    const { upgradeMode: mode, args } = deployment.spec.job;
    this.deploys.push({ namespace, name, mode, script: args.at(-1) ?? '' });
    const failed = (error: Error) => ({ state: 'failed', error: error.message }) as const;
    this.#outcomes.set(uid, this.#backend.run(deployment).catch(failed));
  }

  async #end(deployment: LiveFlinkDeployment, how: 'stop' | 'cancel'): Promise<void> {
    this.#outcomes.delete(deployment.metadata.uid);
    await this.#backend[how](deployment);
  }
}
