import etag from '@fastify/etag';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoardDefinition } from '../../contract/board.ts';
import type { BoardView, Season, ShownPeriod, ShownSeason } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Row } from '../boards/record.ts';
import type { BoardAnswer, BoardSummary, SeasonsAnswer, ValuesAnswer } from './api-schema.ts';
import { compressAnswer } from './compress.ts';
import { answerConditionally } from './conditional.ts';
import { csv } from './csv.ts';
import { type ApiDescription, openApiDocument } from './openapi.ts';
import type { PastBoards } from './past-boards.ts';
import { type StatsOptions, statsRoutes } from './stats.ts';
import { iso, parseTimestamp } from './timestamp.ts';

export interface ApiOptions extends StatsOptions, ApiDescription {
  boards: readonly LiveBoard[];
  past: PastBoards;
}

interface BoardRequest {
  Params: { name: string };
  Querystring: { by?: unknown; at?: unknown; season?: unknown };
}

/** The requested board, or why it is not available. */
type Found = { board: LiveBoard; view: BoardView; moment?: { at: string } } | Refusal;

interface Refusal {
  code: 400 | 404 | 503;
  error: string;
  retryAfterSeconds?: number;
}

const NO_BOARD = { code: 404, error: 'there is no such board; /api/boards lists them' } as const;

/**
 * The boards as JSON and CSV, and the pipeline's counts as JSON. Times are ISO 8601 in UTC, ratios are 0..1.
 */
export async function apiRoutes(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { boards, past, now } = options;
  const basePath = app.prefix;
  app.addHook('onSend', async (_request, reply) => {
    // Only browsers cache it, and revalidate each time: an unchanged answer costs its ETag.
    reply.header('cache-control', 'private, no-cache');
  });
  // Weak: what is compressed has the same.
  await app.register(etag, { weak: true, replyWith304: false });
  app.addHook('onSend', answerConditionally);
  app.addHook('onSend', compressAnswer);
  // As the types of the answers have it, whose optional fields are never there and undefined.
  app.setReplySerializer((answer) => JSON.stringify(answer, (_, value) => value ?? null));
  await app.register(statsRoutes, options);

  const path = (name: string) => `${basePath}/api/boards/${name}`;
  const summary = ({ definition: { name, title, size, digest, by }, status }: LiveBoard): BoardSummary => ({
    name,
    title,
    size,
    status: status.kind,
    digest,
    ...(by && { by: by.name, values: `${path(name)}/values` }),
    history: past.has(name),
    url: path(name),
  });

  const find = async ({ params, query }: FastifyRequest<BoardRequest>): Promise<Found> => {
    const board = boards.find(({ definition }) => definition.name === params.name);
    if (!board) return NO_BOARD;
    const asked = parseValue(board, query.by, `${path(params.name)}/values`);
    if ('error' in asked) return asked;
    const { value } = asked;
    if (query.season !== undefined) return findSeason(board, query, value, now());
    if (query.at === undefined) return ofValue(board, board.view(now(), 'this', value));
    const answer = await past.answer(board.definition.name, query.at);
    if (answer.code !== 200) return answer;
    const { atMillis, view } = answer;
    return { board, view, moment: { at: iso(atMillis) } };
  };

  app.get('/api/openapi.json', async () => openApiDocument(basePath, options));

  app.get('/api/boards', async () => ({ boards: boards.map(summary) }));

  app.get<BoardRequest>('/api/boards/:name', async (request, reply) => {
    const found = await find(request);
    if ('error' in found) return refuse(reply, found);
    const { board, view, moment } = found;
    return { ...summary(board), ...moment, ...viewFields(board.definition, view) } satisfies BoardAnswer;
  });

  app.get<BoardRequest>('/api/boards/:name/seasons', async ({ params }, reply) => {
    const board = boards.find(({ definition }) => definition.name === params.name);
    if (!board) return refuse(reply, NO_BOARD);
    const url = `${path(params.name)}${board.definition.by ? '/values' : ''}?season=`;
    return {
      seasons: board.content
        .seasons(now())
        .map((season) => ({ ...seasonFields(season), url: `${url}${season.startMillis}` })),
    } satisfies SeasonsAnswer;
  });

  app.get<BoardRequest>('/api/boards/:name/values', async ({ params, query: { season } }, reply) => {
    const board = boards.find(({ definition }) => definition.name === params.name);
    if (!board) return refuse(reply, NO_BOARD);
    const which = season === undefined ? 'this' : parseSeason(season);
    if (which === undefined) return refuse(reply, { code: 400, error: INVALID_SEASON });
    const kept = board.definition.by && board.content.values(now(), which);
    const { period, values = [], leftOut = 0 } = kept ?? {};
    const query = typeof season === 'string' && season !== 'this' ? { season } : {};
    return {
      ...periodFields(period),
      values: values.map(({ name, rows }) => ({
        value: name,
        rows: rows.length,
        leader: rowFields(board.definition, rows[0]!),
        url: `${path(params.name)}?${new URLSearchParams({ by: name, ...query })}`,
      })),
      leftOut,
    } satisfies ValuesAnswer;
  });

  app.get<BoardRequest>('/api/boards/:name.csv', async (request, reply) => {
    const found = await find(request);
    if ('error' in found) return refuse(reply, found);
    const { definition } = found.board;
    return reply
      .header('content-disposition', `attachment; filename="${definition.name}.csv"`)
      .type('text/csv; charset=utf-8; header=present')
      .send(
        csv(
          columnNames(definition),
          found.view.rows.map((row) => withIsoTimes(definition, row)),
        ),
      );
  });
}

