import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Environment } from './environment.ts';
import { kafkaSecrets } from './kafka-access.ts';
import { LAYOUT_ANNOTATION, layOut, printLayout } from './layout.ts';
import { metadata, selector } from './metadata.ts';
import { FLINK_API, type FlinkDeployment, type KubernetesObject } from './objects.ts';
import { RESTRICTED_CONTAINER, RESTRICTED_POD, secretMounts, secretVolumes } from './pod.ts';
import { roleBinding } from './role-binding.ts';
import { registrySecrets } from './schema-registry.ts';
import { sqlScript } from './sql.ts';

/** The user of Flink's official image; it owns what the job writes. */
const FLINK_USER = 9999;
const STATE_MOUNT = '/opt/flink/state';

/** The Flink job, and the account under which its JobManager makes TaskManager pods. */
export function flink(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const name = flinkName(resource);
  return [
    serviceAccount(resource),
    // In native mode it makes TaskManager pods, and keeps its leader and checkpoints in ConfigMaps.
    roleBinding(resource, 'flink', name, 'gameanalytics-flink-job'),
    deployment(resource, environment),
  ];
}

/** The job runs SQL with no jar of our own: Flink's own SqlDriver reads the script from its arguments. */
function deployment(resource: GameAnalytics, environment: Environment): FlinkDeployment {
  const { flink } = resource.spec;
  const { bootstrapServers, flinkImage } = environment;
  const layout = layOut(resource, environment.layout);
  return {
    apiVersion: FLINK_API,
    kind: 'FlinkDeployment',
    metadata: {
      ...metadata(resource, 'flink', flinkName(resource)),
      annotations: { [LAYOUT_ANNOTATION]: printLayout(layout) },
    },
    spec: {
      image: flink.image ?? flinkImage,
      flinkVersion: flink.version,
      serviceAccount: flinkName(resource),
      flinkConfiguration: configuration(resource),
      jobManager: { resource: { memory: flinkMemory(flink.jobManager.memory), cpu: flink.jobManager.cpu } },
      taskManager: {
        resource: { memory: flinkMemory(flink.taskManager.memory), cpu: flink.taskManager.cpu },
      },
      podTemplate: podTemplate(resource),
      job: {
        // Never loaded, but native mode wants a jar that is in the image.
        jarURI: 'local:///opt/flink/lib/flink-table-runtime-2.3.0.jar',
        entryClass: 'org.apache.flink.table.runtime.application.SqlDriver',
        args: ['--script', sqlScript(resource, bootstrapServers, layout)],
        // Only the reading of events is spread over several tasks, by the script: a board of several would be
        // of several moments.
        parallelism: 1,
        // What a job of another layout kept, nothing asks for any more.
        allowNonRestoredState: true,
        upgradeMode: flink.state ? 'savepoint' : 'stateless',
        state: 'running',
      },
    },
  };
}

/** The Flink Kubernetes Operator takes at most 45 characters: 40 are the resource's. */
export function flinkName(resource: { metadata: { name: string } }): string {
  return `${resource.metadata.name}-job`;
}

function configuration(resource: GameAnalytics): Record<string, string> {
  const { flink } = resource.spec;
  return {
    'pipeline.name': resource.metadata.name,
    // Operators hand rows on without copying: measured to save a fifth of the processor time.
    'pipeline.object-reuse': 'true',
    'restart-strategy.type': 'exponential-delay',
    'restart-strategy.exponential-delay.initial-backoff': '1 s',
    'restart-strategy.exponential-delay.max-backoff': '30 s',
    // One for each reader, all of them in one TaskManager.
    'taskmanager.numberOfTaskSlots': String(flink.parallelism),
    'kubernetes.jobmanager.cpu.limit-factor': limitFactor(flink.jobManager.cpu),
    'kubernetes.taskmanager.cpu.limit-factor': limitFactor(flink.taskManager.cpu),
    ...managedMemory(flink.configuration),
    // Small states survive the loss of a TaskManager; one too large for the JobManager's memory is replayed
    // instead.
    ...(!flink.state && { 'execution.checkpointing.tolerable-failed-checkpoints': '2147483647' }),
    ...flink.configuration,
    'execution.checkpointing.interval': `${millis(flink.checkpointInterval)} ms`,
    ...stateConfiguration(resource),
  };
}

/** Flink's limit equals its request by default, and a start needs far more than the work after it. */
function limitFactor(cpu: number): string {
  return String(Math.max(2, Math.ceil(2 / cpu)));
}

/**
 * State on the heap wants heap: of managed memory, of which Flink sets 40 % aside, it takes none, and windows
 * buffer in as little as they get. Sixteen boards of hot streaks ran in 1Gi with this.
 */
function managedMemory(configuration: Record<string, string>) {
  const backend = configuration['state.backend.type'] ?? configuration['state.backend'] ?? 'hashmap';
  return backend === 'hashmap' ? { 'taskmanager.memory.managed.fraction': '0.1' } : {};
}

function stateConfiguration(resource: GameAnalytics): Record<string, string> {
  const { state } = resource.spec.flink;
  if (!state) return { 'execution.checkpointing.storage': 'jobmanager' };
  const root = `${state.uri?.replace(/\/+$/, '') ?? `file://${STATE_MOUNT}`}/${resource.metadata.name}`;
  return {
    'execution.checkpointing.dir': `${root}/checkpoints`,
    'execution.checkpointing.savepoint-dir': `${root}/savepoints`,
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': `${root}/ha`,
  };
}

function flinkMemory(quantity: string): string {
  const amount = Number.parseInt(quantity, 10);
  return `${quantity.endsWith('Gi') ? amount * 1024 : amount}m`;
}

/** Flink adds its own labels to those here. */
function podTemplate(resource: GameAnalytics) {
  const claim = resource.spec.flink.state?.claim;
  const secrets = [...kafkaSecrets(resource, 'flink'), ...registrySecrets(resource)];
  const mounts = [...secretMounts(secrets), ...(claim ? [{ name: 'state', mountPath: STATE_MOUNT }] : [])];
  const volumes = [
    ...secretVolumes(secrets),
    ...(claim ? [{ name: 'state', persistentVolumeClaim: { claimName: claim } }] : []),
  ];
  return {
    metadata: { labels: selector(resource, 'flink') },
    spec: {
      securityContext: {
        ...RESTRICTED_POD,
        runAsUser: FLINK_USER,
        runAsGroup: FLINK_USER,
        fsGroup: FLINK_USER,
      },
      containers: [
        {
          name: 'flink-main-container',
          securityContext: RESTRICTED_CONTAINER,
          ...(mounts.length > 0 && { volumeMounts: mounts }),
        },
      ],
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

function serviceAccount(resource: GameAnalytics): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(resource, 'flink', flinkName(resource)),
  };
}
