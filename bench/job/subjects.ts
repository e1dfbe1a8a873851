import { readFileSync } from 'node:fs';
import type { Broker } from '../../local/kafka/broker.ts';
import { applyTopics } from '../../local/kafka/topics.ts';
import type { FlinkDeployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { type FormerRevision, render } from './former.ts';

export interface JobOptions {
  /** Names this run's topics; no two runs share one. */
  run: string;
  /** Topic of the backlog. */
  events: string;
  stateBackend: 'hashmap' | 'rocksdb';
  taskManagerMemory: string;
  /** Boards of the product's job; the default four when left out. */
  leaderboards?: Record<string, unknown>[] | undefined;
  /** What spec.events says of the records of the product's job; nothing when left out. */
  records?: Record<string, unknown> | undefined;
  /** The backlog in Avro, which a job reads whose records are; undefined: there is none. */
  avro?: { topic: string; registryUrl: string } | undefined;
  /** A revision that plans the product's job instead of the present one. */
  former?: FormerRevision | undefined;
}

/** The format of spec.events with which a job reads Avro. */
export const AVRO = 'avro-confluent';

const CHECKPOINT_INTERVAL = '10s';
const MEASURED = {
  // The cluster stays when its job is done, to be asked what it did.
  'execution.shutdown-on-application-finish': 'false',
  // What a job that is ended has read by then is at most this old.
  'metrics.fetcher.update-interval': '1000',
};

/** The job of a resource, as the plan has it, with its board topics made. It ends where the backlog ends. */
export async function product(broker: Broker, options: JobOptions): Promise<FlinkDeployment> {
  const { run, former } = options;
  const { bootstrapServers } = broker;
  const objects = former
    ? await render(former, run, benchSpec(options), bootstrapServers)
    : plan(resource(benchSpec(options), run), { bootstrapServers, appImage: 'local', flinkImage: 'local' });
  await applyTopics(
    broker.admin,
    objects.filter((object): object is KafkaTopic => object.kind === 'KafkaTopic'),
  );
  const deployment = objects.find((object): object is FlinkDeployment => object.kind === 'FlinkDeployment');
  if (!deployment) throw new Error('the plan has no FlinkDeployment');
  const [option = '', script = ''] = deployment.spec.job.args;
  return withScript(deployment, [option, bounded(script)]);
}

export type BaselineBoard = (typeof BASELINE_BOARDS)[number];
export const BASELINE_BOARDS = ['top-teams', 'top-players', 'hot-streakers', 'team-mvps'] as const;

/** One of the baseline's jobs, on a cluster of the same size. */
export async function baseline(
  broker: Broker,
  options: JobOptions,
  board: BaselineBoard,
  miniBatch: boolean,
): Promise<FlinkDeployment> {
  const { run, events, stateBackend } = options;
  const topic = `${run}-${board}`;
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  await broker.admin.createTopics({
    topics: [{ topic, numPartitions: 1, configEntries }],
    waitForLeaders: true,
  });
  const sql = baselineFile('events') + baselineFile(board);
  const values = { run, events, bootstrapServers: broker.bootstrapServers };
  const script = bounded(filled(miniBatch ? sql : withoutMiniBatch(sql), values));
  const deployment = await product(broker, { ...options, run: `${run}-unused` });
  const plain: FlinkDeployment = {
    ...deployment,
    spec: {
      ...deployment.spec,
      flinkConfiguration: {
        'state.backend.type': stateBackend,
        'execution.checkpointing.interval': CHECKPOINT_INTERVAL,
        ...MEASURED,
      },
    },
  };
  return withScript(plain, ['--script', script]);
}

function baselineFile(name: string): string {
  return readFileSync(new URL(`./baseline/${name}.sql`, import.meta.url), 'utf8');
}

function benchSpec({ events, stateBackend, taskManagerMemory, leaderboards, records, avro }: JobOptions) {
  const isAvro = records?.format === AVRO;
  return {
    events: {
      topic: isAvro ? avro?.topic : events,
      ...records,
      ...(isAvro && { schemaRegistry: { url: avro?.registryUrl } }),
    },
    ...(leaderboards && { leaderboards }),
    flink: {
      taskManager: { memory: taskManagerMemory },
      checkpointInterval: CHECKPOINT_INTERVAL,
      configuration: { 'state.backend.type': stateBackend, ...MEASURED },
    },
  };
}

/** Has every source end where its topic ends now. */
function bounded(script: string): string {
  return script.replaceAll(/'scan\.startup\.mode' = '[^']*',/g, "$& 'scan.bounded.mode' = 'latest-offset',");
}

function filled(script: string, values: Record<string, string>): string {
  return script.replaceAll(/\$([a-zA-Z]+)/g, (_, name) => values[name] ?? '');
}

function withoutMiniBatch(script: string): string {
  return script.replaceAll(/^SET 'table\.exec\.mini-batch.*\n/gm, '');
}

function withScript(deployment: FlinkDeployment, args: string[]): FlinkDeployment {
  const { spec } = deployment;
  return { ...deployment, spec: { ...spec, job: { ...spec.job, args } } };
}
