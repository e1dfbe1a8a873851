import { millis } from '../../api/duration.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { MALFORMED, REASONS } from '../../contract/stats.ts';
import { type PartitionSlice, peekScript } from '../../plan/peek.ts';
import { eventsTopic } from '../../plan/topics.ts';
import type { ResultRow, SqlGateway } from '../sql-check/gateway.ts';
import { askKafka } from './kafka.ts';
import { openSession, type PipelinePlace } from './session.ts';

/** A message of the events topic, or one of the events that it holds, as the job reads it. */
export interface PeekedEvent {
  partition: string;
  offset: string;
  /** When Kafka took it, or its producer made it, in UTC. */
  producedAt: string;
  /** The beginning of the message; null: it has no value. */
  message: string | null;
  /** Undefined: the job reads no event of it. */
  event?: {
    /** The columns of the record, as Flink writes a row, and the ids: their beginnings. */
    record: string | null;
    user: string | null;
    team: string | null;
    score: string | null;
    /** In epoch milliseconds. */
    timeMillis: string | null;
  };
  /** Why it does not count: the id of a reason of the statistics. Undefined: it counts. */
  reason?: string;
}

/**
 * Has Flink read the newest messages of a resource's events topic, as its job does.
 *
 * @param records how many messages, of all partitions
 * @returns the oldest first
 * @throws UserError when there is no such topic, or Flink does not take the SQL of the resource
 */
export async function peek(
  gateway: SqlGateway,
  resource: GameAnalytics,
  place: PipelinePlace,
  records: number,
  signal: AbortSignal,
): Promise<PeekedEvent[]> {
  const slices = await findNewest(place.bootstrapServers, eventsTopic(resource), records);
  if (slices.every(({ start, end }) => start === end)) return [];
  const script = peekScript(resource, place.bootstrapServers, slices, records);
  const session = await openSession(gateway, resource, script, place.stateDir);
  const run = async (statement: string) => (await session.run(statement, signal))?.rows ?? [];
  const { deduplicate } = resource.spec.events;
  if (deduplicate !== undefined) {
    // What an event may be a copy of is older.
    const [[oldest] = []] = await run(OLDEST);
    const since = Number(oldest) - millis(deduplicate);
    await run(
      `ALTER TABLE raw_events SET ('scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '${since}')`,
    );
  }
  return toEvents(await run(SELECT_PEEKED));
}

const SELECT_PEEKED = 'SELECT * FROM peeked';
const OLDEST =
  'SELECT MIN(1000 * EXTRACT(EPOCH FROM produced_at) + EXTRACT(MILLISECOND FROM produced_at)) FROM newest_messages';

/** The newest offsets of each partition, as many as may be shown of one. */
async function findNewest(
  bootstrapServers: string,
  topic: string,
  records: number,
): Promise<PartitionSlice[]> {
  const offsets = await askKafka(bootstrapServers, `The topic ${topic} cannot be read`, (admin) =>
    admin.fetchTopicOffsets(topic),
  );
  return offsets.map(({ partition, low, high }) => ({
    partition,
    start: Math.max(Number(low), Number(high) - records),
    end: Number(high),
  }));
}

/**
 * One entry for each event. A message of which the job counts more events than it has decoded has one more,
 * which is malformed.
 */
export function toEvents(rows: ResultRow[]): PeekedEvent[] {
  const messages = Map.groupBy(rows, ([partition, offset]) => `${partition}:${offset}`);
  return [...messages.values()].flatMap((ofMessage) => {
    const events = ofMessage.filter(([, , , , , eventOffset]) => eventOffset !== null);
    const [partition = '', offset = '', producedAt = '', message = null, expected] = ofMessage[0] ?? [];
    const place = { partition: String(partition), offset: String(offset), producedAt: String(producedAt) };
    const decoded = events.map(([, , , , , , record, user, team, score, timeMillis, reason]): PeekedEvent => {
      const event = { record, user, team, score, timeMillis } as NonNullable<PeekedEvent['event']>;
      return { ...place, message, event, ...(reason && { reason }) };
    });
    const isMalformed = Number(expected) > events.length;
    return isMalformed ? [...decoded, { ...place, message, reason: MALFORMED }] : decoded;
  });
}

/** A reason in words. */
export function reasonText(reason: string): string {
  return REASONS.find(({ id }) => id === reason)?.text ?? reason;
}
