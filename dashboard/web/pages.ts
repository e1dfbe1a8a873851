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
import { type Look, lookOf, queryOf, shownBoards } from '../page/view.ts';
import type { PipelineMonitor } from '../pipeline-state.ts';
import type { ScreenDelays } from '../stats/screen-delays.ts';
import type { Stats } from '../stats/stats.ts';
import { assetUrls } from './assets.ts';
import { compress, encodingFor } from './compress.ts';

export interface PageOptions {
  title: string;
  boards: readonly LiveBoard[];
  stats: Live<Stats>;
  colors: TeamColors;
  delays: ScreenDelays;
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
    send(request, reply, renderLook(options, lookOf(null, request.query))),
  );

  // Relative, as all links are: a proxy may have put a path before ours.
  for (const [path, root] of [
    ['/boards', './'],
    ['/boards/', '../'],
  ] as const)
    app.get<PageRequest>(path, async ({ query }, reply) =>
      reply.redirect(`${root}${queryOf(lookOf(null, query))}`, 302),
    );
  app.get<PageRequest>('/boards/:name/', async ({ params: { name = '' }, query }, reply) =>
    reply.redirect(`../${encodeURIComponent(name)}${queryOf(lookOf(name, query))}`, 302),
  );

  app.setNotFoundHandler(async (request, reply) => {
    reply.code(404);
    if (!isForBrowser(request)) return reply.send({ error: 'there is nothing here' });
    const root = rootFrom(request.url, app.prefix);
    return send(request, reply, renderMissing({ title, name: null, root, home: root, assets: assetUrls }));
  });

  app.get<PageRequest>('/boards/:name', async (request, reply) => {
    const { name = '' } = request.params;
    const look = lookOf(name, request.query);
    const isKnown = boards.some(({ definition }) => definition.name === name);
    if (isKnown) return send(request, reply, renderLook(options, look));
    const root = '../';
    const missing = { title, name, root, home: `${root}${queryOf(look)}`, assets: assetUrls };
    return send(request, reply.code(404), renderMissing(missing));
  });
}

/** Programs take anything; browsers ask for HTML when somebody opens an address. */
function isForBrowser({ headers: { accept } }: FastifyRequest): boolean {
  return accept?.includes('text/html') ?? false;
}

/** From an address to the page of all boards, as a relative URL. */
function rootFrom(url: string, prefix: string): string {
  const [path = ''] = url.slice(prefix.length).split('?');
  return '../'.repeat(path.split('/').length - 2) || './';
}

/** Names what the page is made of: its look, its script, its boards. Equal on all replicas of a version. */
export function releaseOf(title: string, boards: readonly LiveBoard[]): string {
  const parts = [title, assetUrls, boards.map(({ definition }) => definition)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

function renderLook(options: PageOptions, asked: Look): string {
  const { title, stats, colors, delays, release, jobAdvice } = options;
  const now = options.now();
  const state = options.pipeline.observe(now);
  const { boards, season } = shownBoards(options.boards, asked);
  const look = { ...asked, season };
  const page = pageOf({
    title,
    look,
    panels: boards.map((board) => panelOf(board, { ...look, now, pipeline: state.kind, colors })),
    definitions: boards.map(({ definition }) => definition),
    status: statusOf(state, jobAdvice),
    traffic: trafficOf(stats, state.kind, now),
    freshness: freshnessOf(stats, delays, now),
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
