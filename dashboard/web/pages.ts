import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LiveBoard } from '../boards/live-board.ts';
import { createPage } from '../page/page.ts';
import {
  findPair,
  formatQuery,
  type PageState,
  parsePageState,
  shownBoards,
  valueParameter,
} from '../page/page-state.ts';
import { renderMissing, renderPage } from '../page/render.ts';
import { assetUrls } from './assets.ts';
import { encodingFor } from './compress.ts';
import type { FragmentCache } from './fragments.ts';
import { PageCache, type ReadyPage, readyPage } from './page-cache.ts';

export interface PageOptions {
  title: string;
  boards: readonly LiveBoard[];
  fragments: FragmentCache;
  /** Names the page that is served. */
  release: string;
  /** Epoch milliseconds. */
  now: () => number;
}

interface PageRequest {
  Params: { name?: string; value?: string };
  Querystring: Record<string, unknown>;
}

/** Serves the page of all boards and that of each, complete with the boards as they are now. */
export async function pageRoutes(app: FastifyInstance, options: PageOptions): Promise<void> {
  const { title, boards, fragments } = options;
  const pages = new PageCache<PageState>({
    render: (state, marked) => renderPageState(options, state, marked),
    currentTick: () => fragments.currentTick,
    clock: () => performance.now(),
  });

  app.get<PageRequest>('/', async (request, reply) =>
    send(request, reply, pages.get(parsePageState(request.query))),
  );

  // Relative, as all links are: a proxy may have put a path before ours.
  for (const [path, root] of [
    ['/boards', './'],
    ['/boards/', '../'],
  ] as const)
    app.get<PageRequest>(path, async ({ query }, reply) =>
      reply.redirect(`${root}${formatQuery(parsePageState(query))}`, 302),
    );
  app.get<PageRequest>('/boards/:name/', async ({ params: { name = '' }, query }, reply) =>
    reply.redirect(`../${encodeURIComponent(name)}${formatQuery(parsePageState(query, name))}`, 302),
  );
  app.get<PageRequest>('/boards/:name/:value', async ({ params: { name = '', value }, query }, reply) => {
    const board = boards.find(({ definition }) => definition.name === name && definition.by);
    if (!board) return reply.callNotFound();
    const state = parsePageState({ ...query, [valueParameter(board.definition)]: value }, name);
    return reply.redirect(`../${name}${formatQuery(state)}`, 302);
  });

  app.setNotFoundHandler(async (request, reply) => {
    reply.code(404);
    // Programs accept anything; browsers ask for HTML when a user opens an address.
    const isForBrowser = request.headers.accept?.includes('text/html');
    if (!isForBrowser) return reply.send({ error: 'there is nothing here' });
    const [path = ''] = request.url.slice(app.prefix.length).split('?');
    const root = '../'.repeat(path.split('/').length - 2) || './';
    const missing = { title, name: undefined, root, home: root, assets: assetUrls };
    return send(request, reply, readyPage(renderMissing(missing)));
  });

  app.get<PageRequest>('/boards/:name', async (request, reply) => {
    const { name = '' } = request.params;
    const state = parsePageState(request.query, name);
    const isKnown = boards.some(({ definition }) => definition.name === name);
    if (isKnown) return send(request, reply, pages.get(state));
    const root = '../';
    const missing = { title, name, root, home: `${root}${formatQuery(state)}`, assets: assetUrls };
    return send(request, reply.code(404), readyPage(renderMissing(missing)));
  });
}

/** Names what the page is made of: its look, its script, its boards. Equal on all replicas of a version. */
export function computeRelease(title: string, boards: readonly LiveBoard[]): string {
  const parts = [title, assetUrls, boards.map(({ definition }) => definition)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

function renderPageState(
  { title, boards, fragments, release, now }: PageOptions,
  asked: PageState,
  marked: boolean,
): string {
  const shown = shownBoards(boards, asked);
  const definitions = shown.boards.map(({ definition }) => definition);
  const pair = definitions.map((one) => findPair(boards, one)).find((found) => found !== undefined);
  const isOneOfPair = pair !== undefined && asked.board !== undefined;
  const people = isOneOfPair ? asked.board === pair.people || undefined : asked.people;
  const state = { ...asked, season: shown.season, people };
  const { boards: panels, ...rest } = fragments.page(state, marked ? state.search : '');
  return renderPage(
    createPage({
      title,
      state,
      panels,
      definitions,
      pair,
      ...rest,
      assets: assetUrls,
      release,
      now: now(),
    }),
  );
}

async function send(request: FastifyRequest, reply: FastifyReply, page: ReadyPage): Promise<FastifyReply> {
  const encoding = encodingFor(request.headers['accept-encoding']);
  const content = encoding ? await page.encoded(encoding) : page.content;
  if (encoding) reply.header('content-encoding', encoding);
  return reply
    .header('cache-control', 'no-store')
    .header('vary', 'accept-encoding')
    .type('text/html; charset=utf-8')
    .send(content);
}
