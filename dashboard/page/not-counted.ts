import { countedUntil, type LaggedState } from '../pipeline-state.ts';
import type { Stats } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
import { formatShare, formatValue } from './format.ts';

/** Why events are not counted, as the page shows it. */
export interface NotCountedPanel {
  /** The most frequent first; empty while all events count, or it is not known whether they do. */
  reasons: {
    label: string;
    /** What is wrong, in words. */
    text: string;
    /** Of the last minute. */
    share: string;
    /** In the last five minutes. */
    count: string;
    /** The newest, masked; null when none is known. */
    example: string | null;
  }[];
}

/**
 * @param pipeline how the pipeline is as a whole; what is not counted is known only while all events are read
 * @param now epoch milliseconds
 */
export function createNotCounted(
  stats: TopicState<Stats>,
  pipeline: LaggedState,
  now: number,
): NotCountedPanel {
  const untilMillis = countedUntil(pipeline, now);
  const notCounted = untilMillis === null ? [] : stats.content.view(now, untilMillis).notCounted;
  return {
    reasons: notCounted.map(({ id, text, count, minuteShare, example }) => ({
      label: id.replaceAll('_', ' '),
      text,
      share: formatShare(minuteShare),
      count: formatValue('integer', count),
      example,
    })),
  };
}
