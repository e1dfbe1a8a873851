import { SLOT_MILLIS } from '../../contract/stats.ts';
import type { ObservedState, PipelineKind } from '../pipeline-state.ts';
import { type Timestamp, timestamp } from './format.ts';

/** What the page says of the pipeline as a whole. */
export interface Status {
  kind: PipelineKind;
  /** In a word or two. */
  label: string;
  /** What is wrong, said once for all boards; undefined when nothing is. */
  banner: Banner | undefined;
}

export interface Banner {
  text: string;
  /** A time that belongs to it, and of what; the browser tells its age. */
  at: { label: string; time: Timestamp } | undefined;
  /** What to do; empty when nothing is known. */
  advice: string;
}

const LABELS: Record<PipelineKind, string> = {
  waiting: 'waiting',
  unavailable: 'Kafka unavailable',
  replaced: 'topic replaced',
  stalled: 'not counting',
  behind: 'catching up',
  quiet: 'quiet',
  live: 'live',
};

/** What to do in a state; empty when unknown. */
export type Advice = Record<'stalled' | 'replaced', string>;

export function createStatus(state: ObservedState, advice: Advice): Status {
  return { kind: state.kind, label: LABELS[state.kind], banner: createBanner(state, advice) };
}

function createBanner(state: ObservedState, advice: Advice): Banner | undefined {
  switch (state.kind) {
    case 'unavailable':
      return banner(
        'Kafka does not answer. The boards show what was last known.',
        'noticed',
        state.sinceMillis,
      );
    case 'replaced':
      return {
        ...banner(
          'The events topic was deleted and created again. The boards still have events of the old topic, and may lack some of the new one.',
          'noticed',
          state.sinceMillis,
        ),
        advice: advice.replaced,
      };
    case 'stalled':
      return {
        ...banner(
          state.progressMillis === undefined
            ? 'Events arrive in Kafka, but the Flink job has not counted any yet.'
            : 'Events arrive in Kafka, but the Flink job does not count them.',
          'last count',
          state.progressMillis,
        ),
        advice: advice.stalled,
      };
    case 'behind':
      return banner(
        'The Flink job is catching up: the boards lack the newest events.',
        'counting events from',
        state.countingMillis,
      );
    case 'quiet':
      return banner(
        state.countedMillis === undefined ? 'No event has been counted yet.' : 'No events are coming.',
        'last event',
        // Known by the slot that it is in.
        state.countedMillis && state.countedMillis - SLOT_MILLIS,
      );
    default:
      return undefined;
  }
}

function banner(text: string, label: string, millis: number | undefined): Banner {
  const at = millis === undefined ? undefined : { label, time: timestamp(millis, 'minute') };
  return { text, at, advice: '' };
}
