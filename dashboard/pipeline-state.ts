/** What can be said of the pipeline at a moment: whether the boards show what happens now, and if not, why. */
export type PipelineState =
  /** The counts have not been read yet. */
  | { kind: 'waiting' }
  /** Kafka does not answer, or a topic cannot be read. */
  | { kind: 'unavailable'; sinceMillis: number }
  /** There are events in Kafka that the job has not counted, and it counts nothing. */
  | { kind: 'stalled'; sinceMillis: number }
  /** The job counts, but events of so long ago. */
  | { kind: 'behind'; behindMillis: number }
  /** All events are counted, and none has come for a while; null: none ever came. */
  | { kind: 'quiet'; sinceMillis: number | null }
  | { kind: 'live' };

/** What is known of the pipeline. All times are epoch milliseconds of our own clock but for `countedMillis`. */
export interface PipelineFacts {
  /** True once the counts were read to their end. */
  countsKnown: boolean;
  /** Since when Kafka has not answered; null while it does. */
  unavailableSince: number | null;
  /** Kafka's time of the newest event that was counted; null when none was. */
  countedMillis: number | null;
  /** When the job last wrote a count; null when it never did. */
  progressMillis: number | null;
  /** Since when there are events in Kafka, well after the newest counted one, that are not counted; null: there are none. */
  uncountedSince: number | null;
}

/** How long events may wait to be counted before it is said: a restart from a checkpoint takes about as long. */
const PATIENCE_MILLIS = 10_000;

/** Without an event for longer, the game is quiet. */
const QUIET_MILLIS = 30_000;

/** @param now epoch milliseconds */
export function pipelineState(facts: PipelineFacts, now: number): PipelineState {
  const { countsKnown, unavailableSince, countedMillis, progressMillis, uncountedSince } = facts;
  if (unavailableSince !== null) return { kind: 'unavailable', sinceMillis: unavailableSince };
  if (!countsKnown) return { kind: 'waiting' };
  if (uncountedSince !== null && now - uncountedSince >= PATIENCE_MILLIS) {
    const idleSince = Math.max(progressMillis ?? 0, uncountedSince);
    if (now - idleSince >= PATIENCE_MILLIS) return { kind: 'stalled', sinceMillis: idleSince };
    if (countedMillis !== null) return { kind: 'behind', behindMillis: Math.max(now - countedMillis, 0) };
  }
  if (countedMillis === null || now - countedMillis > QUIET_MILLIS)
    return { kind: 'quiet', sinceMillis: countedMillis };
  return { kind: 'live' };
}
