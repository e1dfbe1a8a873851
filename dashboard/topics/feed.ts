import type { KafkaClient } from '../../kafka/client.ts';
import { describeKafkaError } from '../../kafka/errors.ts';
import { type KafkaRecord, readTopic, type TopicReader } from '../../kafka/topic-reader.ts';
import { sleep } from '../../lib/sleep.ts';
import type { TopicState } from '../topic-state.ts';

/** What is kept up to date from which topic, and how a reading of it begins. */
export interface Source<Content> {
  topic: string;
  live: TopicState<Content>;
  begin(): Reading<Content>;
}

/** A topic's content while it is being read from the start. */
export interface Reading<Content> {
  content: Content;
  /** All records of one fetch, in order. */
  take(records: KafkaRecord[]): void;
}

/** What keeping content up to date needs from the process around it. */
export interface FeedContext {
  kafka: KafkaClient;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told how many records of a topic are not read yet, each time some were. */
  lagged(topic: string, records: number): void;
}

/** Between two attempts: short enough to heal quickly, long enough not to hammer a broker that starts. */
const RETRY_MILLIS = 1000;

/**
 * Follows a topic until `signal` is aborted. Kafka being away, or the topic missing, is a state of what is
 * shown, never the end of the feed: it is tried again until it works.
 */
export async function feed<Content>(
  source: Source<Content>,
  context: FeedContext,
  signal: AbortSignal,
): Promise<void> {
  const { topic, live } = source;
  while (!signal.aborted) {
    try {
      await readTopic(context.kafka, topic, topicReader(source, context), signal);
    } catch (error) {
      const reason = describeKafkaError(error instanceof Error ? error.message : String(error), topic);
      // The same reason over and over is one event.
      if (reason !== live.status.reason) context.log.warn({ topic, reason }, 'topic cannot be read');
      live.markUnavailable(reason);
    }
    await sleep(RETRY_MILLIS, signal);
  }
}

function topicReader<Content>(
  { topic, live, begin }: Source<Content>,
  { log, lagged }: FeedContext,
): TopicReader {
  const { content, take } = begin();
  const caughtUp = () => {
    live.publish(content);
    log.info({ topic }, 'topic is live');
  };
  const silent = (isSilent: boolean) => {
    live.setSilent(isSilent);
    if (live.ready) log.info({ topic, isSilent }, isSilent ? 'Kafka does not answer' : 'Kafka answers again');
  };
  return { take, caughtUp, silent, lagged: (records) => lagged(topic, records) };
}
