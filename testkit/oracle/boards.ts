import type { Kafka } from 'kafkajs';
import { expect, vi } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { boards, type PlannedBoard } from '../../plan/boards.ts';
import { eventsTopic } from '../../plan/topics.ts';
import { endOffsets, followTopic, newestByKey, readTopic, type TopicRecord } from '../pipeline/topic.ts';
import {
  type CountedEvent,
  countedEvents,
  type EventRecord,
  expectedRows,
  type PointsOf,
  parseCounting,
  type Row,
  type ValueOf,
} from './oracle.ts';

const SETTLE_MILLIS = 180_000;

/** What the oracle cannot know of a resource with SQL of its own, of boards by their names. */
interface OwnSql {
  /** Which events fulfil a board's condition. */
  where?: Record<string, (event: CountedEvent) => boolean>;
  /** What a board's `of` makes of an event. */
  of?: Record<string, PointsOf>;
  /** Which value an event has of the column of a board by value. */
  by?: Record<string, ValueOf>;
  /** The rows of a Query board. */
  query?: Record<string, (events: CountedEvent[]) => Row[]>;
  /** The records of a topic of another form, as our records that count as often. */
  decode?: (records: EventRecord[]) => EventRecord[];
  /** How the bytes of records are the text that is decoded. */
  encoding?: 'utf8' | 'latin1';
}

/**
 * Compares every board of a resource, row by row, with an oracle that recomputes it from the events in the
 * topic. Boards are given time to come to it. `until`: the watermark, up to which a board of instants is
 * complete.
 */
export async function expectBoardsToEqualOracle(
  kafka: Kafka,
  resource: GameAnalytics,
  until: number,
  { where = {}, of = {}, by = {}, query = {}, decode = (records) => records, encoding }: OwnSql = {},
): Promise<void> {
  const events = decode(await readEvents(kafka, resource, encoding));
  const counting = parseCounting(resource);
  for (const board of boards(resource)) {
    const fulfils = where[board.name];
    const counted = fulfils
      ? events.filter((event) => countedEvents([event], counting).some(fulfils))
      : events;
    const rows =
      query[board.name]?.(countedEvents(counted, counting)) ??
      expectedRows(board.source, counted, counting, until, {
        pointsOf: of[board.name],
        pickValue: by[board.name],
      });
    const expected = sorted(rows);
    expect(expected.length, `the oracle has rows for ${board.name}`).toBeGreaterThan(0);
    await expectRows(kafka, board, expected);
  }
}

/** The records of a resource's events topic, as they are there. */
export async function readEvents(
  kafka: Kafka,
  resource: GameAnalytics,
  encoding?: 'utf8' | 'latin1',
): Promise<EventRecord[]> {
  const records = await readTopic(kafka, eventsTopic(resource), encoding);
  return records.map(eventRecord);
}

/** The records of an events topic, each partition's in their order. */
export async function readPartitions(kafka: Kafka, topic: string): Promise<EventRecord[][]> {
  const records = await readTopic(kafka, topic);
  const partitions = Map.groupBy(records, ({ partition }) => partition);
  return [...partitions.values()].map((own) => own.map(eventRecord));
}

function eventRecord({ value, timestamp }: TopicRecord): EventRecord {
  return { value, producedAt: timestamp };
}

/** Waits until a board's topic has these rows, and no others. */
async function expectRows(kafka: Kafka, board: PlannedBoard, expected: Row[]): Promise<void> {
  const records: TopicRecord[] = [];
  await using followed = await followTopic(kafka, board.topic, 'utf8', (record) => records.push(record));
  await followed.reaches(await endOffsets(kafka, board.topic));
  await vi.waitFor(() => expect(rowsOf(board, records), board.name).toEqual(expected), {
    timeout: SETTLE_MILLIS,
    interval: 250,
  });
}

/**
 * The rows of a board's topic: of seasons the newest record of each, of instants all records (before
 * compaction).
 */
function rowsOf(board: PlannedBoard, records: TopicRecord[]): Row[] {
  const values =
    board.period?.kind === 'instant'
      ? newestByKey(records.map((record) => ({ ...record, key: String(asOf(record.value)) }))).values()
      : newestByKey(records).values();
  return sorted([...values].flatMap((value) => boardRows(board, value)));
}

/**
 * The rows of a record that are shown, each with its season or instant; none when it is of another definition
 * of the board.
 */
export function boardRows(board: PlannedBoard, value: string): Row[] {
  const { season_start, value: ofValue, as_of, digest, rows } = JSON.parse(value) as BoardValue;
  if (digest !== board.digest) return [];
  const periods = { season: { season_start }, instant: { as_of } };
  const period = {
    ...(board.period && periods[board.period.kind]),
    ...(ofValue !== undefined && { value: ofValue }),
  };
  // A topic has more ranks than are shown.
  return rows.filter(({ rnk }) => Number(rnk) <= board.size).map((row) => ({ ...period, ...row }) as Row);
}

interface BoardValue {
  season_start: number;
  value?: string;
  as_of?: number;
  digest: string;
  rows: Row[];
}

function asOf(value: string | null): unknown {
  return value === null ? null : JSON.parse(value).as_of;
}

/** A row with its fields in the order of their names. */
export function inFieldOrder(row: Row): Row {
  return Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** By period, value and rank, with the fields of each row in the order of their names. */
function sorted(rows: Row[]): Row[] {
  return rows
    .map(inFieldOrder)
    .sort((a, b) => period(a) - period(b) || compareValues(a, b) || rank(a) - rank(b));
}

function period(row: Row): number {
  return Number(row.season_start ?? row.as_of ?? 0);
}

function compareValues({ value: a = '' }: Row, { value: b = '' }: Row): number {
  return a === b ? 0 : String(a) < String(b) ? -1 : 1;
}

function rank({ rnk }: Row): number {
  return Number(rnk);
}
