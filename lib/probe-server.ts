import { type FastifyReply, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { PROBE_PATHS } from '../contract/http.ts';
import { listenAddress, listenUrl } from './listen-address.ts';

interface ProbeServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** What is not ready yet, in sentences; empty: ready. */
  ready: () => string[];
  registry: Registry;
  log: Logger;
}

/** Where probes and metrics are served. */
export interface ProbeServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the kubelet's probes and Prometheus. Rejects with a sentence when the address is taken. */
export async function startProbeServer({
  host,
  port,
  ready,
  registry,
  log,
}: ProbeServerOptions): Promise<ProbeServer> {
  // A request that hangs half-way must not keep the process from ending.
  const server = fastify({ forceCloseConnections: true });
  server.setErrorHandler((error, request, reply) => {
    log.error({ err: error }, `cannot answer ${request.url}`);
    return reply.code(500).send('it failed; the log says why\n');
  });
  // Who can answer is alive; what only a new start can fix ends the process.
  server.get(PROBE_PATHS.alive, (_, reply) => answer(reply, []));
  server.get(PROBE_PATHS.ready, (_, reply) => answer(reply, ready()));
  server.get(PROBE_PATHS.metrics, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  await server.listen({ host: listenAddress(host), port }).catch((error) => {
    throw error.code === 'EADDRINUSE' ? new Error(`${host}:${port} is in use; set PORT to another`) : error;
  });
  return { url: listenUrl(server.server), close: () => server.close() };
}

function answer(reply: FastifyReply, problems: string[]): FastifyReply {
  const well = problems.length === 0;
  return reply.code(well ? 200 : 503).send(`${well ? 'ok' : problems.join('\n')}\n`);
}
