import type { Logger } from 'pino';
import { Players } from '../contract/players.ts';
import { type ClosingBoard, RESULT_HEADERS, type SeasonResult } from '../contract/results.ts';
import type { KafkaAdmin } from '../kafka/admin.ts';
import type { KafkaClient } from '../kafka/client.ts';
import { fetchGroupProgress, forgetCommits } from '../kafka/group-progress.ts';
import type { KafkaRecord } from '../kafka/topic-reader.ts';
import type { TopicSlices } from '../kafka/topic-slices.ts';
import { TransactionalWriter } from '../kafka/transactional-writer.ts';
import { sleep } from '../lib/sleep.ts';
import type { Announcer } from './announcer.ts';
import { BoardSeasons } from './board-seasons.ts';
import { Closing } from './closing.ts';
import type { Settings } from './settings.ts';

/** How often it looks for seasons that are frozen, and for commits that it waits for. */
const LOOK_MILLIS = 2000;
const ASK_MILLIS = 500;

/** What probes and metrics say. */
export interface State {
  /** Why no results are written; undefined while they are. */
  problem: string | undefined;
  /** Results since the start. */
  written: number;
  /** Boards of seasons that are frozen and have no result. */
  due: number;
}

export interface Following {
  settings: Settings;
  kafka: KafkaClient;
  /** Those of the boards, of the results and of the players, by their names. */
  topics: ReadonlyMap<string, TopicSlices>;
  state: State;
  /** Undefined where there is nobody to tell. */
  announcer: Announcer | undefined;
  log: Logger;
}

/**
 * Follows the boards and writes their results until the signal. It begins as the one writer that there is,
 * with all results that were ever written: a second one of the program shuts the first out, and knows what
 * that has written.
 *
 * @throws what went wrong; it can begin again
 */
export async function follow(following: Following, stop: AbortSignal): Promise<void> {
  const { settings, kafka, topics, state, announcer, log } = following;
  const { RESULTS_TOPIC } = settings;
  const admin = kafka.admin();
  let writer: TransactionalWriter | undefined;
  try {
    await admin.connect();
    writer = await TransactionalWriter.open(kafka, RESULTS_TOPIC, RESULTS_TOPIC);
    const written = new Set<string>();
    const take = (id: string, millis: number) => {
      written.add(id);
      announcer?.take(id, millis);
    };
    const takeResult = ({ key, timestampMillis }: KafkaRecord) => take(String(key), timestampMillis);
    await topics.get(RESULTS_TOPIC)!.readAll(takeResult, stop);
    const groups = Map.groupBy(settings.RESULTS_BOARDS, ({ group }) => group);
    const closings = [...groups].map(([group, boards]) =>
      createClosing(following, admin, group, boards, (id) => written.has(id)),
    );
    while (!stop.aborted) {
      for (const closing of closings) {
        const final = await closing.advance(Date.now(), stop);
        await writer.write(final.map(({ result }) => toRecord(result)));
        for (const { season, board, result } of final) {
          take(season.id, Date.now());
          board.forget(season);
          log.info({ id: season.id, rows: result.data.rows.length }, 'a season is closed');
        }
        state.written += final.length;
      }
      state.due = closings.reduce((sum, { due }) => sum + due, 0);
      state.problem = undefined;
      await announcer?.announce(Date.now(), stop);
      await sleep(closings.some(({ isAsking }) => isAsking) ? ASK_MILLIS : LOOK_MILLIS, stop);
    }
  } finally {
    await Promise.allSettled([admin.disconnect(), writer?.close()]);
  }
}

function createClosing(
  { settings, topics, log }: Following,
  admin: KafkaAdmin,
  group: string,
  boards: ClosingBoard[],
  isWritten: (id: string) => boolean,
): Closing {
  const onIncomplete = (id: string) =>
    log.warn({ id }, 'no result: when its board was last written, not all of its events were kept');
  return new Closing({
    boards: boards.map(
      ({ definition }) =>
        new BoardSeasons({
          source: settings.RESULTS_SOURCE,
          definition,
          topic: topics.get(definition.topic)!,
          keptMillis: settings.EVENTS_KEPT_MILLIS,
          onIncomplete,
        }),
    ),
    fetchProgress: async (untilMillis) => {
      const asked = { groups: [group], topic: settings.EVENTS_TOPIC, untilMillis };
      const [progress = []] = await fetchGroupProgress(admin, asked);
      return progress;
    },
    forgetCommits: () => forgetCommits(admin, group),
    isWritten,
    async readPlayers(signal) {
      const players = new Players();
      const take = ({ key, value }: KafkaRecord) => players.apply(key, value);
      await topics.get(settings.PLAYERS_TOPIC ?? '')?.readAll(take, signal);
      return players;
    },
  });
}

function toRecord(result: SeasonResult) {
  return { key: result.id, value: JSON.stringify(result), headers: RESULT_HEADERS };
}
