import type { Kafka } from 'kafkajs';
import { simulate } from '../../injector/simulation.ts';

/** A record to put into the events topic. */
export interface Message {
  key: string | null;
  value: string;
  /** Record timestamp, epoch milliseconds. */
  timestamp: number;
  partition?: number;
}

/** A record whose content need not be text. */
export type AnyMessage = Omit<Message, 'value'> & { value: string | Buffer | null };

const GAME = {
  eventsPerSecond: 5,
  liveTeams: 6,
  membersMin: 3,
  membersMax: 5,
  maxScore: 20,
  robotProbability: 0.3,
  lateShare: 0.05,
  lateMinMillis: 300_000,
  lateMaxMillis: 600_000,
};

/** A stretch of the simulated game, always the same for the same seed and start. */
export function gameMessages(seed: number, startMillis: number, count: number): Message[] {
  return simulate({ ...GAME, seed }, startMillis)
    .take(count)
    .map(({ at, event }) => ({ key: event.user_id, value: JSON.stringify(event), timestamp: Math.floor(at) }))
    .toArray();
}

/** A counted event made by hand. */
export function event(fields: {
  user: string;
  team: string;
  score: number;
  time: number;
  name?: string;
}): Message {
  const { user, team, score, time, name = team } = fields;
  const value = {
    user_id: user,
    team_id: team,
    team_name: name,
    score,
    event_time_millis: time,
    event_type: 'normal',
  };
  return { key: user, value: JSON.stringify(value), timestamp: time };
}

/**
 * Time that passes in every partition without anything that counts: it moves the watermark, and closes what
 * is before it.
 */
export function timePasses(millis: number, partitions: number): Message[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    key: null,
    value: JSON.stringify({ event_time_millis: millis }),
    timestamp: millis,
    partition,
  }));
}

/** Few enough that a batch with huge messages stays under what a broker takes. */
const BATCH = 100;

export async function produce(kafka: Kafka, topic: string, messages: AnyMessage[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let i = 0; i < messages.length; i += BATCH)
    await producer.send({
      topic,
      acks: -1,
      messages: messages
        .slice(i, i + BATCH)
        .map((message) => ({ ...message, timestamp: String(message.timestamp) })),
    });
  await producer.disconnect();
}
