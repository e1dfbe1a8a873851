import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { LOOPBACK } from '../../local/process/ports.ts';
import { Reaper } from '../../local/process/reaper.ts';
import { until } from '../../local/process/retry.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { installChart } from '../cluster/chart.ts';

/** As the chart's command has them. */
const FLAGS = ['--optimize-for-size', '--max-semi-space-size=2'];
const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));

/** One line of the operator's log. */
export interface LogLine {
  level: number;
  msg: string;
  [field: string]: unknown;
}

/** How a process ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What the operator's pods have around them. */
export type PodEnvironment = Record<string, string>;

/**
 * Installs the chart's rights in a namespace, and returns what its pods would find in their environment: the
 * chart's settings, and a kubeconfig of the chart's ServiceAccount.
 *
 * @param watchNamespace the namespace that the operator looks after; empty, all of them
 */
export async function podEnvironment(
  plane: ControlPlaneAccess,
  namespace: string,
  watchNamespace: string,
): Promise<PodEnvironment> {
  const { serviceAccount, environment } = await installChart(plane, { namespace, watchNamespace });
  const config = await plane.serviceAccount(namespace, serviceAccount);
  const file = join(dirname(plane.kubeConfigFile), `${namespace}-operator.json`);
  await writeFile(file, config.exportConfig(), { mode: 0o600 });
  return { ...environment, KUBECONFIG: file };
}

/** The operator as a pod runs it: `node operator/main.ts`, with nothing in its environment but the pod's. */
export class OperatorProcess {
  readonly identity: string;
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  readonly #reaper = new Reaper();
  readonly #over = new AbortController();
  #said = '';

  constructor(environment: PodEnvironment, identity: string) {
    this.identity = identity;
    const child = spawn(process.execPath, [...FLAGS, MAIN], {
      env: { ...environment, IDENTITY: identity, HOST: LOOPBACK, PORT: '0' },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.pid) this.#reaper.add(child.pid);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.#said += text;
    });
    this.#child = child;
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#reaper.close();
      this.#over.abort();
      return { code, signal };
    });
  }

  /** Its log so far. Throws when a line is not JSON. */
  get log(): LogLine[] {
    const lines = this.#said.split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as LogLine);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for a line with this in its message. */
  logged(message: string, timeoutMillis = 20_000): Promise<LogLine> {
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMillis), this.#over.signal]);
    const look = async () => this.log.find(({ msg }) => msg.includes(message));
    return until(look, { everyMillis: 10, signal }).catch(() => {
      throw new Error(`${this.identity} did not log '${message}' but:\n${this.#said}`);
    });
  }

  leading(): Promise<LogLine> {
    return this.logged('this process is the leader');
  }

  /** Waits until it is ready, as its readiness probe tells. */
  async ready(): Promise<void> {
    const probe = async () => ((await this.get('/readyz')).status === 200 ? true : undefined);
    await until(probe, { everyMillis: 50, signal: AbortSignal.timeout(20_000) });
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const { msg } = await this.logged('probes and metrics are at ');
    const response = await fetch(msg.replace(/^.* (http)/, '$1') + path);
    return { status: response.status, text: await response.text() };
  }

  /** Kills it, if it is still there. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** Runs the operator as a kubelet does: whenever it ends it is started again, after a second. */
export class Kubelet {
  /** Every process so far; the last one is running. */
  readonly processes: OperatorProcess[] = [];
  readonly #environment: PodEnvironment;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(environment: PodEnvironment) {
    this.#environment = environment;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.processes.at(-1)?.kill();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const process = new OperatorProcess(this.#environment, `pod-${this.processes.length + 1}`);
      this.processes.push(process);
      await process.ended;
      await sleep(1_000, undefined, { signal }).catch(() => undefined);
    }
  }
}
