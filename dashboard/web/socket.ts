import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Query, viewOf } from '../page/view.ts';
import type { Broadcast, Viewer } from './broadcast.ts';

/*
 * The page's WebSocket: sockets come and go here, what they are sent is the broadcast's. Browsers send nothing.
 */

/** Twice a second: as live as the eye asks for. */
const TICK_MILLIS = 500;

/** A peer that answered no ping since the last one is gone, whatever its TCP connection says. */
const PING_MILLIS = 20_000;

/** How long a closing peer may take to agree before its connection is cut. */
const CLOSE_MILLIS = 1000;

/** "Service restart": makes htmx connect again, to this server or to another. */
const CLOSE_RESTARTING = 1012;
/** "Policy violation": htmx stays away. */
const CLOSE_POLICY = 1008;

/** The part of `ws` used here; the package brings no types. */
interface Socket extends Viewer {
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
  on(event: 'pong' | 'close' | 'message', listener: () => void): void;
}

/** Serves `/ws`, ticks the broadcast, and says goodbye to every socket when the server closes. */
export async function socketRoute(
  app: FastifyInstance,
  { broadcast }: { broadcast: Broadcast },
): Promise<void> {
  /** Every open socket, and whether it has answered since the last ping. */
  const sockets = new Map<Socket, { alive: boolean }>();
  const timers = [
    setInterval(() => broadcast.tick(), TICK_MILLIS),
    setInterval(() => pingAll(sockets), PING_MILLIS),
  ];
  await app.register(websocket, {
    options: { maxPayload: 1024 },
    preClose: async () => {
      for (const timer of timers) clearInterval(timer);
      await closeAll(sockets);
    },
  });
  const options = { websocket: true, preValidation: refuseForeignOrigin } as const;
  app.get<{ Querystring: Query }>('/ws', options, (socket: Socket, { query }) => {
    sockets.set(socket, { alive: true });
    socket.on('pong', () => sockets.set(socket, { alive: true }));
    socket.on('message', () => socket.close(CLOSE_POLICY, 'this socket only speaks'));
    socket.on('close', () => {
      sockets.delete(socket);
      broadcast.remove(socket);
    });
    broadcast.add(socket, viewOf(query));
  });
}

/** Other sites' pages must not read the boards with their visitors' credentials; browsers always send an Origin. */
async function refuseForeignOrigin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { origin, host } = request.headers;
  if (origin === undefined || URL.parse(origin)?.host === host) return;
  await reply.code(403).send({ error: 'this page is not served from here' });
}

function pingAll(sockets: Map<Socket, { alive: boolean }>): void {
  for (const [socket, { alive }] of sockets) {
    if (!alive) socket.terminate();
    else socket.ping();
    sockets.set(socket, { alive: false });
  }
}

/** Resolves when all sockets are closed; those that do not answer are cut. */
async function closeAll(sockets: Map<Socket, unknown>): Promise<void> {
  const open = [...sockets.keys()];
  const closed = open.map((socket) => new Promise<void>((resolve) => socket.on('close', resolve)));
  for (const socket of open) socket.close(CLOSE_RESTARTING, 'restarting');
  const cut = setTimeout(() => {
    for (const socket of open) socket.terminate();
  }, CLOSE_MILLIS);
  await Promise.all(closed);
  clearTimeout(cut);
}
