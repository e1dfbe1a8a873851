import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import { PROBE_PATHS } from '../contract/http.ts';

/** Probes and metrics; `unreadiness` says why the injector is not ready, or undefined. */
export function createServer(unreadiness: () => string | undefined, registry: Registry): FastifyInstance {
  const server = fastify();
  server.get(PROBE_PATHS.alive, () => 'ok\n');
  server.get(PROBE_PATHS.ready, (_, reply) => {
    const reason = unreadiness();
    return reply.code(reason === undefined ? 200 : 503).send(`${reason ?? 'ok'}\n`);
  });
  server.get(PROBE_PATHS.metrics, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return server;
}
