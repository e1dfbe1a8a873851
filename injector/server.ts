import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';

/** Probes and metrics; `unreadiness` says why the injector is not ready, or undefined. */
export function createServer(unreadiness: () => string | undefined, registry: Registry): FastifyInstance {
  const server = fastify();
  server.get('/healthz', () => 'ok\n');
  server.get('/readyz', (_, reply) => {
    const reason = unreadiness();
    return reply.code(reason === undefined ? 200 : 503).send(`${reason ?? 'ok'}\n`);
  });
  server.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  return server;
}
