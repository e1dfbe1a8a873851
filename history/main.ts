import type { Logger } from 'pino';
import type { Access } from '../kafka/access.ts';
import { type KafkaClient, kafkaClient } from '../kafka/client.ts';
import { runProgram } from '../kafka/program.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { TransactionalWriter } from '../kafka/transactional-writer.ts';
import { beginAgain } from '../lib/begin-again.ts';
import { startProbeServer } from '../lib/probe-server.ts';
import { sleep } from '../lib/sleep.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { ErasedPlayers } from './erased-players.ts';
import { History } from './history.ts';
import { createRegistry, type State } from './metrics.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';

const PROGRAM = 'history';

/** How often it looks for what has been written. */
const LOOK_MILLIS = 1000;

async function run(settings: Settings, access: Access, log: Logger): Promise<number> {
  const stop = stopOnSignals((name) => log.info(`${name}: stopping`));
  const state: State = {
    problem: 'the histories have not been opened yet',
    copied: 0,
    wholeMillis: Date.now(),
  };
  const { url: address } = await startProbeServer({
    host: settings.HOST,
    port: settings.PORT,
    ready: () => (state.problem === undefined ? [] : [state.problem]),
    registry: createRegistry(state),
    log,
  });
  log.info({ address, boards: settings.HISTORY_BOARDS.length }, 'started');

  const kafka = kafkaClient(PROGRAM, settings.KAFKA_BOOTSTRAP_SERVERS, access, log);
  await beginAgain(() => keep(settings, kafka, state, log, stop), state, log, stop);
  log.info('stopped');
  return 0;
}

/**
 * Keeps the histories of all boards until the signal.
 *
 * @throws what went wrong; it can begin again
 */
async function keep(
  { HISTORY_BOARDS, PLAYERS_TOPIC }: Settings,
  kafka: KafkaClient,
  state: State,
  log: Logger,
  stop: AbortSignal,
): Promise<void> {
  const opened: TopicSlices[] = [];
  const writers: TransactionalWriter[] = [];
  const open = (topic: string) => {
    const slices = new TopicSlices(kafka, topic, PROGRAM);
    opened.push(slices);
    return slices;
  };
  try {
    const erased = new ErasedPlayers(PLAYERS_TOPIC === undefined ? undefined : open(PLAYERS_TOPIC));
    const histories = await Promise.all(
      HISTORY_BOARDS.map(async (board) => {
        const writer = await TransactionalWriter.open(kafka, board.historyTopic, board.historyTopic);
        writers.push(writer);
        const topics = { source: open(board.topic), history: open(board.historyTopic) };
        return { board, history: await History.open(board, topics, writer, PLAYERS_TOPIC, stop) };
      }),
    );
    while (!stop.aborted) {
      await erased.catchUp(stop);
      const lookedMillis = Date.now();
      for (const { board, history } of histories) {
        const advanced = await history.advance(erased, Date.now(), stop);
        state.copied += advanced.copied;
        if (advanced.isRewritten)
          log.info({ topic: board.historyTopic }, 'the history was written again without erased players');
      }
      state.problem = undefined;
      state.wholeMillis = lookedMillis;
      await sleep(LOOK_MILLIS, stop);
    }
  } finally {
    await Promise.allSettled([...opened, ...writers].map((one) => one.close()));
  }
}

process.exit(await runProgram({ name: 'the history program', help: HELP, parseSettings, run }));
