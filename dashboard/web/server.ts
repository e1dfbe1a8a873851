import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Live } from '../live.ts';
import type { Stats } from '../stats/stats.ts';
import { apiRoutes } from './api.ts';
import { assetRoutes } from './assets.ts';
import { Broadcast } from './broadcast.ts';
import type { Metrics } from './metrics.ts';
import { pageRoutes, releaseOf } from './pages.ts';
import { Parts } from './parts.ts';
import { type History, PastBoards } from './past-boards.ts';
import { probeRoutes } from './probes.ts';
import { socketRoute } from './socket.ts';

export interface ServerOptions {
  title: string;
  boards: readonly LiveBoard[];
  /** By board's name. */
  histories: ReadonlyMap<string, History>;
  stats: Live<Stats>;
  metrics: Metrics;
  log: FastifyBaseLogger;
  /** Epoch milliseconds. */
  now: () => number;
}

/** How long finding a board of the past may take. */
const PAST_TIMEOUT_MILLIS = 10_000;

/** No inline script or style, nothing from elsewhere, in nobody's frame. */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The dashboard's web side, not yet listening. It only looks at the boards; feeding them is someone else's. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { title, boards, histories, stats, metrics, log, now } = options;
  const past = new PastBoards({ histories, log, now, timeoutMillis: PAST_TIMEOUT_MILLIS });
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));

  await app.register(assetRoutes);
  const release = releaseOf(title, boards);
  const parts = new Parts({ boards, stats, metrics, now });
  await app.register(socketRoute, { broadcast: new Broadcast({ parts, metrics, release, now }) });
  await app.register(pageRoutes, { title, boards, stats, release, now });
  await app.register(apiRoutes, { boards, past, stats, now });
  await app.register(probeRoutes, { boards, metrics });
  return app;
}
