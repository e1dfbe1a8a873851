import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

export const LOOPBACK = '127.0.0.1';

/**
 * Ports that the system gives to nobody by itself: one from its own range could be an outgoing connection's
 * before the program that it was chosen for binds it.
 */
const FIRST_PORT = 20_000;
const END_PORT = 30_000;

/**
 * A port on the loopback address that is free now: the one asked for, or, when that is 0, any.
 *
 * @throws UserError when the one asked for is in use
 */
export async function freePort(wanted = 0): Promise<number> {
  for (;;) {
    const port = wanted || randomInt(FIRST_PORT, END_PORT);
    if (await isFree(port)) return port;
    if (wanted) throw new UserError(`Port ${wanted} is in use. Stop what uses it, or choose another.`);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen({ host: LOOPBACK, port, exclusive: true }), 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
