import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { isPlayerId, type PlayerState } from '../../contract/players.ts';
import type { Credentials } from '../credentials.ts';
import { playerChange } from './api-schema.ts';
import type { Metrics } from './metrics.ts';
import { SignIn } from './sign-in.ts';

/** Who may hide players, and how it is done. */
export interface PlayersWriter {
  /** A token and nothing else: a browser, which other sites can make send things, never has it. */
  credentials: () => Credentials;
  /** Gives a player a state, or none; resolves when Kafka has it for good. */
  write: (id: string, state: PlayerState | undefined) => Promise<void>;
}

/** How long Kafka may take to answer. */
const WRITE_MILLIS = 10_000;

/**
 * POST /api/players hides, erases and shows players, for programs that have its token. What lets people see
 * the dashboard is neither enough for that nor needed.
 */
export async function playersRoute(
  app: FastifyInstance,
  { credentials, write, metrics }: PlayersWriter & { metrics: Metrics },
): Promise<void> {
  const signIn = new SignIn(app, { credentials, path: `${app.prefix}/`, metrics });
  app.post('/api/players', { onRequest: signIn.check }, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const { data: change } = playerChange.safeParse(request.body);
    if (!change || !isPlayerId(change.id)) return reply.code(400).send({ error: WRONG_BODY });
    const written = write(change.id, change.state === 'shown' ? undefined : change.state).then(
      () => true,
      (error: Error) => {
        request.log.warn({ reason: error.message }, 'a player could not be hidden or shown');
        return false;
      },
    );
    const isWritten = await Promise.race([written, sleep(WRITE_MILLIS, false, { ref: false })]);
    if (isWritten) return reply.code(204).send();
    return reply.code(503).header('retry-after', 1).send({ error: NOT_WRITTEN });
  });
}

const WRONG_BODY =
  'the body must be {"id": "…", "state": "hidden"}, with an id of 1 to 256 characters, and a state that is hidden, erased or shown';
const NOT_WRITTEN = 'Kafka did not say that it has this; send it again, which does no harm';
