import { SLOT_MILLIS } from '../contract/stats.ts';

/*
 * The state of the pipeline at a moment: whether the boards show what happens now, and if not, why. Pure: the
 * time is passed in. All times are epoch milliseconds.
 */

export type PipelineState =
  /** The counts have not been read yet. */
  | { kind: 'waiting' }
  /** Kafka does not answer. */
  | { kind: 'unavailable' }
  /** The events topic is not the one whose events were counted before. */
  | { kind: 'replaced' }
  /** Kafka has events that the job has not counted, and it counts nothing; undefined: it never did. */
  | { kind: 'stalled'; progressMillis: number | undefined }
  /** The job counts events of that time, which is long ago. */
  | { kind: 'behind'; countingMillis: number }
  /** All events are counted, and none has come for a while; undefined: none ever came. */
  | { kind: 'quiet'; countedMillis: number | undefined }
  /** Events are counted as they come, so far up to `untilMillis`. */
  | { kind: 'live'; untilMillis: number };

export const PIPELINE_KINDS = [
  'waiting',
  'unavailable',
  'replaced',
  'stalled',
  'behind',
  'quiet',
  'live',
] as const;

export type PipelineKind = (typeof PIPELINE_KINDS)[number];

/** Whether all events are counted, as far as there are any: then the boards show what the game does. */
export function isCounted(kind: PipelineKind): boolean {
  return kind === 'live' || kind === 'quiet';
}

/** What is known of the pipeline. */
export interface PipelineFacts {
  /** False while Kafka does not answer, or the counts cannot be read any more. */
  available: boolean;
  /** True once the counts were read to their end. */
  countsKnown: boolean;
  /** True once the events topic was seen to be another one. */
  isReplaced: boolean;
  /** Kafka's time of the newest event counted, or message found malformed; undefined when there is none. */
  handledMillis: number | undefined;
  /** The same of the events that are being counted just now; undefined when none are. */
  countingMillis: number | undefined;
  /** When the job last wrote a count; undefined when it never did. */
  progressMillis: number | undefined;
  /**
   * Since when events are known to be in Kafka that are well newer than the newest counted one, if there are
   * any.
   */
  uncountedSince: number | undefined;
  /** The job has read and counted all that reached Kafka before that; undefined when that is not known. */
  readUntilMillis: number | undefined;
}

/** How long events may wait to be counted before the page says so. */
const PATIENCE_MILLIS = 10_000;

/** A job that counts events of so long ago is behind. */
const BEHIND_MILLIS = 15_000;

/**
 * Within this time of the newest counted event it is not known whether there are newer ones: see
 * topics/uncounted-events.ts.
 */
const UNKNOWN_MILLIS = 12_000;

/** Without an event for longer, the game is quiet. */
const QUIET_MILLIS = 30_000;

export function pipelineState(facts: PipelineFacts, now: number): PipelineState {
  const { handledMillis, countingMillis, progressMillis, uncountedSince } = facts;
  if (!facts.available) return { kind: 'unavailable' };
  if (!facts.countsKnown) return { kind: 'waiting' };
  if (facts.isReplaced) return { kind: 'replaced' };
  if (uncountedSince !== undefined && now - uncountedSince >= PATIENCE_MILLIS) {
    const isIdle = now - (progressMillis ?? 0) >= PATIENCE_MILLIS;
    if (isIdle) return { kind: 'stalled', progressMillis };
    const atMillis = countingMillis ?? handledMillis ?? now;
    if (now - atMillis >= BEHIND_MILLIS) return { kind: 'behind', countingMillis: atMillis };
  }
  // Who makes the events may have a clock that is slow: while they are counted, the game is not quiet.
  const lastMillis = Math.max(handledMillis ?? 0, progressMillis ?? 0);
  if (now - lastMillis > QUIET_MILLIS) return { kind: 'quiet', countedMillis: handledMillis };
  const isCaughtUp = uncountedSince === undefined && now - (handledMillis ?? 0) >= UNKNOWN_MILLIS;
  // The newest slot with a counted event is still being counted.
  const untilMillis =
    isCaughtUp || handledMillis === undefined ? now : Math.min(handledMillis - SLOT_MILLIS, now);
  return { kind: 'live', untilMillis };
}

/**
 * Up to when all events are counted; undefined when that is not known. Partitions catch up one after the
 * other, so that the newest count says nothing of those that are behind: the job's commits do.
 */
export function countedUntil(state: LaggedState, now: number): number | undefined {
  const { laggedMillis, readUntilMillis } = state;
  if (laggedMillis !== undefined && (readUntilMillis ?? 0) <= laggedMillis) return undefined;
  if (state.kind === 'live') return state.untilMillis;
  return state.kind === 'quiet' ? now : undefined;
}

/** A state, when the job was last seen not to keep up, and until when it is known to have read all. */
export type LaggedState = PipelineState & {
  laggedMillis?: number | undefined;
  readUntilMillis?: number | undefined;
};

export type ObservedState = LaggedState & {
  /** Since when the pipeline has been seen in a state of this kind. */
  sinceMillis: number;
  /** Up to when all events are counted; undefined when that is not known. */
  countedUntilMillis: number | undefined;
};

/** Follows the state of a pipeline, to tell since when it is as it is. */
export class PipelineMonitor {
  readonly #facts: (now: number) => PipelineFacts;
  #kind: PipelineKind | undefined;
  #sinceMillis = 0;
  #laggedMillis: number | undefined;

  /** @param facts asked for with each observation */
  constructor(facts: (now: number) => PipelineFacts) {
    this.#facts = facts;
  }

  /** The state at `now`; to be called a few times a minute at least. */
  observe(now: number): ObservedState {
    const facts = this.#facts(now);
    const state = pipelineState(facts, now);
    if (state.kind !== this.#kind) this.#sinceMillis = now;
    this.#kind = state.kind;
    // Also before it has lasted so long that the page says so.
    const lags = facts.uncountedSince !== undefined || !isCounted(state.kind);
    if (lags && state.kind !== 'waiting') this.#laggedMillis = now;
    const { readUntilMillis } = facts;
    const lagged = { ...state, laggedMillis: this.#laggedMillis, readUntilMillis };
    return { ...lagged, sinceMillis: this.#sinceMillis, countedUntilMillis: countedUntil(lagged, now) };
  }
}
