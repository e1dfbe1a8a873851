import { workerData } from 'node:worker_threads';
import type { Message } from 'kafkajs';
import { avroEncoder } from '../../injector/avro.ts';
import type { GameEvent } from '../../injector/event.ts';
import { kafkaClient } from '../../testkit/pipeline/topic.ts';
import { eventOf, type Game, plays, teams } from './game.ts';

/** What one worker writes: the whole game is played, but only one partition's part of it is sent. */
export interface PartitionTask {
  bootstrapServers: string;
  topic: string;
  partition: number;
  partitions: number;
  game: Game;
  /** Of the events in a registry: they are written in Avro. Undefined: in JSON. */
  schemaId: number | undefined;
}

/** kafkajs copies a batch once per message while it sorts it by partition: larger ones are no faster. */
const BATCH = 1_000;

async function fill(task: PartitionTask): Promise<void> {
  const { bootstrapServers, topic, partition, partitions, game, schemaId } = task;
  const encode = schemaId === undefined ? (event: GameEvent) => JSON.stringify(event) : avroEncoder(schemaId);
  const producer = kafkaClient(bootstrapServers).producer({ maxInFlightRequests: 1 });
  await producer.connect();
  const teamOf = teams(game);
  let messages: Message[] = [];
  let sending: Promise<unknown> = Promise.resolve();
  const send = async () => {
    await sending;
    sending = producer.send({ topic, acks: -1, messages });
    messages = [];
  };
  for (const play of plays(game)) {
    if (play.player % partitions !== partition) continue;
    const event = eventOf(play, teamOf[play.player]!);
    messages.push({
      key: event.user_id,
      value: encode(event),
      timestamp: String(play.sent),
      partition,
    });
    if (messages.length === BATCH) await send();
  }
  await send();
  await sending;
  await producer.disconnect();
}

await fill(workerData as PartitionTask);
