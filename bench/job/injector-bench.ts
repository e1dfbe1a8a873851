import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from '../../local/app.ts';
import { type Broker, startKafka } from '../../local/kafka/broker.ts';
import { applyTopics } from '../../local/kafka/topics.ts';
import type { LocalRuntime } from '../../local/local-runtime.ts';
import type { Deployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { eventsTopic } from '../../plan/topics.ts';
import { childProcess } from '../../testkit/pipeline/processes.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { markdownTable, megabytes, short } from './markdown.ts';

/** The most that the resource allows. */
const MOST_EVENTS_PER_SECOND = 50_000;
const SETTLE_MILLIS = 5_000;
const MEASURED_MILLIS = 20_000;

/**
 * How many events the injector writes at its maximum rate, with only Kafka on the machine. Returns a Markdown
 * table.
 */
export async function benchInjector(runtime: LocalRuntime): Promise<string> {
  const game = resource({ injector: { eventsPerSecond: MOST_EVENTS_PER_SECOND, seed: 1 } }, 'most');
  const broker = await startKafka(runtime);
  await startInjector(runtime, broker, game);
  await sleep(SETTLE_MILLIS, undefined, { signal: runtime.signal });
  const injector = childProcess('injector/main.ts');
  const [cpuBefore, before, started] = [
    injector.cpuSeconds(),
    await events(broker, eventsTopic(game)),
    performance.now(),
  ];
  await sleep(MEASURED_MILLIS, undefined, { signal: runtime.signal });
  const written = (await events(broker, eventsTopic(game))) - before;
  const seconds = (performance.now() - started) / 1000;
  const row = [
    'injector',
    short(written / seconds),
    short(written / (injector.cpuSeconds() - cpuBefore)),
    megabytes(injector.residentBytes()),
  ];
  const table = markdownTable(['process', 'events/s', 'events/s per core', 'RSS'], [row]);
  return `### The injector, asked for ${short(MOST_EVENTS_PER_SECOND)} events/s\n\n${table}`;
}

async function startInjector(
  runtime: LocalRuntime,
  broker: Broker,
  game: ReturnType<typeof resource>,
): Promise<void> {
  const { bootstrapServers, admin } = broker;
  const objects = plan(game, { bootstrapServers, appImage: 'local', flinkImage: 'local' });
  await applyTopics(
    admin,
    objects.filter((object): object is KafkaTopic => object.kind === 'KafkaTopic'),
  );
  const deployment = objects.find(
    (object): object is Deployment =>
      object.kind === 'Deployment' && object.metadata.name === 'most-injector',
  );
  if (!deployment) throw new Error('the plan has no injector');
  await startApp(runtime, deployment);
}

async function events({ admin }: Broker, topic: string): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
