import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Live } from '../live.ts';
import { pageOf } from '../page/page.ts';
import { panelOf } from '../page/panel.ts';
import { renderMissing, renderPage } from '../page/render.ts';
import { statusOf } from '../page/status.ts';
import type { TeamColors } from '../page/team-color.ts';
import { freshnessOf, trafficOf } from '../page/traffic.ts';
import { type Look, lookOf, queryOf } from '../page/view.ts';
import type { PipelineMonitor } from '../pipeline-state.ts';
import type { Stats } from '../stats/stats.ts';
import { assetUrls } from './assets.ts';
import { compress, encodingFor } from './compress.ts';

export interface PageOptions {
  title: string;
  boards: readonly LiveBoard[];
  stats: Live<Stats>;
  colors: TeamColors;
  pipeline: PipelineMonitor;
  /** What to do when the job counts nothing; empty when nobody knows. */
  jobAdvice: string;
  /** Names the page that is served. */
  release: string;
  /** Epoch milliseconds. */
  now: () => number;
}

interface PageRequest {
  Params: { name?: string };
  Querystring: Record<string, unknown>;
}

/** Serves the page of all boards and that of each, complete with the boards as they are now. */
export async function pageRoutes(app: FastifyInstance, options: PageOptions): Promise<void> {
  const { title, boards } = options;

  app.get<PageRequest>('/', async (request, reply) =>
    send(request, reply, renderLook(options, boards, lookOf(null, request.query))),
  );

  app.get<PageRequest>('/boards/:name', async (request, reply) => {
    const { name = '' } = request.params;
    const look = lookOf(name, request.query);
    const board = boards.find(({ definition }) => definition.name === name);
    if (board) return send(request, reply, renderLook(options, [board], look));
    const root = '../';
    const missing = { title, name, root, home: `${root}${queryOf(look)}`, assets: assetUrls };
    return send(request, reply.code(404), renderMissing(missing));
  });
}

/** Names what the page is made of: its look, its script, its boards. Equal on all replicas of a version. */
export function releaseOf(title: string, boards: readonly LiveBoard[]): string {
  const parts = [title, assetUrls, boards.map(({ definition }) => definition)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

function renderLook(options: PageOptions, boards: readonly LiveBoard[], look: Look): string {
  const { title, stats, colors, release, jobAdvice } = options;
  const now = options.now();
  const state = options.pipeline.observe(now);
  const page = pageOf({
    title,
    look,
    panels: boards.map((board) => panelOf(board, { ...look, now, pipeline: state.kind, colors })),
    definitions: boards.map(({ definition }) => definition),
    status: statusOf(state, jobAdvice),
    traffic: trafficOf(stats, now),
    freshness: freshnessOf(stats, now),
    assets: assetUrls,
    release,
    now,
  });
  return renderPage(page);
}

function send(request: FastifyRequest, reply: FastifyReply, html: string): FastifyReply {
  const encoding = encodingFor(request.headers['accept-encoding']);
  const content = Buffer.from(html);
  if (encoding) reply.header('content-encoding', encoding);
  return reply
    .header('cache-control', 'no-store')
    .header('vary', 'accept-encoding')
    .type('text/html; charset=utf-8')
    .send(encoding ? compress(content, encoding, 'quickly') : content);
}
