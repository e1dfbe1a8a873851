import { type App, startApp } from '../../local/app.ts';
import { type FlinkCluster, startFlink } from '../../local/flink/cluster.ts';
import type { LocalRuntime } from '../../local/local-runtime.ts';
import type { Deployment, FlinkDeployment } from '../../plan/objects.ts';

import type { AppBackend } from './deployments.ts';
import type { JobBackend } from './flink-operator.ts';

/** FlinkDeployments as real Flink jobs on this machine: one at a time of each name. */
export function localJobs(runtime: LocalRuntime): JobBackend {
  const jobs = new Map<string, Promise<FlinkCluster>>();
  const taken = async (name: string) => {
    const job = await jobs.get(name)?.catch(() => undefined);
    jobs.delete(name);
    return job;
  };
  return {
    async run(deployment) {
      const job = startFlink(runtime, deployment as unknown as FlinkDeployment);
      jobs.set(deployment.metadata.name, job);
      await job;
      return { state: 'stable' };
    },
    async stop({ metadata: { name } }) {
      await (await taken(name))?.stop();
    },
    async cancel({ metadata: { name } }) {
      const job = await taken(name);
      if (job) await Promise.all([job.jobManager, ...job.taskManagers].map((process) => process.stop()));
    },
  };
}

/** Deployments as real processes on this machine. */
export class LocalApps implements AppBackend {
  readonly #runtime: LocalRuntime;
  readonly #apps = new Map<string, App>();

  constructor(runtime: LocalRuntime) {
    this.#runtime = runtime;
  }

  /** Address of a Deployment's first copy; undefined while it has none. */
  url(name: string): string | undefined {
    return this.#apps.get(name)?.replicas[0]?.url;
  }

  run: AppBackend['run'] = async (deployment) => {
    const { name } = deployment.metadata;
    const old = this.#apps.get(name);
    this.#apps.set(name, await startApp(this.#runtime, deployment as unknown as Deployment));
    await old?.stop();
    return 'available';
  };

  stop: AppBackend['stop'] = async ({ metadata: { name } }) => {
    const app = this.#apps.get(name);
    this.#apps.delete(name);
    await app?.stop();
  };
}
