import { z } from 'zod';
import { boardDefinition, SEASON_START, topicName } from './board.ts';

/*
 * The history of a board: the records of its topic, each with its key and its time, in a topic from which
 * none is compacted away. One program copies them, without players that are erased.
 */

/** A board whose changes are kept. */
export const keptBoard = z.strictObject({
  topic: topicName,
  historyTopic: topicName,
  /** The field of a row that names a player; not set: nobody can be erased. */
  player: boardDefinition.shape.player,
});

export const keptBoards = z.array(keptBoard).min(1);

export type KeptBoard = z.infer<typeof keptBoard>;

/** The consumer group whose commits say how far the topics of a board and of players have been copied. */
export function historyGroup(historyTopic: string): string {
  return historyTopic;
}

/**
 * What the commit of a board's topic says besides: the offset after the last record of the history then.
 * Kafka may show the commit before the records, which are not on the same broker.
 *
 * @param end offset
 */
export function printEnd(end: bigint): string {
  return String(end);
}

/** @returns what printEnd() was given; 0 for a commit that does not say */
export function parseEnd(note: string | undefined): bigint {
  return note ? BigInt(note) : 0n;
}

/**
 * A record of a history in which changes are missing: what the board was between the record before and the
 * one after is not known.
 */
export const GAP = {
  key: JSON.stringify({ [SEASON_START]: 0 }),
  value: JSON.stringify({ gap: true }),
};

/** Whether a record's value is that of a gap. */
export function isGap(value: Buffer | null): boolean {
  return value !== null && value.length === GAP.value.length && value.toString() === GAP.value;
}