/** The value that is asked for, or why there is nothing to answer whatever the season is. */
function parseValue(
  { definition: { by }, ready }: LiveBoard,
  asked: unknown,
  list: string,
): { value?: string } | Refusal {
  if (!by) return asked === undefined ? {} : { code: 404, error: 'this board has no values' };
  if (typeof asked !== 'string')
    return {
      code: 400,
      error: `there is a board for each ${by.name}: ask for one by ?by=, ${list} lists them`,
    };
  return ready
    ? { value: asked }
    : { code: 503, error: 'this board has not been read yet; try again', retryAfterSeconds: 1 };
}

function ofValue(board: LiveBoard, view: BoardView): Found {
  if (!view.value || view.value.isKept) return { board, view };
  const { name } = board.definition;
  return { code: 404, error: `nothing is kept of this value; /api/boards/${name}/values lists the others` };
}

function findSeason(
  board: LiveBoard,
  { at, season: asked }: BoardRequest['Querystring'],
  value: string | undefined,
  now: number,
): Found {
  const season = parseSeason(asked);
  if (season === undefined || at !== undefined) return { code: 400, error: INVALID_SEASON };
  if (season === 'this') return ofValue(board, board.view(now, season, value));
  if (board.definition.period?.kind !== 'season') return { code: 404, error: 'this board has no seasons' };
  const view = board.view(now, season, value);
  if (view.rows.length > 0) return { board, view };
  return {
    code: 404,
    error: `nothing is kept of ${value === undefined ? '' : 'this value in '}${season === 'last' ? 'the season before' : 'this season'}`,
  };
}

function parseSeason(season: unknown): Season | undefined {
  return season === 'this' || season === 'last' ? season : parseTimestamp(season);
}

const INVALID_SEASON =
  'season can be this, last, or a moment of it (ISO 8601, or epoch milliseconds), and not together with at';

function refuse(reply: FastifyReply, { code, error, retryAfterSeconds }: Refusal) {
  if (retryAfterSeconds) reply.header('retry-after', retryAfterSeconds);
  return reply.code(code).send({ error });
}

function columnNames({ identity, columns }: BoardDefinition): string[] {
  return [...new Set([...identity, ...columns.map(({ name }) => name)])];
}

function viewFields(definition: BoardDefinition, { period, updatedMillis, rows, value }: BoardView) {
  return {
    ...(value?.name !== undefined && { value: value.name }),
    ...periodFields(period),
    updatedAt: iso(updatedMillis),
    rows: rows.map((row) => rowFields(definition, row)),
  };
}

function rowFields(definition: BoardDefinition, row: Row) {
  return { ...Object.fromEntries(withIsoTimes(definition, row).values), rank: row.rank };
}

function withIsoTimes({ columns }: BoardDefinition, row: Row): Row {
  const values = new Map(row.values);
  for (const { name, type } of columns) {
    const value = values.get(name);
    if (type === 'time' && typeof value === 'number') values.set(name, iso(value));
  }
  return { ...row, values };
}

function periodFields(period: ShownPeriod | undefined) {
  if (!period) return {};
  if (period.kind === 'instant') return { asOf: iso(period.atMillis) };
  return { season: seasonFields(period) };
}

function seasonFields({ startMillis, endMillis, over, frozenMillis }: ShownSeason) {
  return {
    start: iso(startMillis),
    end: iso(endMillis),
    over,
    ...(frozenMillis !== undefined && { frozenAt: iso(frozenMillis) }),
  };
}
