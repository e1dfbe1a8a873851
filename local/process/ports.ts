import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

export const LOOPBACK = '127.0.0.1';

/** A port on the loopback address that is free now: the one asked for, or, when that is 0, any. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: LOOPBACK, port: wanted, exclusive: true }, () => {
        const address = server.address();
        if (address && typeof address === 'object') resolve(address.port);
      });
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new UserError(`Port ${wanted} is in use. Stop what uses it, or choose another.`);
  } finally {
    server.close();
  }
}
