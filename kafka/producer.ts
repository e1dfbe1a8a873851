import {
  type ICustomPartitioner,
  Kafka,
  type LogEntry,
  logLevel,
  Partitioners,
  type RetryOptions,
} from 'kafkajs';
import type { Logger } from 'pino';
import type { Access } from './access.ts';
import { describeKafkaError } from './errors.ts';
import { PRODUCER } from './producer-config.ts';
import { Sockets } from './sockets.ts';

/** A record to be written. `partition` is filled in when the message is first sent. */
export interface ProducerRecord {
  readonly key: string;
  readonly value: string | Buffer;
  /** Epoch milliseconds in decimal. */
  readonly timestamp: string;
  partition?: number;
}

/** A session of an idempotent producer with Kafka. */
export interface ProducerSession {
  /**
   * Sends, trying again for as long as that can help. Returns the partitions that acknowledged; what it
   * throws, trying again cannot heal.
   */
  send(messages: ProducerRecord[]): Promise<ReadonlySet<number>>;
  close(): Promise<void>;
}

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly access: Access;
  readonly log: Logger;
  /** Called with every error that kafkajs meets; it tries again by itself. */
  onError(reason: string): void;
}

const CONNECTION_TIMEOUT_MILLIS = 3000;
/** How long a broker may wait for its replicas; then it says so, and the batch is tried again. */
const REPLICATION_TIMEOUT_MILLIS = 10_000;
/** A broker that has not answered by then is taken for gone. */
const REQUEST_TIMEOUT_MILLIS = 15_000;

/**
 * For as long as it takes, but never long between two attempts: a broker that is back is found within
 * seconds.
 */
const PERSISTENT: RetryOptions = {
  initialRetryTime: 100,
  maxRetryTime: 2000,
  retries: Number.MAX_SAFE_INTEGER,
};
/** For questions that are asked again by the caller. */
const ONCE: RetryOptions = { retries: 0 };

/**
 * A session counts the messages of each partition in 31 bits, and kafkajs does not wrap that count as brokers
 * expect. At 50,000 events/s that would fail after half a day, so a session is replaced long before.
 */
export const MAX_MESSAGES_PER_SESSION = 2 ** 30;

/**
 * Resolves when a broker answers and knows the topic; otherwise rejects with what is missing, as words after
 * "waiting for".
 */
export async function findTopic(options: KafkaOptions): Promise<void> {
  const admin = createClient(options, ONCE, new Sockets(options.access.socketFactory)).admin();
  try {
    await admin.connect().catch((error) => {
      throw new Error(`Kafka at ${options.brokers.join(',')}: ${error.message}`);
    });
    await admin.fetchTopicMetadata({ topics: [options.topic] }).catch((error) => {
      const missing = error.type === 'UNKNOWN_TOPIC_OR_PARTITION';
      throw new Error(
        missing
          ? `topic ${options.topic}: it does not exist`
          : describeKafkaError(error.message, options.topic),
      );
    });
  } finally {
    await admin.disconnect();
  }
}

/** Opens an idempotent session. */
export async function openSession(options: KafkaOptions): Promise<ProducerSession> {
  const sockets = new Sockets(options.access.socketFactory);
  const producer = createClient(options, PERSISTENT, sockets).producer({
    ...PRODUCER,
    createPartitioner: stickyPartitioner,
  });
  producer.on(producer.events.REQUEST_TIMEOUT, () => sockets.breakAll('the broker does not answer'));
  await producer.connect();
  return {
    // kafkajs resolves even when, between two of its attempts, a partition moved to a broker that had already
    // answered and so was never sent: only a partition it names has been acknowledged.
    async send(messages) {
      const acknowledged = await producer.send({
        topic: options.topic,
        messages,
        acks: -1,
        timeout: REPLICATION_TIMEOUT_MILLIS,
      });
      return new Set(acknowledged.map(({ partition }) => partition));
    },
    close: () => producer.disconnect(),
  };
}

const stickyPartitioner: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => {
    // Asked once per message. kafkajs asks at each attempt; when the topic has grown in between, a retried
    // batch would differ from the one the broker may already have, and the broker could not tell the
    // duplicate.
    args.message.partition ??= choose(args);
    return args.message.partition;
  };
};

function createClient(options: KafkaOptions, retry: RetryOptions, sockets: Sockets): Kafka {
  const { brokers, access, log, onError } = options;
  return new Kafka({
    ...access,
    clientId: 'injector',
    brokers: [...brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MILLIS,
    requestTimeout: REQUEST_TIMEOUT_MILLIS,
    retry,
    socketFactory: sockets.factory,
    logLevel: log.isLevelEnabled('trace') ? logLevel.DEBUG : logLevel.INFO,
    logCreator: () => (entry) => forward(entry, log, onError),
  });
}

function forward(
  { level, namespace, log: entry }: LogEntry,
  log: Logger,
  onError: KafkaOptions['onError'],
): void {
  const { message, timestamp: _, logger: __, stack: ___, ...details } = entry;
  if (level === logLevel.ERROR) onError(details.error ? `${message}: ${details.error}` : message);
  const line = { kafkajs: namespace, ...details };
  // Less loud: what kafkajs calls an error it retries, and our own report says when it matters.
  if (level === logLevel.WARN) log.warn(line, message);
  else if (level === logLevel.DEBUG) log.trace(line, message);
  else log.debug(line, message);
}
