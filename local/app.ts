import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../lib/sleep.ts';
import type { Container, Deployment, HttpProbe } from '../plan/objects.ts';
import { secretFolders } from './kafka/secrets.ts';
import type { LocalRuntime } from './local-runtime.ts';
import { freePort, LOOPBACK } from './process/ports.ts';
import { until } from './process/retry.ts';
import type { Command, SupervisedProcess } from './process/supervisor.ts';

/** The processes of one Deployment, one per replica. */
export interface App {
  deployment: Deployment;
  replicas: Replica[];
  stop(): Promise<void>;
}

interface Replica {
  url: string;
  process: SupervisedProcess;
}

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a Deployment's command and environment as processes on this machine, watched by its probes. Ready when
 * each replica is.
 */
export async function startApp(runtime: LocalRuntime, deployment: Deployment, wantedPort = 0): Promise<App> {
  const { stateDir } = runtime;
  const pod = deployment.spec.template.spec;
  const container = pod.containers[0];
  const folders = secretFolders(stateDir, pod);
  const count = deployment.spec.replicas ?? 1;
  const replicas: Replica[] = [];
  for (let index = 0; index < count; index += 1) {
    const port = await freePort(index === 0 ? wantedPort : 0);
    const name = index === 0 ? container.name : `${container.name}-${index + 1}`;
    const process = runtime.spawn(name, () => createCommand(container, folders, port, stateDir));
    replicas.push({ url: `http://${LOOPBACK}:${port}`, process });
  }
  const probing = new AbortController();
  runtime.onClose(() => probing.abort());
  for (const replica of replicas) void restartWhenDead(replica, container.livenessProbe, probing.signal);
  await Promise.all(
    replicas.map(({ url }) =>
      until(() => passes(url, container.readinessProbe), { everyMillis: 250, signal: runtime.signal }),
    ),
  );
  return {
    deployment,
    replicas,
    async stop() {
      probing.abort();
      await Promise.all(replicas.map(({ process }) => process.stop(15_000)));
    },
  };
}

function createCommand(
  { command, env }: Container,
  folders: Map<string, string>,
  port: number,
  stateDir: string,
): Command {
  const [file = '', ...args] = command;
  return {
    file: file === 'node' ? process.execPath : file,
    args,
    cwd: PROJECT,
    // Where it listens, finds Secrets and sends people to differs from the container.
    env: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, folders.get(value) ?? value])),
      HOST: LOOPBACK,
      PORT: String(port),
      JOB_ADVICE: `Look at the logs in ${join(stateDir, 'logs')}.`,
      REPLAY_ADVICE: `To count the new topic from its beginning: stop the run, delete ${join(stateDir, 'flink')}, and start it again.`,
    },
  };
}

async function restartWhenDead(replica: Replica, probe: HttpProbe, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await sleep(probe.periodSeconds * 1000, signal);
    failures = signal.aborted || (await passes(replica.url, probe)) ? 0 : failures + 1;
    // As the kubelet does.
    if (failures < 3) continue;
    replica.process.restart();
    failures = 0;
  }
}

/** On a machine that is busy with other things, answers take their time. */
const PROBE_MILLIS = 10_000;

async function passes(url: string, probe: HttpProbe): Promise<true | undefined> {
  try {
    const response = await fetch(url + probe.httpGet.path, { signal: AbortSignal.timeout(PROBE_MILLIS) });
    await response.body?.cancel();
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}
