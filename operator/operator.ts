import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { startProbeServer } from '../lib/probe-server.ts';
import project from '../package.json' with { type: 'json' };
import { Cluster } from './cluster.ts';
import { createEventRecorder } from './controller/event-recorder.ts';
import { reconcile } from './controller/reconcile.ts';
import { FIELD_MANAGER, KubeClient } from './kube/client.ts';
import { isTransient } from './kube/errors.ts';
import { LeaderElection } from './leader/election.ts';
import type { Metrics } from './metrics.ts';
import { WorkQueue } from './queue/work-queue.ts';
import type { Settings } from './settings.ts';

interface OperatorParts {
  config: KubeConfig;
  log: Logger;
  metrics: Metrics;
  /** Aborted to stop gracefully. */
  signal: AbortSignal;
}

/**
 * Less than what is left of the Lease when the last write is allowed: none lands after another has taken
 * over.
 */
const CALL_MILLIS = 5_000;
/** Within what Kubernetes gives a pod (30 s), with time to release the Lease. */
const GRACE_MILLIS = 20_000;

/**
 * Runs the operator until it is stopped. A standby watches too, so that it can act at once when it becomes
 * the leader; only its workers wait.
 *
 * @throws when the Lease was lost: another may be at work, and this process must end
 */
export async function runOperator(settings: Settings, parts: OperatorParts): Promise<void> {
  const { config, log, metrics, signal } = parts;
  const { appImage, flinkImage, flinkOperatorNamespace, leaseName, leaseNamespace, identity } = settings;
  const client: KubeClient = new KubeClient(config, {
    timeoutMillis: CALL_MILLIS,
    userAgent: `${FIELD_MANAGER}/${project.version} (${identity})`,
    mayWrite: () => election.mayWrite(),
    onResponse: metrics.restClient,
  });
  const cluster: Cluster = new Cluster({
    client,
    namespace: settings.watchNamespace,
    onChange: (key) => queue.add(key),
    log,
    metrics,
  });
  const now = () => new Date();
  const recorder = createEventRecorder(client, identity, log, now);
  const environment = { appImage, flinkImage, flinkOperatorNamespace };
  const { allowedFlinkImages, upgradeTimeoutMillis } = settings;
  const reconciler = {
    client,
    cache: cluster,
    recorder,
    environment,
    allowedFlinkImages,
    upgradeTimeoutMillis,
    now,
  };
  const queue = new WorkQueue({
    workers: settings.workers,
    process: (key, aborted) => reconcile(reconciler, key, aborted),
    log,
    metrics,
    isTransient,
  });
  const end = Promise.withResolvers<void>();
  const election = new LeaderElection({
    client,
    namespace: leaseNamespace,
    name: leaseName,
    identity,
    log,
    onLeading: () => {
      metrics.leader(leaseName, true);
      void cluster.synced().then(() => queue.start());
    },
    onLost: () => end.reject(new Error('the Lease was lost: another operator may be at work')),
  });

  let synced = false;
  const web = await startProbeServer({
    host: settings.host,
    port: settings.port,
    ready: () => (synced ? [] : ['not everything was listed yet']),
    registry: metrics.registry,
    log,
  });
  log.info(`probes and metrics are at ${web.url}`);
  metrics.leader(leaseName, false);
  signal.addEventListener('abort', () => end.resolve(), { once: true });
  if (signal.aborted) end.resolve();
  cluster.start();
  void cluster.synced().then(() => {
    synced = true;
  });
  election.start();
  try {
    await end.promise;
  } finally {
    await queue.stop(GRACE_MILLIS);
    // Together: nothing reads the watches any more.
    await Promise.all([election.release(), cluster.stop()]);
    await web.close();
    await client.close();
  }
}
