import { z } from 'zod';
import { boardDefinition } from './board.ts';

/*
 * The final boards of seasons, for those who pay rewards: a topic with one record for each board, value and
 * season, which is a CloudEvent in JSON. The record's key is the event's id.
 */

export const SEASON_CLOSED = 'dev.gameanalytics.season.closed.v1';

/** The header by which Kafka's binding of CloudEvents knows a record that is one as a whole. */
export const RESULT_HEADERS = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };

const time = z.iso.datetime();

const row = z
  .object({ rank: z.int().min(1) })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** A record of the topic. Its fields in their order, each with what it is. */
export const seasonResult = z.strictObject({
  specversion: z.literal('1.0').describe('The version of CloudEvents.'),
  id: z
    .string()
    .describe(
      'Names the result: `<namespace>/<resource>/<board>/<start of the season>`, with the value before the season, percent-encoded, where the board is by value. Also the record’s key.',
    ),
  source: z.string().describe('The resource, by its path in Kubernetes’ API.'),
  type: z.literal(SEASON_CLOSED).describe(`\`${SEASON_CLOSED}\``),
  subject: z.string().describe('The board, and its value after a slash: the id without resource and season.'),
  time: time.describe('When the season was frozen: `data.season.frozenAt`.'),
  datacontenttype: z.literal('application/json').describe('`application/json`'),
  data: z.strictObject({
    board: z.string().describe('The board’s name.'),
    title: z.string().describe('The board’s title.'),
    value: z.string().exactOptional().describe('Whose board it is, where the board is by value.'),
    season: z.strictObject({
      start: time.describe('When the season began.'),
      end: time.describe('When it ended.'),
      frozenAt: time.describe('From when on events that reached Kafka did not count in it.'),
    }),
    rows: z
      .array(row)
      .min(1)
      .describe(
        'The ranks, at most as many as the board’s `size`: the fields that rows have in the board’s topic, with `rank` for `rnk`. With `shareRanks`, rows with the same score have the same rank.',
      ),
  }),
});

export type SeasonResult = z.infer<typeof seasonResult>;

/** What the status of a resource says of a board's last season that has a result. */
export const closedSeason = z.strictObject({
  board: z.string().max(40).describe('Name of the leaderboard.'),
  start: z.iso.datetime().meta({ format: 'date-time' }).describe('When the season began.'),
  closedAt: z.iso
    .datetime()
    .meta({ format: 'date-time' })
    .describe('When its result was written; of a board by value, the first one.'),
});

export type ClosedSeason = z.infer<typeof closedSeason>;

/** The resource whose results they are. */
export const resultSource = z.strictObject({
  namespace: z.string().min(1).max(253),
  name: z.string().min(1).max(253),
});

export type ResultSource = z.infer<typeof resultSource>;

/** A board whose seasons have results. */
export const closingBoard = z.strictObject({
  definition: boardDefinition,
  /** The consumer group whose offsets the job commits once a checkpoint has all that it made of them. */
  group: z.string().min(1).max(255),
});

export const closingBoards = z.array(closingBoard);

export type ClosingBoard = z.infer<typeof closingBoard>;
