import type { Counted, Stats } from '../stats/stats.ts';
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
    /** The newest, masked; undefined when none is known. */
    example: string | undefined;
  }[];
}

/**
 * @param counted up to when all events are: what is not counted is known only while that is
 * @param now epoch milliseconds
 */
export function createNotCounted(stats: TopicState<Stats>, counted: Counted, now: number): NotCountedPanel {
  const notCounted =
    counted.countedUntilMillis === undefined ? [] : stats.content.view(now, counted).notCounted;
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
