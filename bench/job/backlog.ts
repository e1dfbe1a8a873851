import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Broker } from '../../local/kafka/broker.ts';
import type { PartitionTask } from './backlog-worker.ts';
import type { Game } from './game.ts';

const PARTITIONS = 3;

/**
 * Creates a topic and writes a whole game into it, one thread per partition. When aborted, it leaves the rest
 * unwritten.
 *
 * @param schemaId of the events in a registry: they are written in Avro; undefined: in JSON
 */
export async function writeBacklog(
  { admin, bootstrapServers }: Broker,
  topic: string,
  game: Game,
  signal: AbortSignal,
  schemaId?: number,
): Promise<void> {
  // The events are as old as their dates: they must not be deleted for it.
  const configEntries = [{ name: 'retention.ms', value: '-1' }];
  await admin.createTopics({
    topics: [{ topic, numPartitions: PARTITIONS, configEntries }],
    waitForLeaders: true,
  });
  const tasks = Array.from({ length: PARTITIONS }, (_, partition) => ({
    bootstrapServers,
    topic,
    partition,
    partitions: PARTITIONS,
    game,
    schemaId,
  }));
  await Promise.all(tasks.map((task) => runWorker(task, signal)));
}

async function runWorker(workerData: PartitionTask, signal: AbortSignal): Promise<void> {
  const worker = new Worker(new URL('./backlog-worker.ts', import.meta.url), { workerData });
  try {
    await once(worker, 'exit', { signal });
  } finally {
    await worker.terminate();
  }
}
