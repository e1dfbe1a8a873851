import type { BoardDefinition } from '../../contract/board.ts';
import { historyGroup, parseEnd } from '../../contract/history.ts';
import { fetchGroupProgress, isReadUntil } from '../../kafka/group-progress.ts';
import type { TopicSlices } from '../../kafka/topic-slices.ts';
import { sleep } from '../../lib/sleep.ts';
import type { BoardView } from '../boards/board.ts';
import type { LivePlayers } from '../boards/live-players.ts';
import { PastBoard } from '../boards/past-board.ts';

/** Timestamps of neighboring records may be this much out of order: several writers share a topic. */
const DISORDER_MILLIS = 1000;

/**
 * Mostly one record decides, and it is among the last. Each further chunk is larger, up to where a seek costs
 * nothing.
 */
const FIRST_CHUNK = 50n;
const LARGEST_CHUNK = 6400n;
const GROWTH = 4n;

/** How often it asks whether all up to a moment has been copied; mostly it takes a second. */
const ASK_AGAIN_MILLIS = 250;

/**
 * Finds a board as it was shown at `atMillis` (epoch milliseconds), reading its history from there backward
 * until nothing older can matter. It holds one fetch and a record of each season.
 *
 * @returns undefined when what was shown is no longer kept
 * @throws what kafkajs reports when the topic cannot be read, or the signal's reason
 */
export async function readPast(
  topic: TopicSlices,
  definition: BoardDefinition,
  atMillis: number,
  signal: AbortSignal,
  players?: LivePlayers,
): Promise<BoardView | undefined> {
  while (!(await isCopied(topic, definition, atMillis, signal))) {
    await sleep(ASK_AGAIN_MILLIS, signal);
    signal.throwIfAborted();
  }
  const past = new PastBoard(definition, atMillis, players);
  const { first, end } = await topic.extent(atMillis + DISORDER_MILLIS, signal);
  let position = end;
  for (let size = FIRST_CHUNK; position > first && !past.isComplete && !past.hasGap; size = grown(size)) {
    const start = position - size > first ? position - size : first;
    await topic.read({ first: start, end: position }, (records) => past.consume(records), signal);
    past.endChunk();
    position = start;
  }
  const view = past.view();
  const isKnown = view.updatedMillis !== undefined && (past.isComplete || (first === 0n && !past.hasGap));
  return isKnown ? view : undefined;
}

async function isCopied(
  slices: TopicSlices,
  { topic, historyTopic = '' }: BoardDefinition,
  atMillis: number,
  signal: AbortSignal,
): Promise<boolean> {
  const asked = { groups: [historyGroup(historyTopic)], topic, untilMillis: atMillis + 1 };
  const [progress = []] = await slices.ask((admin) => fetchGroupProgress(admin, asked), signal);
  if (!isReadUntil(progress)) return false;
  const { end } = await slices.extent(Number.POSITIVE_INFINITY, signal);
  return end >= parseEnd(progress[0]?.note);
}

function grown(size: bigint): bigint {
  return size * GROWTH < LARGEST_CHUNK ? size * GROWTH : LARGEST_CHUNK;
}
