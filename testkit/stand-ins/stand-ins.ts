import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { FLINK_DEPLOYMENT } from '../../operator/kube/kinds.ts';
import { type Controlled, ControllerApi } from './api.ts';
import { type Behavior, Controller } from './controller.ts';
import type { AppOutcome, LiveDeployment } from './deployment-status.ts';
import { type AppBackend, Deployments, imaginaryApps } from './deployments.ts';
import { type Deploy, FlinkOperator, imaginaryJobs, type JobBackend } from './flink-operator.ts';
import { type JobOutcome, killed, type LiveFlinkDeployment } from './flink-status.ts';
import { type SchemaOutcome, SchemaPrograms } from './schema-program.ts';
import { TopicOperator } from './topic-operator.ts';
import { ImaginaryTopics, type TopicBackend } from './topics.ts';
import { type LiveUser, UserOperator } from './user-operator.ts';

interface StandInOptions {
  /** Where they are at work; everywhere when it is not said. */
  namespaces?: string[];
  /** What is real behind them; the rest is imagined. */
  backends?: { topics?: TopicBackend; jobs?: JobBackend; apps?: AppBackend };
  /** What becomes of what is imagined; without a word all of it comes up. */
  outcomes?: {
    job?: (deployment: LiveFlinkDeployment) => JobOutcome;
    app?: (deployment: LiveDeployment) => AppOutcome;
    /** Why a user is rejected; undefined when it is accepted. */
    user?: (user: LiveUser) => string | undefined;
    schema?: SchemaOutcome;
  };
  /** How long each takes from one state to the next. */
  stepMillis?: number;
  /**
   * Whether only the states are written that things come to rest in: of thousands of changes, the states on
   * the way take an API server most of its time. Default false.
   */
  skipsStates?: boolean;
}

/** The stand-ins at work. */
export interface StandIns {
  /** Every start of a job, in order. */
  deploys: Deploy[];
  /** Has a process of a job that runs killed. */
  kill(process: 'JobManager' | 'TaskManager', namespace: string, name: string): Promise<void>;
  /** Ends them; what they were about to do is left undone. */
  stop(): Promise<void>;
}

/**
 * Starts stand-ins for the operators that a pipeline is built on: Strimzi's topic and user operators, the
 * Flink Kubernetes Operator, and the Deployment controller; and for the program that reads schemas. Readiness
 * moves through the states of the real ones, with their words. Resolves when they know what there is.
 */
export async function startStandIns(
  config: KubeConfig,
  { namespaces, backends = {}, outcomes = {}, stepMillis = 20, skipsStates = false }: StandInOptions = {},
): Promise<StandIns> {
  const flink = new FlinkOperator(
    backends.jobs ?? imaginaryJobs(outcomes.job ?? (() => ({ state: 'stable' }))),
  );
  const topics = new TopicOperator(backends.topics ?? new ImaginaryTopics());
  const users = new UserOperator(outcomes.user ?? (() => undefined));
  const apps = new Deployments(backends.apps ?? imaginaryApps(outcomes.app ?? (() => 'available')));
  const schemas = new SchemaPrograms(outcomes.schema ?? 'found');
  const log = pino({ level: 'error' }, pino.destination({ fd: 2, sync: true }));
  const controllers = (namespaces ?? [undefined]).flatMap((namespace) => {
    const controller = <T extends Controlled>(behavior: Behavior<T>) =>
      new Controller({ behavior, config, namespace, stepMillis, skipsStates, log });
    return [controller(topics), controller(users), controller(flink), controller(apps), controller(schemas)];
  });
  await Promise.all(controllers.map((controller) => controller.start()));
  const api = new ControllerApi(config, flink.fieldManager);
  return {
    deploys: flink.deploys,
    async kill(process, namespace, name) {
      const { apiVersion, kind } = FLINK_DEPLOYMENT;
      const job = await api.get<LiveFlinkDeployment>({ apiVersion, kind, metadata: { namespace, name } });
      if (!job) throw new Error(`there is no FlinkDeployment ${namespace}/${name}`);
      await api.replaceStatus(job, killed(job, process));
    },
    async stop() {
      await Promise.all([api.close(), ...controllers.map((controller) => controller.stop())]);
    },
  };
}
