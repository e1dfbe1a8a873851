import { setTimeout as delay } from 'node:timers/promises';
import { SLOT_MILLIS } from '../../contract/stats.ts';
import type { KafkaAdmin } from '../../kafka/admin.ts';
import type { KafkaClient } from '../../kafka/client.ts';
import { describeKafkaError, isFromBroker } from '../../kafka/errors.ts';
import { fetchGroupProgress, isReadUntil } from '../../kafka/group-progress.ts';
import { sleep } from '../../lib/sleep.ts';
import type { EventsWatch } from '../events-watch.ts';
import { MOST_AHEAD_MILLIS } from '../stats/stats.ts';

/*
 * Finding out whether there are events that the job has not counted, until when it is sure to have counted
 * all, whether the topic is still the same one, and whether Kafka answers at all, by asking for offsets: the
 * events themselves are not read.
 */

export interface UncountedEventsOptions {
  kafka: KafkaClient;
  /** The topic of the events. */
  topic: string;
  /** The consumer groups in which the job reads what it counts, and commits at each checkpoint. */
  groups: readonly string[];
  watch: EventsWatch;
  /** Kafka's time of the newest event that was counted, in epoch milliseconds; undefined when none was. */
  countedMillis: () => number | undefined;
  /** Epoch milliseconds. */
  now: () => number;
  log: { warn(fields: object, message: string): void };
}

const INTERVAL_MILLIS = 2000;

/** What is not answered by then is not answered. */
const ANSWER_MILLIS = 4000;

const RETRY_MILLIS = 500;

/**
 * Events that are so much newer than the newest counted one should have been counted: a slot, and one for its
 * counts to come.
 */
const MARGIN_MILLIS = 2 * SLOT_MILLIS;

/** How far back events are looked for when none was ever counted: counts are kept for longer. */
const LOOK_BACK_MILLIS = 12 * 3_600_000;

/** Asks every two seconds, until the signal is aborted. */
export async function watchUncountedEvents(
  options: UncountedEventsOptions,
  signal: AbortSignal,
): Promise<void> {
  const { watch, now, topic, log } = options;
  const connection = new AdminConnection(options.kafka);
  const warned = new Map<string, string>();
  const warn = (message: string, error: unknown) => {
    const reason = describeKafkaError(error instanceof Error ? error.message : String(error), topic);
    if (reason !== warned.get(message)) log.warn({ topic, reason }, message);
    warned.set(message, reason);
  };
  let untilMillis = now();
  let readMillis: number | undefined;
  while (!signal.aborted) {
    const askedMillis = now();
    // The counts that the job wrote before it committed are here two seconds later.
    if (readMillis !== undefined) watch.sawRead(readMillis);
    try {
      watch.answered(await hasUncounted(options, connection), now());
      warned.delete(EVENTS_SILENT);
    } catch (error) {
      // An answer too: the topic is missing, or its access lists do not allow the question.
      if (isFromBroker(error)) watch.answered(false, now());
      else watch.unanswered();
      warn(EVENTS_SILENT, error);
    }
    try {
      if (await isRead(options, connection, untilMillis)) {
        readMillis = untilMillis;
        untilMillis = askedMillis;
      }
      warned.delete(JOB_SILENT);
    } catch (error) {
      warn(JOB_SILENT, error);
    }
    await sleep(INTERVAL_MILLIS, signal);
  }
  await connection.close();
}

const EVENTS_SILENT = 'events cannot be asked for';
const JOB_SILENT =
  'how far the job has read cannot be asked for: what is malformed, and rates after a lag, stay unknown';

/** Whether the job had read all that reached Kafka before that when it last completed a checkpoint. */
async function isRead(
  { topic, groups }: UncountedEventsOptions,
  connection: AdminConnection,
  untilMillis: number,
): Promise<boolean> {
  const answer = connection.open().then((admin) => fetchGroupProgress(admin, { groups, topic, untilMillis }));
  return (await inTime(answer, ANSWER_MILLIS)).every(isReadUntil);
}

/** Asks again where a connection breaks, but not for long. */
async function hasUncounted(options: UncountedEventsOptions, connection: AdminConnection): Promise<boolean> {
  const deadline = Date.now() + ANSWER_MILLIS;
  for (;;) {
    try {
      const answer = connection.open().then((admin) => ask(options, admin));
      return await inTime(answer, deadline - Date.now());
    } catch (error) {
      void connection.close();
      if (isFromBroker(error) || Date.now() + RETRY_MILLIS >= deadline) throw error;
      await delay(RETRY_MILLIS);
    }
  }
}

/**
 * The ends are asked for first, so that what comes between the two questions is no uncounted event. They are
 * those of events that are no further ahead than counts are believed. The last record of a partition may be
 * the mark at a transaction's end, which is no event at all: one alone is none.
 */
async function ask(
  { topic, watch, countedMillis, now }: UncountedEventsOptions,
  admin: KafkaAdmin,
): Promise<boolean> {
  const ends = await admin.fetchTopicOffsetsByTimestamp(topic, now() + MOST_AHEAD_MILLIS);
  const fromMillis = (countedMillis() ?? now() - LOOK_BACK_MILLIS) + MARGIN_MILLIS;
  const starts = await admin.fetchTopicOffsetsByTimestamp(topic, fromMillis);
  const endOf = new Map(ends.map(({ partition, offset }) => [partition, BigInt(offset)]));
  watch.sawEnds(endOf);
  return starts.some(({ partition, offset }) => (endOf.get(partition) ?? 0n) - BigInt(offset) > 1n);
}

/** A connection that is made when it is needed. */
class AdminConnection {
  readonly #kafka: KafkaClient;
  #admin: KafkaAdmin | undefined;

  constructor(kafka: KafkaClient) {
    this.#kafka = kafka;
  }

  async open(): Promise<KafkaAdmin> {
    const admin = this.#admin ?? this.#kafka.admin();
    this.#admin = admin;
    await admin.connect();
    return admin;
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect().catch(() => {});
  }
}

async function inTime<T>(work: Promise<T>, millis: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('Kafka does not answer')), millis);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
