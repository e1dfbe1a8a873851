import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseBoardFilter, type Query } from '../page/page-state.ts';
import type { Broadcast, Viewer } from './broadcast.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import type { Metrics } from './metrics.ts';

/*
 * The page's WebSocket: sockets come and go here, what they are sent is the broadcast's. Browsers send
 * nothing.
 */

export interface SocketOptions {
  broadcast: Broadcast;
  metrics: Metrics;
  /** How many there may be at once. */
  maxSockets: number;
  /** Other origins whose pages may open one. */
  allowedOrigins: readonly string[];
}

/** Twice a second: as live as the eye asks for. */
const TICK_MILLIS = 500;

/** A peer that answered no ping since the last one is gone, whatever its TCP connection says. */
const PING_MILLIS = 20_000;

/** Browsers send none; what is more than a probe now and then costs an answer each. */
const MAX_PINGS = 10;

/** How long a closing peer may take to agree before its connection is cut. */
const CLOSE_MILLIS = 1000;

/** "Service restart": makes htmx connect again, to this server or to another. */
const CLOSE_RESTARTING = 1012;
/** "Try again later": makes htmx connect again. */
const CLOSE_CROWDED = 1013;
/** "Policy violation": htmx stays away. */
const CLOSE_POLICY = 1008;

/** The part of `ws` used here; the package brings no types. */
interface Socket extends Viewer {
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
  on(event: 'ping' | 'pong' | 'close' | 'message', listener: () => void): void;
}

/** What is known of a socket since its last ping. */
interface Heartbeat {
  alive: boolean;
  pings: number;
}

/** Serves `/ws`, ticks the broadcast, and says goodbye to every socket when the server closes. */
export async function socketRoute(app: FastifyInstance, options: SocketOptions): Promise<void> {
  const { broadcast, metrics, maxSockets, allowedOrigins } = options;
  /** Those in good standing. */
  const sockets = new Map<Socket, Heartbeat>();
  const limiter = new ConnectionLimiter<Socket>(maxSockets);
  const timers = [
    setInterval(() => broadcast.tick(), TICK_MILLIS),
    setInterval(() => pingAll(sockets), PING_MILLIS),
  ];
  await app.register(websocket, {
    options: { maxPayload: 1024 },
    // A peer's protocol error is not our error. `ws` closes with the right code itself.
    errorHandler: (_error, socket: Socket) => {
      if (!sockets.delete(socket)) return;
      metrics.refused('malformed frame');
      cutSoon(socket);
    },
    preClose: async () => {
      for (const timer of timers) clearInterval(timer);
      await closeAll(sockets);
    },
  });

  const admit = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isOurPage(request, allowedOrigins)) {
      metrics.refused('foreign origin');
      await reply.code(403).send({ error: 'this page is not served from here' });
    } else if (!limiter.hasRoom(request.ip)) {
      metrics.refused('no place');
      await reply.code(503).header('retry-after', 5).send({ error: 'too many viewers; try again' });
    }
  };
  const evict = (socket: Socket, code: number, reason: string) => {
    if (!sockets.delete(socket)) return;
    metrics.refused(reason);
    closeFirmly(socket, code, reason);
  };
  const handler = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.code(426).header('upgrade', 'websocket').send({ error: 'this is a WebSocket: ask for an upgrade' });
  const wsHandler = (socket: Socket, { ip, query }: FastifyRequest<{ Querystring: Query }>) => {
    const heartbeat: Heartbeat = { alive: true, pings: 0 };
    sockets.set(socket, heartbeat);
    socket.on('pong', () => {
      heartbeat.alive = true;
    });
    socket.on('ping', () => {
      heartbeat.pings += 1;
      if (heartbeat.pings > MAX_PINGS) evict(socket, CLOSE_POLICY, 'too many pings');
    });
    socket.on('message', () => evict(socket, CLOSE_POLICY, 'this socket only speaks'));
    socket.on('close', () => {
      sockets.delete(socket);
      limiter.release(ip, socket);
      broadcast.remove(socket);
    });
    const evicted = limiter.take(ip, socket);
    if (evicted) evict(evicted, CLOSE_CROWDED, 'crowded out');
    if (evicted !== socket) broadcast.add(socket, parseBoardFilter(query));
  };
  app.route<{ Querystring: Query }>({ method: 'GET', url: '/ws', preValidation: admit, handler, wsHandler });
}

function isOurPage({ host, headers: { origin } }: FastifyRequest, allowed: readonly string[]): boolean {
  // Other sites' pages must not read the boards with their visitors' credentials; browsers always send an
  // Origin. The host is that which the browser asked for, also behind a trusted proxy; a default port in it
  // makes no difference.
  if (host === '') return false;
  if (origin === undefined) return true;
  const page = URL.parse(origin);
  if (page?.protocol !== 'http:' && page?.protocol !== 'https:') return false;
  return allowed.includes(page.origin) || URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}

function pingAll(sockets: Map<Socket, Heartbeat>): void {
  for (const [socket, heartbeat] of sockets) {
    if (!heartbeat.alive) socket.terminate();
    else socket.ping();
    heartbeat.alive = false;
    heartbeat.pings = 0;
  }
}

function closeFirmly(socket: Socket, code: number, reason: string): void {
  socket.close(code, reason);
  cutSoon(socket);
}

function cutSoon(socket: Socket): void {
  const cut = setTimeout(() => socket.terminate(), CLOSE_MILLIS);
  socket.on('close', () => clearTimeout(cut));
}

async function closeAll(sockets: Map<Socket, unknown>): Promise<void> {
  const open = [...sockets.keys()];
  const closed = open.map((socket) => new Promise<void>((resolve) => socket.on('close', resolve)));
  for (const socket of open) closeFirmly(socket, CLOSE_RESTARTING, 'restarting');
  await Promise.all(closed);
}
