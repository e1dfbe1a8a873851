import { z } from 'zod';
import { answers, playerChange } from './api-schema.ts';

/** What the document says of a query parameter. */
const AT = {
  name: 'at',
  in: 'query',
  description:
    'The board as it was shown at this moment: ISO 8601 with a zone, or epoch milliseconds. Of boards that keep their history.',
  schema: { type: 'string' },
  example: '2026-11-22T19:52:00Z',
};
const SEASON = {
  name: 'season',
  in: 'query',
  description:
    '`this`: the season that is shown, which is the default. `last`: the one before, as it ended. Or a moment of the season, in ISO 8601 with a zone or epoch milliseconds. Of boards that have seasons.',
  schema: { type: 'string' },
};
const BY = {
  name: 'by',
  in: 'query',
  description:
    'The value whose board it is, as /api/boards/{name}/values lists them. Of boards by value, which need it.',
  schema: { type: 'string' },
  example: 'NO',
};
const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Name of a board.',
  schema: { type: 'string' },
};
const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of an earlier answer, or several; 304 when one of them would be the same.',
  schema: { type: 'string' },
};

const UNCHANGED = { description: 'Nothing has changed since the answer with this ETag.' };
const refusal = (description: string) => ({ description, content: json('Error') });
const REFUSALS = {
  400: refusal('What was asked for cannot be read.'),
  404: refusal('There is no such board, or nothing is kept of it.'),
  503: refusal('The past cannot be read just now; Retry-After says when to try again.'),
};

export interface ApiDescription {
  title: string;
  /** Whether it asks for a sign-in. */
  secured: boolean;
  /** Whether programs may hide players. */
  hidesPlayers: boolean;
}

/**
 * The API's description, OpenAPI 3.1.
 *
 * @param basePath what its paths begin with; empty at the root
 */
export function openApiDocument(basePath: string, { title, secured, hidesPlayers }: ApiDescription): object {
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: '1.0.0',
      description: 'Leaderboards and the counts of their pipeline. Times are ISO 8601 in UTC.',
    },
    servers: [{ url: basePath || '/' }],
    ...(secured && { security: [{ bearer: [] }, { basic: [] }] }),
    paths: {
      '/api/boards': { get: operation('listBoards', 'All boards', json('Boards')) },
      '/api/boards/{name}': {
        get: operation('getBoard', 'A board', json('Board'), [NAME, BY, SEASON, AT], REFUSALS),
      },
      '/api/boards/{name}.csv': {
        get: operation('downloadBoard', 'A board for a spreadsheet', CSV, [NAME, BY, SEASON, AT], REFUSALS),
      },
      '/api/boards/{name}/values': {
        get: operation('listValues', 'The values of a board', json('Values'), [NAME, SEASON], REFUSALS),
      },
      '/api/boards/{name}/seasons': {
        get: operation('listSeasons', 'The seasons of a board', json('Seasons'), [NAME], REFUSALS),
      },
      '/api/stats': {
        get: operation('getStats', 'What went through the pipeline in the last five minutes', json('Stats')),
      },
      ...(hidesPlayers && { '/api/players': { post: CHANGE_PLAYER } }),
    },
    components: {
      schemas: schemas(),
      ...((secured || hidesPlayers) && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: { type: 'http', scheme: 'basic' },
};

const CSV = {
  'text/csv': {
    schema: {
      type: 'string',
      description: 'RFC 4180. The first line names the columns; texts cannot be formulas.',
    },
  },
};

const CHANGE_PLAYER = {
  operationId: 'changePlayer',
  summary: 'Hides a player, or shows it again',
  description: 'The token is that of the Secret spec.players.secretName, whatever the other paths ask for.',
  security: [{ bearer: [] }],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: z.toJSONSchema(playerChange) } },
  },
  responses: {
    204: { description: 'Kafka has it; boards follow within seconds.' },
    400: refusal('The body is not as above.'),
    401: refusal('The token is missing or wrong.'),
    429: refusal('Too many wrong tokens came from this address; Retry-After says when to try again.'),
    503: refusal('Kafka did not say that it has it. It may be sent again.'),
  },
};

function json(answer: keyof typeof answers) {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${answer}` } } };
}

function operation(
  operationId: string,
  summary: string,
  content: object,
  parameters: object[] = [],
  refusals: object = {},
) {
  return {
    operationId,
    summary,
    parameters: [...parameters, IF_NONE_MATCH],
    responses: { 200: { description: summary, content }, 304: UNCHANGED, ...refusals },
  };
}

function schemas(): object {
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => {
      const { $schema: _, ...schema } = z.toJSONSchema(answer);
      return [name, schema];
    }),
  );
}
