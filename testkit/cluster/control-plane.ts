import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../../local/process/ports.ts';
import { Reaper } from '../../local/process/reaper.ts';
import { until } from '../../local/process/retry.ts';
import { type Command, SupervisedProcess } from '../../local/process/supervisor.ts';

import { ControlPlaneAccess } from './access.ts';
import { AUDIT_POLICY } from './audit.ts';
import { apiServerCommand, controllerManagerCommand, etcdCommand, FILES, type Site } from './commands.ts';
import type { CrdSet } from './crds.ts';
import { writeCredentials } from './credentials.ts';
import { buildPrograms } from './programs.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

interface Options {
  /** Runs kube-controller-manager too: deleted owners and namespaces take along what is theirs. */
  controllerManager?: boolean;
  /** Keeps an audit log for auditEvents(). */
  audit?: boolean;
  /** Applies these CRDs; before the controllers start, who would notice new ones only after half a minute. */
  crds?: CrdSet;
}

const START_TIMEOUT_MILLIS = 60_000;

/** Starts a Kubernetes control plane of its own in a new folder; ready when the API server says so. */
export async function startControlPlane(options: Options = {}): Promise<ControlPlane> {
  const programs = await buildPrograms(report);
  const folder = await temporaryFolder('gameanalytics-control-plane-');
  const site = { folder: folder.path, programs, etcdPort: await freePort(), apiServerPort: await freePort() };
  await writeCredentials(site);
  await writeFile(join(folder.path, FILES.auditPolicy), JSON.stringify(AUDIT_POLICY));
  await mkdir(join(folder.path, 'logs'));
  const controlPlane = new ControlPlane(site, folder, options.audit ?? false);
  try {
    await controlPlane.startApiServer();
    if (options.crds) await controlPlane.applyCrds(options.crds);
    if (options.controllerManager) controlPlane.startControllerManager();
    return controlPlane;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

function report(sentence: string): void {
  process.stderr.write(`  [control plane] ${sentence}\n`);
}

/**
 * A control plane that this process started, and ends: etcd, an API server, and the controllers that were
 * asked for.
 */
export class ControlPlane extends ControlPlaneAccess {
  readonly #site: Site;
  readonly #folder: TemporaryFolder;
  readonly #audit: boolean;
  readonly #reaper = new Reaper();
  readonly #others: SupervisedProcess[] = [];
  #apiServer: SupervisedProcess | undefined;

  constructor(site: Site, folder: TemporaryFolder, audit: boolean) {
    super({ kubeConfigFile: join(site.folder, FILES.kubeConfig), programs: site.programs });
    this.#site = site;
    this.#folder = folder;
    this.#audit = audit;
    this.#others.push(this.#spawn('etcd', etcdCommand(site)));
  }

  /** Starts the API server, on the port that it had before. Ready when it says so. */
  async startApiServer(): Promise<void> {
    const apiServer = this.#spawn('kube-apiserver', apiServerCommand(this.#site, this.#audit));
    this.#apiServer = apiServer;
    const ready = async () => {
      if (apiServer.crashes > 0) throw new Error('it ended');
      return this.kubectl('get', '--raw=/readyz', '--request-timeout=5s').catch(() => undefined);
    };
    const signal = AbortSignal.timeout(START_TIMEOUT_MILLIS);
    await until(ready, { everyMillis: 50, signal }).catch(async (cause: Error) => {
      const log = (await readFile(apiServer.logFile, 'utf8')).split('\n');
      throw new Error(`kube-apiserver did not start: ${cause.message}\n${log.slice(-10).join('\n')}`);
    });
  }

  /** Kills the API server, as a crash would. What it stored stays, and so do the other parts. */
  async stopApiServer(): Promise<void> {
    await this.#apiServer?.stop(0);
    this.#apiServer = undefined;
  }

  async restartApiServer(): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer();
  }

  startControllerManager(): void {
    this.#others.push(this.#spawn('kube-controller-manager', controllerManagerCommand(this.#site)));
  }

  /** Kills every part and removes their folder. */
  async stop(): Promise<void> {
    const processes = [...this.#others, ...(this.#apiServer ? [this.#apiServer] : [])];
    // Nobody needs what they would still save.
    await Promise.all(processes.map((process) => process.stop(0)));
    this.#reaper.close();
    await this.#folder.remove();
  }

  #spawn(name: string, command: Command): SupervisedProcess {
    const process = new SupervisedProcess({
      name,
      command: () => command,
      logFile: join(this.#site.folder, 'logs', `${name}.log`),
      reaper: this.#reaper,
      report,
    });
    process.start();
    return process;
  }
}
