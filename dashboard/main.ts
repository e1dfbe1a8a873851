import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Players, playerRecord } from '../contract/players.ts';
import { type Access, AccessError, kafkaAccess } from '../kafka/access.ts';
import { type KafkaClient, kafkaClient } from '../kafka/client.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { writeRecords } from '../kafka/write-records.ts';
import { listenAddress } from '../lib/listen-address.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { LiveBoard } from './boards/live-board.ts';
import { LivePlayers } from './boards/live-players.ts';
import { type Credentials, CredentialsError, watchCredentials, watchToken } from './credentials.ts';
import { EventsWatch } from './events-watch.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';
import { Stats } from './stats/stats.ts';
import { TopicState } from './topic-state.ts';
import { feed } from './topics/feed.ts';
import { readPast } from './topics/history.ts';
import { boardSource, playersSource, statsSource } from './topics/sources.ts';
import { watchUncountedEvents } from './topics/uncounted-events.ts';
import { Metrics } from './web/metrics.ts';
import type { History } from './web/past-boards.ts';
import { createServer } from './web/server.ts';

/** How long stopping may take before the process ends anyway. */
const STOP_MILLIS = 2500;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
} else {
  const given = settingsOrExplain();
  if (given) await run(given);
  else process.exitCode = 2;
}

/** The process's configuration, with the content of the files that it names. */
interface Given {
  settings: Settings;
  access: Access;
  credentials: (() => Credentials) | undefined;
  playersToken: (() => Credentials) | undefined;
}

function settingsOrExplain(): Given | undefined {
  const parsed = parseSettings(process.env);
  if ('problems' in parsed) return refuse(parsed.problems);
  const { settings } = parsed;
  try {
    const { SIGN_IN_FOLDER, PLAYERS_SIGN_IN_FOLDER } = settings;
    return {
      settings,
      access: kafkaAccess(settings),
      credentials: SIGN_IN_FOLDER ? watchCredentials(SIGN_IN_FOLDER, Date.now) : undefined,
      playersToken: PLAYERS_SIGN_IN_FOLDER ? watchToken(PLAYERS_SIGN_IN_FOLDER, Date.now) : undefined,
    };
  } catch (error) {
    if (!(error instanceof CredentialsError || error instanceof AccessError)) throw error;
    return refuse([error.message]);
  }
}

function refuse(problems: readonly string[]): undefined {
  process.stderr.write(`${[...problems, 'See --help.'].join('\n')}\n`);
  return undefined;
}

async function listen(app: FastifyInstance, { HOST, PORT }: Settings): Promise<boolean> {
  try {
    await app.listen({ host: listenAddress(HOST), port: PORT });
    return true;
  } catch (error) {
    process.stderr.write(`cannot listen: ${(error as Error).message}\nSet HOST or PORT to another.\n`);
    process.exitCode = 1;
    await app.close();
    return false;
  }
}

async function run({ settings, access, credentials, playersToken }: Given): Promise<void> {
  const log = pino({ level: settings.LOG_LEVEL });
  const now = Date.now;
  const kafka = kafkaClient('dashboard', settings.KAFKA_BOOTSTRAP_SERVERS, access, log);
  const players = new LivePlayers();
  const boards = settings.DASHBOARD_BOARDS.map((definition) => new LiveBoard(definition, players));
  const stats = new TopicState(new Stats());
  const events = new EventsWatch();
  const histories = createHistories(settings, kafka, players);
  const metrics = new Metrics(boards, now);
  const title = settings.DASHBOARD_TITLE;
  const { PLAYERS_TOPIC } = settings;
  const app = await createServer({
    title,
    boards,
    histories,
    stats,
    events,
    metrics,
    log,
    now,
    credentials,
    playersWriter:
      playersToken && PLAYERS_TOPIC !== undefined
        ? {
            credentials: playersToken,
            write: (id, state) => writeRecords(kafka, PLAYERS_TOPIC, [playerRecord(id, state)]),
          }
        : undefined,
    jobAdvice: settings.JOB_ADVICE,
    replayAdvice: settings.REPLAY_ADVICE,
    basePath: settings.BASE_PATH,
    maxSockets: settings.MAX_SOCKETS,
    trustedProxies: settings.TRUSTED_PROXIES,
    allowedOrigins: settings.ALLOWED_ORIGINS,
  });
  // Served before Kafka is read: a page that says "waiting" is better than none.
  if (!(await listen(app, settings))) return;

  const stopping = stopOnSignals((name) => log.info(`${name}: stopping`));
  const context = { kafka, log, lagged: metrics.lagged.bind(metrics) };
  const count = metrics.recordRead.bind(metrics);
  const countedMillis = () => stats.content.progress(now(), events.readUntilMillis).handledMillis;
  if (PLAYERS_TOPIC === undefined) players.publish(new Players());
  // Nobody is to be shown, and hidden a moment later.
  const known = Promise.race([players.published, once(stopping, 'abort')]);
  const feeds = [
    ...(PLAYERS_TOPIC === undefined ? [] : [feed(playersSource(players, PLAYERS_TOPIC), context, stopping)]),
    ...boards.map((board) => known.then(() => feed(boardSource(board, count, now), context, stopping))),
    feed(statsSource(stats, settings.STATS_TOPIC, now), context, stopping),
    watchUncountedEvents(
      {
        kafka,
        topic: settings.EVENTS_TOPIC,
        groups: settings.JOB_GROUPS,
        watch: events,
        countedMillis,
        now,
        log,
      },
      stopping,
    ),
  ];

  stopping.addEventListener('abort', async () => {
    setTimeout(() => process.exit(0), STOP_MILLIS).unref();
    await Promise.allSettled([app.close(), ...feeds]);
    process.exit(0);
  });
}

function createHistories(settings: Settings, kafka: KafkaClient, players: LivePlayers): Map<string, History> {
  const kept = settings.DASHBOARD_BOARDS.flatMap((definition): [string, History][] => {
    if (definition.historyTopic === undefined) return [];
    const topic = new TopicSlices(kafka, definition.historyTopic, 'dashboard');
    const read: History = async (at, signal) => {
      await players.published;
      return readPast(topic, definition, at, signal, players);
    };
    return [[definition.name, read]];
  });
  return new Map(kept);
}
