import type { FastifyInstance } from 'fastify';
import type { LiveBoard } from '../boards/live-board.ts';
import { panelOf } from '../page/panel.ts';
import { renderPage } from '../page/render.ts';
import { assetUrls } from './assets.ts';

export interface PageOptions {
  title: string;
  boards: readonly LiveBoard[];
  /** Epoch milliseconds. */
  now: () => number;
}

/** Serves the page, complete with all boards as they are now. */
export async function pageRoutes(app: FastifyInstance, { title, boards, now }: PageOptions): Promise<void> {
  app.get('/', async (_request, reply) => {
    const panels = boards.map((board) => panelOf(board.definition, board.view(now()), board.status));
    const html = renderPage({ title, panels, assets: assetUrls, now: now() });
    return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html);
  });
}
