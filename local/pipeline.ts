import { type GameAnalytics, needsSchema } from '../api/gameanalytics.ts';
import { boards } from '../plan/boards.ts';
import type {
  Deployment,
  FlinkDeployment,
  KafkaTopic,
  KafkaUser,
  KubernetesObject,
  Service,
} from '../plan/objects.ts';
import { plan } from '../plan/plan.ts';
import { eventsTopic, managedEventsTopic } from '../plan/topics.ts';
import { type App, startApp } from './app.ts';
import { type FlinkCluster, startFlink } from './flink/cluster.ts';
import { loadLayout } from './flink/layout-file.ts';
import { type Broker, startKafka } from './kafka/broker.ts';
import { applyTopics } from './kafka/topics.ts';
import { applyUsers } from './kafka/users.ts';
import { type LocalRuntime, startLocalRuntime } from './local-runtime.ts';
import type { Report } from './process/report.ts';
import { until } from './process/retry.ts';
import { UserError } from './process/user-error.ts';
import { completeColumns, NoSchemaError } from './schema-columns.ts';
import { hasOwnRegistry, startSchemaRegistry, withRegistry } from './schema-registry.ts';

export interface PipelineOptions {
  /** Folder under which everything lives; a run resumes what is there already. */
  stateDir: string;
  /** Ports to listen on; 0: any that is free. */
  ports: { kafka: number; flink: number; dashboard: number };
  report: Report;
  /** Aborted to stop starting. A pipeline that has started is stopped with stop(). */
  signal: AbortSignal;
}

/** A running pipeline. */
export interface Pipeline {
  eventsTopic: string;
  boardTopics: string[];
  broker: Broker;
  flink: FlinkCluster;
  apps: App[];
  /** Addresses of the plan's Services, by name. */
  services: Map<string, string>;
  /** Ends it in order: what produces first, Kafka last. */
  stop(): Promise<void>;
}

/**
 * Runs the plan of a resource as processes on this machine: Kafka and its topics, a schema registry where it
 * needs one and names none, the Flink job, and our own programs. Resolves when all of it is ready; when a
 * part cannot start, what has started is stopped and the cause is thrown.
 */
export async function startPipeline(resource: GameAnalytics, options: PipelineOptions): Promise<Pipeline> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const runtime = await startLocalRuntime(options.stateDir, options.report, signal);
  try {
    const parts = await startParts(resource, runtime, options.ports);
    const stop = async () => {
      await Promise.all(parts.apps.map((app) => app.stop()));
      await parts.flink.stop();
      await parts.broker.process.stop(KAFKA_GRACE_MILLIS);
    };
    return { ...parts, stop: () => stop().finally(() => runtime.close()) };
  } catch (error) {
    failed.abort(error);
    await runtime.close();
    throw error;
  }
}

/** Kafka writes down where its logs end; the next start is quicker for it. */
const KAFKA_GRACE_MILLIS = 20_000;

async function startParts(
  manifest: GameAnalytics,
  runtime: LocalRuntime,
  ports: PipelineOptions['ports'],
): Promise<Omit<Pipeline, 'stop'>> {
  const [broker, registry] = await Promise.all([
    startKafka(runtime, ports.kafka, manifest.spec.kafka),
    hasOwnRegistry(manifest) ? startSchemaRegistry(runtime) : undefined,
  ]);
  const layout = await loadLayout(runtime.stateDir);
  // It is in no cluster here, even if the manifest was read from one.
  const { uid: _, ...metadata } = manifest.metadata;
  const resource = await waitForColumns(runtime, broker, withRegistry({ ...manifest, metadata }, registry));
  const objects = plan(resource, {
    bootstrapServers: broker.clientServers,
    appImage: 'local',
    flinkImage: 'local',
    layout,
  });
  const topics = ofKind<KafkaTopic>(objects, 'KafkaTopic');
  await Promise.all([
    applyTopics(broker.admin, topics),
    applyUsers(runtime, broker, ofKind<KafkaUser>(objects, 'KafkaUser')),
  ]);
  runtime.report(`${topics.length} topics are there; starting Flink and the programs`);
  const [flink, apps] = await Promise.all([
    startFlink(runtime, only(ofKind<FlinkDeployment>(objects, 'FlinkDeployment')), ports.flink),
    startApps(runtime, objects, ports.dashboard),
  ]);
  return {
    eventsTopic: eventsTopic(resource),
    boardTopics: boards(resource).map(({ topic }) => topic),
    broker,
    flink,
    apps,
    services: addresses(objects, apps),
  };
}

/**
 * The resource with the columns of its records. The topic that these are written to is there meanwhile:
 * programs register their schema when they write the first record.
 */
async function waitForColumns(
  { stateDir, report, signal }: LocalRuntime,
  broker: Broker,
  resource: GameAnalytics,
): Promise<GameAnalytics> {
  if (!needsSchema(resource.spec)) return resource;
  await applyTopics(broker.admin, managedEventsTopic(resource));
  let said: string | undefined;
  const { resource: complete, problems = [] } = await until(
    () =>
      completeColumns(resource, stateDir, report, signal).catch((error) => {
        if (!(error instanceof NoSchemaError)) throw error;
        if (error.missing !== said) report(`events.columns is not set: waiting for ${error.missing}`);
        said = error.missing;
        return undefined;
      }),
    { everyMillis: 1000, signal },
  );
  if (complete) return complete;
  throw new UserError(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}

async function startApps(runtime: LocalRuntime, objects: KubernetesObject[], port: number): Promise<App[]> {
  const services = ofKind<Service>(objects, 'Service');
  return Promise.all(
    ofKind<Deployment>(objects, 'Deployment').map((deployment) => {
      // The port that was asked for is that of the program behind a Service.
      const served = services.some((service) => selects(service, deployment));
      return startApp(runtime, deployment, served ? port : 0);
    }),
  );
}

function addresses(objects: KubernetesObject[], apps: App[]): Map<string, string> {
  const found = ofKind<Service>(objects, 'Service').flatMap((service): [string, string][] => {
    const url = apps.find(({ deployment }) => selects(service, deployment))?.replicas[0]?.url;
    return url ? [[service.metadata.name, url]] : [];
  });
  return new Map(found);
}

function selects({ spec }: Service, deployment: Deployment): boolean {
  const { labels } = deployment.spec.template.metadata;
  return Object.entries(spec.selector).every(([key, value]) => labels[key] === value);
}

function ofKind<T extends KubernetesObject>(objects: KubernetesObject[], kind: T['kind']): T[] {
  return objects.filter((object): object is T => object.kind === kind);
}

function only<T>(objects: T[]): T {
  const [object] = objects;
  if (object === undefined || objects.length > 1)
    throw new Error(`expected one object, found ${objects.length}`);
  return object;
}
