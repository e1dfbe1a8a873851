import { Kafka, type LogEntry } from 'kafkajs';
import type { Access } from './access.ts';
import { installCodecs } from './codecs.ts';

/** A cluster, as a program connects to it; what is done with it is in this folder. */
export type KafkaClient = Kafka;

/** Takes what kafkajs has to say. */
export interface DebugLog {
  debug(fields: object, message: string): void;
}

/** Few, so that a lost broker is noticed within seconds; the feed retries forever. */
const RETRY = { retries: 2, initialRetryTime: 200 };

/**
 * A Kafka client for following topics. kafkajs calls every failed attempt an error; here failures are
 * expected and reported once by who reads, so its own words are for debugging.
 *
 * @param program whose client it is
 */
export function kafkaClient(program: string, brokers: string[], access: Access, log: DebugLog): KafkaClient {
  installCodecs();
  return new Kafka({
    ...access,
    clientId: `gameanalytics-${program}`,
    brokers,
    connectionTimeout: 3000,
    requestTimeout: 10_000,
    retry: RETRY,
    logCreator: () => (entry: LogEntry) => {
      const { message, timestamp: _, ...fields } = entry.log;
      log.debug({ ...fields, kafkajs: entry.label }, message);
    },
  });
}
