import { Board, type Outcome } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { RawRecord } from '../boards/record.ts';
import type { Live } from '../live.ts';
import { Stats } from '../stats/stats.ts';
import type { Source } from './feed.ts';

/**
 * A board, from its compacted topic.
 *
 * @param count told of every record read
 * @param now epoch milliseconds
 */
export function boardSource(
  live: LiveBoard,
  count: (board: string, outcome: Outcome) => void,
  now: () => number,
): Source<Board> {
  const { definition } = live;
  const begin = () => {
    const content = new Board(definition);
    const take = (records: RawRecord[]) => {
      for (const record of records) count(definition.name, content.apply(record, now()));
    };
    return { content, take };
  };
  return { topic: definition.topic, live, begin };
}

/**
 * The pipeline's counts, from their topic.
 *
 * @param seen told how old the newest event was, in milliseconds, each time there is a newer one
 * @param now epoch milliseconds
 */
export function statsSource(
  live: Live<Stats>,
  topic: string,
  seen: (ageMillis: number) => void,
  now: () => number,
): Source<Stats> {
  const begin = () => {
    const content = new Stats();
    let newestMillis: number | null = null;
    const take = (records: RawRecord[]) => {
      for (const record of records) content.apply(record, now());
      const { newestEventMillis } = content.view(now());
      // What was there when reading began is as old as it is for other reasons.
      if (live.content === content && newestEventMillis !== null && newestEventMillis !== newestMillis)
        seen(now() - newestEventMillis);
      newestMillis = newestEventMillis;
    };
    return { content, take };
  };
  return { topic, live, begin };
}
