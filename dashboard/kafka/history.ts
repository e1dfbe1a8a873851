import type { BoardView } from '../boards/board.ts';
import type { BoardDefinition } from '../boards/definition.ts';
import { PastBoard } from '../boards/past-board.ts';
import type { HistoryTopic } from './history-topic.ts';

/** A board as it was shown. */
export interface PastView extends BoardView {
  /** False when changes that may belong to it are no longer kept: ranks may be missing. */
  complete: boolean;
}

/** Timestamps of neighbouring records may be this much out of order: several writers share a topic. */
const DISORDER_MILLIS = 1000;

/** Mostly enough: every rank changes now and then. Each further stretch is larger, up to where a seek costs nothing. */
const FIRST_STRETCH = 1000n;
const LARGEST_STRETCH = 64_000n;
const GROWTH = 4n;

/**
 * Finds a board as it was shown at `atMillis` (epoch milliseconds), reading its history from there backwards until
 * nothing older can matter. What is held meanwhile is one fetch and a row for each rank.
 *
 * @returns null when nothing is kept of that time
 * @throws what kafkajs reports when the topic cannot be read, or the signal's reason
 */
export async function readPast(
  topic: HistoryTopic,
  definition: BoardDefinition,
  atMillis: number,
  signal: AbortSignal,
): Promise<PastView | null> {
  const past = new PastBoard(definition, atMillis);
  const { first, end } = await topic.extent(atMillis + DISORDER_MILLIS, signal);
  let position = end;
  for (let stretch = FIRST_STRETCH; position > first && !past.settled; stretch = grown(stretch)) {
    const start = position - stretch > first ? position - stretch : first;
    await topic.read({ first: start, end: position }, (records) => past.take(records), signal);
    past.endStretch();
    position = start;
  }
  const view = past.view();
  return view.updatedMillis === null ? null : { ...view, complete: past.settled || first === 0n };
}

function grown(stretch: bigint): bigint {
  return stretch * GROWTH < LARGEST_STRETCH ? stretch * GROWTH : LARGEST_STRETCH;
}
