import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Access } from '../kafka/access.ts';
import { kafkaClient } from '../kafka/client.ts';
import { runProgram } from '../kafka/program.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { ApiServer } from '../lib/api-server.ts';
import { beginAgain } from '../lib/begin-again.ts';
import { startProbeServer } from '../lib/probe-server.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { Announcer } from './announcer.ts';
import { follow, type State } from './follow.ts';
import { createRegistry } from './metrics.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';

const PROGRAM = 'results';

async function run(settings: Settings, access: Access, log: Logger): Promise<number> {
  const stop = stopOnSignals((name) => log.info(`${name}: stopping`));
  const state: State = { problem: 'the results have not been read yet', written: 0, due: 0 };
  const { url: address } = await startProbeServer({
    host: settings.HOST,
    port: settings.PORT,
    ready: () => (state.problem === undefined ? [] : [state.problem]),
    registry: createRegistry(state),
    log,
  });
  log.info({ address, topic: settings.RESULTS_TOPIC }, 'started');

  const kafka = kafkaClient(PROGRAM, settings.KAFKA_BOOTSTRAP_SERVERS, access, log);
  const names = [
    settings.RESULTS_TOPIC,
    ...(settings.PLAYERS_TOPIC === undefined ? [] : [settings.PLAYERS_TOPIC]),
    ...settings.RESULTS_BOARDS.map(({ definition }) => definition.topic),
  ];
  const topics = new Map(names.map((name) => [name, new TopicSlices(kafka, name, PROGRAM)]));
  const announcer = createAnnouncer(settings, log);
  await beginAgain(() => follow({ settings, kafka, topics, state, announcer, log }, stop), state, log, stop);
  log.info({ written: state.written }, 'stopped');
  return 0;
}

function createAnnouncer(settings: Settings, log: Logger): Announcer | undefined {
  const { KUBERNETES_API_SERVER, KUBERNETES_ACCOUNT, RESULTS_SOURCE, RESULTS_BOARDS, RESULTS_TOPIC } =
    settings;
  if (KUBERNETES_API_SERVER === undefined) return undefined;
  return new Announcer({
    api: new ApiServer(KUBERNETES_API_SERVER, KUBERNETES_ACCOUNT),
    source: RESULTS_SOURCE,
    boards: new Set(RESULTS_BOARDS.map(({ definition }) => definition.name)),
    topic: RESULTS_TOPIC,
    instance: hostname(),
    log,
  });
}

process.exit(await runProgram({ name: 'the results program', help: HELP, parseSettings, run }));
