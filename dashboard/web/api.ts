import type { FastifyInstance } from 'fastify';
import type { ShownPeriod } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';

export interface ApiOptions {
  boards: readonly LiveBoard[];
  /** Epoch milliseconds. */
  now: () => number;
}

/** The boards as JSON. Times are ISO 8601 in UTC, ratios are 0..1. */
export async function apiRoutes(app: FastifyInstance, { boards, now }: ApiOptions): Promise<void> {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });

  app.get('/api/boards', async () => ({ boards: boards.map(summary) }));

  app.get<{ Params: { name: string } }>('/api/boards/:name', async (request, reply) => {
    const board = boards.find(({ definition }) => definition.name === request.params.name);
    if (!board) return reply.code(404).send({ error: 'there is no such board; /api/boards lists them' });
    const { period, rows, updatedMillis } = board.view(now());
    return {
      ...summary(board),
      ...periodFields(period),
      updatedAt: updatedMillis === null ? null : iso(updatedMillis),
      rows: rows.map(({ rank, values }) => ({ rank, ...Object.fromEntries(values) })),
    };
  });
}

function summary({ definition: { name, title, size }, status }: LiveBoard) {
  return { name, title, size, status: status.kind, url: `/api/boards/${name}` };
}

/** `season` or `asOf`, whichever the board has. */
function periodFields(period: ShownPeriod | null) {
  if (!period) return {};
  if (period.kind === 'instant') return { asOf: iso(period.atMillis) };
  return { season: { start: iso(period.startMillis), end: iso(period.endMillis), over: period.over } };
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
