import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { expect } from 'vitest';
import { millis } from '../../api/duration.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { type Board, boards } from '../../plan/boards.ts';
import { eventsTopic } from '../../plan/topics.ts';
import { type EventRecord, expectedRows, type Row } from './oracle.ts';
import { newestByKey, readTopic } from './topic.ts';

const SETTLE_MILLIS = 60_000;

/**
 * Compares every board of a resource, row by row, with an oracle that recomputes it from the events in the topic. Boards are
 * given time to come to it. `until`: the watermark, up to which a board of instants is complete.
 */
export async function expectBoardsToEqualOracle(
  kafka: Kafka,
  resource: GameAnalytics,
  until: number,
): Promise<void> {
  const events: EventRecord[] = (await readTopic(kafka, eventsTopic(resource))).map(
    ({ value, timestamp }) => ({
      value,
      producedAt: timestamp,
    }),
  );
  const maxLateness = millis(resource.spec.events.maxLateness);
  for (const board of boards(resource)) {
    const expected = sorted(expectedRows(board.source, events, maxLateness, until));
    expect(expected.length, `the oracle has rows for ${board.name}`).toBeGreaterThan(0);
    await expectRows(kafka, board, expected);
  }
}

async function expectRows(kafka: Kafka, board: Board, expected: Row[]): Promise<void> {
  const deadline = Date.now() + SETTLE_MILLIS;
  let actual = await rowsOf(kafka, board);
  while (JSON.stringify(actual) !== JSON.stringify(expected) && Date.now() < deadline) {
    await sleep(500);
    actual = await rowsOf(kafka, board);
  }
  expect(actual, board.name).toEqual(expected);
}

/** The rows of a board's topic: of upserts the newest of each key, of instants all that were ever drawn (before compaction). */
async function rowsOf(kafka: Kafka, board: Board): Promise<Row[]> {
  const records = await readTopic(kafka, board.topic);
  const values =
    board.period?.kind === 'instant'
      ? newestByKey(
          records.map((record) => ({ ...record, key: `${record.key} ${asOf(record.value)}` })),
        ).values()
      : newestByKey(records).values();
  return sorted([...values].map((value) => JSON.parse(value) as Row));
}

function asOf(value: string | null): unknown {
  return value === null ? null : JSON.parse(value).as_of;
}

/** By period and rank, with the fields of each row in the order of their names. */
function sorted(rows: Row[]): Row[] {
  return rows
    .map((row) => Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort((a, b) => period(a) - period(b) || Number(a.rnk) - Number(b.rnk));
}

function period(row: Row): number {
  return Number(row.season_start ?? row.as_of ?? 0);
}
