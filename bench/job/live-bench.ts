import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Producer } from 'kafkajs';
import { avroEncoder, EVENT_SCHEMA } from '../../injector/avro.ts';
import { type GameEvent, readableTime } from '../../injector/event.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../../local/pipeline.ts';
import { readRegistryUrl } from '../../local/schema-registry.ts';
import { registerSchema } from '../../registry/schema-registry.ts';
import { childProcess } from '../../testkit/pipeline/processes.ts';
import { kafkaClient } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { percentile } from '../percentile.ts';
import { markdownTable, megabytes, short } from './markdown.ts';

const PROBES = 60;
/** The first probe leads every simulated team and player; each further one adds a point. */
const LEAD = 1_000_000_000;
const SETTLE_MILLIS = 20_000;
const PROCESSES = {
  Kafka: 'kafka.Kafka',
  JobManager: 'StandaloneApplicationClusterEntryPoint',
  TaskManager: 'TaskManagerRunner',
  injector: 'injector/main.ts',
  dashboard: 'dashboard/main.ts',
};

/** The format of the events, of which an Avro schema is in a registry of the pipeline's own. */
export type LiveFormat = 'json' | 'avro-confluent';

type Encode = (event: GameEvent) => string | Buffer;

/**
 * A whole pipeline with a simulated game of this many events per second: how long an event takes to the rows
 * of the season boards, what is written, and what memory each process has. Returns Markdown tables.
 */
export async function benchLive(
  options: PipelineOptions,
  eventsPerSecond: number,
  format: LiveFormat,
): Promise<string> {
  const game = resource({ events: { format }, injector: { eventsPerSecond, seed: 1 } }, 'live');
  const pipeline = await startPipeline(game, options);
  try {
    await sleep(SETTLE_MILLIS, undefined, { signal: options.signal });
    const encode: Encode = format === 'json' ? JSON.stringify : await createEncoder(pipeline, options);
    const before = await endOffsets(pipeline);
    const started = performance.now();
    const latencies = await probe(pipeline, encode, options.signal);
    const seconds = (performance.now() - started) / 1000;
    const after = await endOffsets(pipeline);
    return [
      `### ${short(eventsPerSecond)} events/s as they come, ${format}\n`,
      latencyTable(latencies),
      ratesTable(before, after, seconds),
      memoryTable(),
    ].join('\n');
  } finally {
    await pipeline.stop();
  }
}

/** Writes as the injector does, whose schema is registered by now. */
async function createEncoder(pipeline: Pipeline, { stateDir, signal }: PipelineOptions): Promise<Encode> {
  const registry = { url: (await readRegistryUrl(stateDir))!, folder: undefined };
  return avroEncoder(await registerSchema(registry, `${pipeline.eventsTopic}-value`, EVENT_SCHEMA, signal));
}

/** Board topic, and the field by which a probe knows its row there. */
const PROBED = { 'live-top-teams': 'TEAM-PROBE', 'live-top-players': 'USR-PROBE' };
type Probed = keyof typeof PROBED;

/** Milliseconds from making an event to the arrival of a row with its total, of each probed board. */
async function probe(
  pipeline: Pipeline,
  encode: Encode,
  signal: AbortSignal,
): Promise<Record<Probed, number[]>> {
  const kafka = kafkaClient(pipeline.broker.bootstrapServers);
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: 'live-probe', maxWaitTimeInMs: 1_000, minBytes: 1 });
  await producer.connect();
  const totals = new Totals();
  await totals.follow(consumer, signal);
  try {
    const latencies: Record<Probed, number[]> = { 'live-top-teams': [], 'live-top-players': [] };
    for (let i = 0; i < PROBES; i++) {
      const made = await sendProbe(producer, pipeline.eventsTopic, encode, i === 0 ? LEAD : 1);
      const arrivals = await Promise.all(TOPICS.map((topic) => totals.reached(topic, LEAD + i, signal)));
      // The first one waits for the consumer to have joined.
      if (i > 0)
        for (const [board, topic] of TOPICS.entries()) latencies[topic].push(arrivals[board]! - made);
      // Probes fall anywhere between the pipeline's ticks.
      await sleep(300 + 400 * Math.random(), undefined, { signal });
    }
    return latencies;
  } finally {
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
  }
}

const TOPICS = Object.keys(PROBED) as Probed[];

/** The probe's newest total on each board, and who waits for it. */
class Totals {
  readonly #newest = new Map<string, { total: number; at: number }>();
  #changed = Promise.withResolvers<void>();

  async follow(consumer: Consumer, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#changed.resolve());
    await consumer.connect();
    await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, message }) => this.#take(topic as Probed, message.value?.toString()),
    });
  }

  /** When the board's total came to at least this, epoch milliseconds. */
  async reached(topic: Probed, total: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const newest = this.#newest.get(topic);
      if (newest && newest.total >= total) return newest.at;
      await this.#changed.promise;
    }
  }

  #take(topic: Probed, value: string | undefined): void {
    const { rows } = JSON.parse(value ?? '{"rows":[]}') as { rows: { total_score: number }[] };
    const row = rows.find((row) => Object.values<unknown>(row).includes(PROBED[topic]));
    if (!row) return;
    this.#newest.set(topic, { total: row.total_score, at: Date.now() });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Makes an event of the probe, and says when. */
async function sendProbe(producer: Producer, topic: string, encode: Encode, score: number): Promise<number> {
  const made = Date.now();
  const event: GameEvent = {
    user_id: 'USR-PROBE',
    team_id: 'TEAM-PROBE',
    team_name: 'Probe',
    score,
    event_time_millis: made,
    readable_time: readableTime(made),
    event_type: 'normal',
  };
  await producer.send({ topic, acks: -1, messages: [{ key: event.user_id, value: encode(event) }] });
  return made;
}

/** How many messages each topic of the pipeline has had. */
async function endOffsets({ broker, eventsTopic, boardTopics }: Pipeline): Promise<Map<string, number>> {
  const counts = [eventsTopic, ...boardTopics].map(async (topic): Promise<[string, number]> => {
    const offsets = await broker.admin.fetchTopicOffsets(topic);
    return [topic, offsets.reduce((sum, { high }) => sum + Number(high), 0)];
  });
  return new Map(await Promise.all(counts));
}

function latencyTable(latencies: Record<Probed, number[]>): string {
  const rows = TOPICS.map((topic) => [
    topic.replace('live-', ''),
    ...[0.5, 0.99, 1].map((share) => `${percentile(latencies[topic], share)} ms`),
  ]);
  return markdownTable(['event to row of', 'p50', 'p99', 'most'], rows);
}

function ratesTable(before: Map<string, number>, after: Map<string, number>, seconds: number): string {
  const rows = [...after].map(([topic, end]) => [
    topic.replace('live-', ''),
    ((end - (before.get(topic) ?? 0)) / seconds).toFixed(1),
  ]);
  return markdownTable(['topic', 'messages/s'], rows);
}

function memoryTable(): string {
  const rows = Object.entries(PROCESSES).map(([name, text]) => [
    name,
    megabytes(childProcess(text).residentBytes()),
  ]);
  return markdownTable(['process', 'RSS'], rows);
}
