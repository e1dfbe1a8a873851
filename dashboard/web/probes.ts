import type { FastifyInstance } from 'fastify';
import { PROBE_PATHS } from '../../contract/http.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Metrics } from './metrics.ts';
import type { SignIn } from './sign-in.ts';

export interface ProbeOptions {
  boards: readonly LiveBoard[];
  metrics: Metrics;
  signIn: SignIn | undefined;
}

/**
 * What Kubernetes and Prometheus ask. Ready means that every board was once read to its end; it stays so when
 * Kafka goes away later, because the last known boards are better than no page. The kubelet cannot sign in;
 * Prometheus can.
 */
export async function probeRoutes(
  app: FastifyInstance,
  { boards, metrics, signIn }: ProbeOptions,
): Promise<void> {
  app.get(PROBE_PATHS.alive, async () => ({ status: 'alive' }));

  app.get(PROBE_PATHS.ready, async (request, reply) => {
    const ready = boards.every((board) => board.ready);
    // Names of topics and brokers are only for those who may see them.
    if (signIn && !(await signIn.isSignedIn(request))) return reply.code(ready ? 200 : 503).send({ ready });
    const states = boards.map(({ definition: { name, topic }, status }) => ({ name, topic, ...status }));
    return reply.code(ready ? 200 : 503).send({ ready, boards: states });
  });

  app.get(PROBE_PATHS.metrics, { ...(signIn && { onRequest: signIn.check }) }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
