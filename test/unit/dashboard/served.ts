import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Board } from '../../../dashboard/boards/board.ts';
import type { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../../dashboard/events-watch.ts';
import { Stats } from '../../../dashboard/stats/stats.ts';
import { TopicState } from '../../../dashboard/topic-state.ts';
import { Metrics } from '../../../dashboard/web/metrics.ts';
import { createServer, type ServerOptions } from '../../../dashboard/web/server.ts';
import { liveBoardOf, NOW, season, streakers, team, topTeams } from './fixtures.ts';

/** A dashboard of two boards, the first with two teams. */
export interface Served {
  app: FastifyInstance;
  metrics: Metrics;
  /** Content of the first board. */
  teams: Board;
  boards: LiveBoard[];
  stats: TopicState<Stats>;
  events: EventsWatch;
  /** The value of a counter of refusals. */
  refused(reason: string): Promise<number>;
}

export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const boards = [
    liveBoardOf(topTeams, [season([team('a', 20), team('b', 10)])]),
    liveBoardOf(streakers, []),
  ];
  const now = () => NOW;
  const metrics = new Metrics(boards, now);
  const stats = new TopicState(new Stats());
  const events = new EventsWatch();
  const app = await createServer({
    title: 'Arcade',
    boards,
    histories: new Map(),
    stats,
    events,
    metrics,
    log: pino({ level: 'silent' }),
    now,
    ...options,
  });
  return {
    app,
    metrics,
    boards,
    stats,
    events,
    teams: boards[0]!.content,
    async refused(reason) {
      const { values } = (await metrics.registry.getSingleMetric('dashboard_refused_total')?.get()) ?? {};
      return values?.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
  };
}

/** Listens on a free port. @returns host:port */
export async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}
