import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { Board, type Outcome } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { RawRecord } from '../boards/record.ts';
import { readTopic, type TopicReader } from './read-topic.ts';

/** What keeping boards fed needs from the process around it. */
export interface FeedContext {
  kafka: Kafka;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told of every record read. */
  count(board: string, outcome: Outcome): void;
  /** Epoch milliseconds. */
  now(): number;
}

/** Between two attempts: short enough to heal quickly, long enough not to hammer a broker that starts. */
const RETRY_MILLIS = 1000;

/**
 * Keeps a board fed from its topic until `signal` is aborted. Kafka being away, or the topic missing, is a state of
 * the board, never the end of the feed: it is tried again until it works.
 */
export async function feed(live: LiveBoard, context: FeedContext, signal: AbortSignal): Promise<void> {
  const { topic } = live.definition;
  while (!signal.aborted) {
    try {
      await readTopic(context.kafka, topic, boardReader(live, context), signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // The same reason over and over is one event.
      if (reason !== live.status.reason) context.log.warn({ topic, reason }, 'board topic cannot be read');
      live.interrupt(reason);
    }
    await sleep(RETRY_MILLIS, undefined, { signal }).catch(() => {});
  }
}

/** Fills a fresh board, and publishes it once it is complete. */
function boardReader(live: LiveBoard, { count, log, now }: FeedContext): TopicReader {
  const board = new Board(live.definition);
  const take = (records: RawRecord[]) => {
    for (const record of records) count(live.definition.name, board.apply(record, now()));
  };
  const caughtUp = () => {
    live.publish(board);
    log.info({ topic: live.definition.topic, rows: board.view(now()).rows.length }, 'board is live');
  };
  return { take, caughtUp };
}
