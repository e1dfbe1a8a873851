import { readFileSync } from 'node:fs';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Broker } from '../../local/kafka.ts';
import { applyTopics } from '../../local/topics.ts';
import type { FlinkDeployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { resource } from '../../test/support/resource.ts';

/** What is measured: a script that ends where the backlog ends, with the cluster that it runs on. */
export interface Subject {
  deployment: FlinkDeployment;
  jobs: number;
}

export interface SubjectOptions {
  /** Names this run's topics; no two runs share one. */
  run: string;
  /** Topic of the backlog. */
  events: string;
  stateBackend: 'hashmap' | 'rocksdb';
  /** Boards of the product's job; the default four when left out. */
  leaderboards?: Record<string, unknown>[];
}

const TASK_MANAGER_MEMORY = '3Gi';
const CHECKPOINT_INTERVAL = '10s';
/** The cluster stays when its job is done, to be asked what it did. */
const STAYS = { 'execution.shutdown-on-application-finish': 'false' };

/** The job of a resource, as the plan has it, with its board topics made. */
export async function product(broker: Broker, options: SubjectOptions): Promise<Subject> {
  const objects = plan(benchResource(options), {
    bootstrapServers: broker.bootstrapServers,
    appImage: 'local',
    flinkImage: 'local',
  });
  await applyTopics(
    broker.admin,
    objects.filter((object): object is KafkaTopic => object.kind === 'KafkaTopic'),
  );
  const deployment = objects.find((object): object is FlinkDeployment => object.kind === 'FlinkDeployment');
  if (!deployment) throw new Error('the plan has no FlinkDeployment');
  const [option = '', script = ''] = deployment.spec.job.args;
  return { jobs: 1, deployment: withScript(deployment, [option, bounded(script)]) };
}

/** The baseline's four jobs, on a cluster of the same size with four slots for them. */
export async function baseline(
  broker: Broker,
  options: SubjectOptions,
  miniBatch: boolean,
): Promise<Subject> {
  const { run, events, stateBackend } = options;
  await broker.admin.createTopics({
    topics: BASELINE_BOARDS.map((board) => ({
      topic: `${run}-${board}`,
      numPartitions: 1,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
    })),
    waitForLeaders: true,
  });
  const values = { run, events, bootstrapServers: broker.bootstrapServers };
  const script = bounded(filled(miniBatch ? BASELINE : withoutMiniBatch(BASELINE), values));
  const { deployment } = await product(broker, { ...options, run: `${run}-unused` });
  const plain: FlinkDeployment = {
    ...deployment,
    spec: {
      ...deployment.spec,
      flinkConfiguration: {
        'taskmanager.numberOfTaskSlots': String(BASELINE_BOARDS.length),
        'state.backend.type': stateBackend,
        'execution.checkpointing.interval': CHECKPOINT_INTERVAL,
        ...STAYS,
      },
    },
  };
  return { jobs: BASELINE_BOARDS.length, deployment: withScript(plain, ['--script', script]) };
}

const BASELINE = readFileSync(new URL('./baseline.sql', import.meta.url), 'utf8');
const BASELINE_BOARDS = ['top-teams', 'top-players', 'hot-streakers', 'team-mvps'];

function benchResource({ run, events, stateBackend, leaderboards }: SubjectOptions): GameAnalytics {
  return resource(
    {
      events: { topic: events },
      ...(leaderboards && { leaderboards }),
      flink: {
        taskManager: { memory: TASK_MANAGER_MEMORY },
        checkpointInterval: CHECKPOINT_INTERVAL,
        configuration: { 'state.backend.type': stateBackend, ...STAYS },
      },
    },
    run,
  );
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
