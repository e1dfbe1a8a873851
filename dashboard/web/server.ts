import rateLimit from '@fastify/rate-limit';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Credentials } from '../credentials.ts';
import type { EventsWatch } from '../events-watch.ts';
import { PipelineMonitor } from '../pipeline-state.ts';
import { DEFAULT_MAX_SOCKETS } from '../settings.ts';
import { ScreenDelays } from '../stats/screen-delays.ts';
import type { Stats } from '../stats/stats.ts';
import type { TopicState } from '../topic-state.ts';
import { apiRoutes } from './api.ts';
import { assetRoutes } from './assets.ts';
import { Broadcast } from './broadcast.ts';
import { answerErrors, refuseConnection, refuseOtherMethods, refuseUrl } from './errors.ts';
import { FragmentCache } from './fragments.ts';
import type { Metrics } from './metrics.ts';
import { computeRelease, pageRoutes } from './pages.ts';
import { type History, PastBoards } from './past-boards.ts';
import { type PlayersWriter, playersRoute } from './players.ts';
import { probeRoutes } from './probes.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { SignIn } from './sign-in.ts';
import { socketRoute } from './socket.ts';
import { boundAnswers, STANDSTILL_MILLIS } from './under-way.ts';

export interface ServerOptions {
  title: string;
  boards: readonly LiveBoard[];
  /** By board's name. */
  histories: ReadonlyMap<string, History>;
  stats: TopicState<Stats>;
  events: EventsWatch;
  metrics: Metrics;
  log: FastifyBaseLogger;
  /** Epoch milliseconds. */
  now: () => number;
  /** What to do when the job counts nothing, in a sentence. */
  jobAdvice?: string;
  /** How to have the job count all events from the start again, in a sentence. */
  replayAdvice?: string;
  /** Path under which all but the probes is served, such as `/games/arcade`; empty at the root. */
  basePath?: string;
  /** What clients sign in with; without it the dashboard is open to everyone. */
  credentials?: (() => Credentials) | undefined;
  /** Without it, nobody may hide players by the API. */
  playersWriter?: PlayersWriter | undefined;
  /** How many sockets there may be at once. */
  maxSockets?: number;
  /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
  trustedProxies?: string[];
  /** Other origins whose pages may open the WebSocket. */
  allowedOrigins?: string[];
}

/** How long finding a board of the past may take. */
const PAST_TIMEOUT_MILLIS = 10_000;

/** Connections in addition to those of sockets: probes, pages being loaded, and silent ones. */
const OTHER_CONNECTIONS = 1000;

/** No request needs longer, and none has a long body: slow connections are closed. */
const PATIENCE = {
  requestTimeout: 10_000,
  connectionTimeout: STANDSTILL_MILLIS,
  bodyLimit: 4096,
  http: { headersTimeout: 10_000, connectionsCheckingInterval: 2000 },
};

/**
 * The dashboard's web side, not yet listening. It only reads the boards; feeding them is the caller's.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { boards, metrics, log, credentials, playersWriter } = options;
  const { basePath = '', maxSockets = DEFAULT_MAX_SOCKETS, trustedProxies = [] } = options;
  const app = Fastify({
    ...PATIENCE,
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies,
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseConnection,
  });
  app.server.maxConnections = maxSockets + OTHER_CONNECTIONS;
  app.server.on('drop', () => metrics.refused('too many connections'));
  // Node hands over connections that ask for an upgrade; where there is none, they would stay open forever.
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.headers.upgrade) raw.socket.destroySoon();
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  boundAnswers(app, metrics);
  refuseOtherMethods(app);
  answerErrors(app);
  if (basePath)
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));

  await app.register(rateLimit, { global: false });
  const signIn = credentials && new SignIn(app, { credentials, path: `${basePath}/`, metrics });
  await app.register(probeRoutes, { boards, metrics, signIn });
  if (basePath) app.addHook('onRequest', redirectTo(basePath));
  await app.register(assetRoutes, { prefix: basePath });
  if (playersWriter) await app.register(playersRoute, { ...playersWriter, metrics, prefix: basePath });
  await app.register(site, { ...options, maxSockets, signIn, prefix: basePath });
  return app;
}

function redirectTo(basePath: string) {
  return async ({ url }: FastifyRequest, reply: FastifyReply) => {
    const [path, ...query] = url.split('?');
    // The page's links are relative to its address, which ends with a slash.
    if (path === basePath || path === '/') await reply.redirect([`${basePath}/`, ...query].join('?'), 302);
  };
}

interface SiteOptions extends ServerOptions {
  maxSockets: number;
  signIn: SignIn | undefined;
}

async function site(app: FastifyInstance, options: SiteOptions): Promise<void> {
  const { title, boards, histories, stats, events, metrics, log, now, maxSockets, signIn } = options;
  const { jobAdvice = '', replayAdvice = '', allowedOrigins = [], playersWriter } = options;
  const past = new PastBoards({ histories, log, now, timeoutMillis: PAST_TIMEOUT_MILLIS });
  if (signIn) app.addHook('onRequest', signIn.check);
  const release = computeRelease(title, boards);
  const pipeline = new PipelineMonitor((nowMillis) => ({
    available: events.answers && stats.status.kind !== 'away',
    countsKnown: stats.ready,
    isReplaced: events.isReplaced,
    uncountedSince: events.uncountedSince,
    readUntilMillis: events.readUntilMillis,
    ...stats.content.progress(nowMillis, events.readUntilMillis),
  }));
  metrics.observePipeline(pipeline);
  metrics.observeStats(stats, pipeline);
  const delays = new ScreenDelays();
  const advice = { stalled: jobAdvice, replaced: replayAdvice };
  const fragments = new FragmentCache({ boards, stats, delays, pipeline, advice, metrics, now });
  const broadcast = new Broadcast({ fragments, metrics, release, now });
  await app.register(socketRoute, { broadcast, metrics, maxSockets, allowedOrigins });
  await app.register(pageRoutes, { title, boards, fragments, release, now });
  await app.register(apiRoutes, {
    title,
    boards,
    past,
    stats,
    delays,
    pipeline,
    secured: signIn !== undefined,
    hidesPlayers: playersWriter !== undefined,
    now,
  });
}
