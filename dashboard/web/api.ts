import type { FastifyInstance } from 'fastify';
import type { BoardView, ShownPeriod } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import { iso } from './iso.ts';
import type { PastBoards } from './past-boards.ts';
import { type StatsOptions, statsRoutes } from './stats.ts';

export interface ApiOptions extends StatsOptions {
  boards: readonly LiveBoard[];
  past: PastBoards;
}

interface BoardRequest {
  Params: { name: string };
  Querystring: { at?: unknown };
}

/** The boards and the pipeline's counts as JSON. Times are ISO 8601 in UTC, ratios are 0..1. */
export async function apiRoutes(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { boards, past, now } = options;
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  await app.register(statsRoutes, options);

  const summary = ({ definition: { name, title, size }, status }: LiveBoard) => ({
    name,
    title,
    size,
    status: status.kind,
    history: past.has(name),
    url: `/api/boards/${name}`,
  });

  app.get('/api/boards', async () => ({ boards: boards.map(summary) }));

  app.get<BoardRequest>('/api/boards/:name', async (request, reply) => {
    const board = boards.find(({ definition }) => definition.name === request.params.name);
    if (!board) return reply.code(404).send({ error: 'there is no such board; /api/boards lists them' });
    if (request.query.at === undefined) return { ...summary(board), ...viewFields(board.view(now())) };

    const answer = await past.answer(board.definition.name, request.query.at);
    if (answer.code === 200) {
      const { atMillis, view } = answer;
      return { ...summary(board), at: iso(atMillis), complete: view.complete, ...viewFields(view) };
    }
    if (answer.retryAfterSeconds) reply.header('retry-after', answer.retryAfterSeconds);
    return reply.code(answer.code).send({ error: answer.error });
  });
}

function viewFields({ period, updatedMillis, rows }: BoardView) {
  return {
    ...periodFields(period),
    updatedAt: iso(updatedMillis),
    rows: rows.map(({ rank, values }) => ({ rank, ...Object.fromEntries(values) })),
  };
}

/** `season` or `asOf`, whichever the board has. */
function periodFields(period: ShownPeriod | null) {
  if (!period) return {};
  if (period.kind === 'instant') return { asOf: iso(period.atMillis) };
  return { season: { start: iso(period.startMillis), end: iso(period.endMillis), over: period.over } };
}
