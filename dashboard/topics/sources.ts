import { Players } from '../../contract/players.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';
import { Board, type Outcome } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { LivePlayers } from '../boards/live-players.ts';
import { Stats } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
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
    const content = new Board(definition, live.players);
    const take = (records: KafkaRecord[]) => {
      for (const record of records) {
        count(definition.name, content.apply(record, now()));
        // What was there when reading began has come to the screens for other reasons.
        if (live.content === content) live.noteArrivals(content.newEvents);
      }
    };
    return { content, take };
  };
  return { topic: definition.topic, live, begin };
}

/** The players that are hidden, from their topic. */
export function playersSource(live: LivePlayers, topic: string): Source<Players> {
  const begin = () => {
    const content = new Players();
    const take = (records: KafkaRecord[]) => {
      for (const { key, value } of records) content.apply(key, value);
    };
    return { content, take };
  };
  return { topic, live, begin };
}

/**
 * The pipeline's counts, from their topic.
 *
 * @param now epoch milliseconds
 */
export function statsSource(live: TopicState<Stats>, topic: string, now: () => number): Source<Stats> {
  const begin = () => {
    const content = new Stats();
    const take = (records: KafkaRecord[]) => {
      for (const record of records) content.apply(record, now());
    };
    return { content, take };
  };
  return { topic, live, begin };
}
