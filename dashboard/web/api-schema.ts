import { z } from 'zod';
import {
  COUNTERS,
  eachCounter,
  eachReason,
  eachTotal,
  MALFORMED,
  NEWEST_EVENT_TIME,
  SLOT_MILLIS,
  UNCOUNTED_REASON,
} from '../../contract/stats.ts';
import { PIPELINE_KINDS } from '../pipeline-state.ts';

/*
 * What the API answers. The routes are typed by these schemas and the OpenAPI document is printed from them,
 * so that neither can say what the other does not.
 */

const time = z.iso.datetime();
const status = z
  .enum(['waiting', 'live', 'away'])
  .describe('waiting: not read yet. live: followed. away: Kafka is away, and this is what was last known.');
const count = z.int().min(0);

const summary = z.object({
  name: z.string(),
  title: z.string(),
  size: z.int().describe('How many ranks the board has.'),
  status,
  digest: z.string().describe('Names what is counted and how: it changes with the board’s definition.'),
  by: z
    .string()
    .exactOptional()
    .describe('On boards by value: the column of the events each of whose values has a board.'),
  values: z.string().exactOptional().describe('On boards by value: path of the list of their values.'),
  history: z.boolean().describe('Whether the board can be asked for as it was, by `at`.'),
  url: z.string().describe('Path of the board; on boards by value, to be asked for with `by`.'),
});

const row = z
  .object({ rank: z.int().min(1) })
  .catchall(z.union([z.string(), z.number(), z.null()]))
  .describe(
    'The rank, and a value for each column of the board. Ratios are from 0 to 1, times are ISO 8601.',
  );

const season = z.object({
  start: time,
  end: time,
  over: z.boolean(),
  frozenAt: time
    .exactOptional()
    .describe('From when on events that reach Kafka do not count in it, if its board’s seasons are frozen.'),
});

const seasons = z.object({
  seasons: z
    .array(z.object({ ...season.shape, url: z.string().describe('Path of the board of this season.') }))
    .describe('Those that have begun and are kept, the newest first.'),
});

const values = z.object({
  season: season.exactOptional().describe('The season of the values, on boards that have seasons.'),
  values: z
    .array(
      z.object({
        value: z.string(),
        rows: z.int().min(1).describe('How many ranks its board has.'),
        leader: row.describe('The first of them.'),
        url: z.string().describe('Path of its board.'),
      }),
    )
    .describe('Those that are kept, in the order of their UTF-16 units.'),
  leftOut: count.describe(
    'How many more values the season has, in the topic: those whose boards changed longer ago. 10,000: so many, or more.',
  ),
});

const board = z.object({
  ...summary.shape,
  value: z.string().exactOptional().describe('The value whose board it is, on boards by value.'),
  at: time.exactOptional().describe('The moment that was asked for.'),
  season: season.exactOptional().describe('The season of the rows, on boards that have seasons.'),
  asOf: time.exactOptional().describe('The instant of the rows, on boards of instants.'),
  updatedAt: time.nullable().describe('When the board was last written to.'),
  rows: z.array(row).describe('By rank.'),
});

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const slot = z.object({
  start: time,
  ...eachCounter((name) => count.describe(COUNTERS[name].description)),
  undecodableMessages: count
    .nullable()
    .describe(
      `${COUNTERS.undecodableMessages.description} Null until the job has read all events of the slot.`,
    ),
  notCounted: z
    .object(
      eachReason(({ id, text }) => (id === MALFORMED ? count.nullable() : count).describe(sentence(text))),
    )
    .describe('The invalid events and the malformed messages by reason.'),
  newestEventTime: time.nullable().describe(NEWEST_EVENT_TIME),
  uncountedReason: z.string().nullable().describe(UNCOUNTED_REASON),
});

const pipeline = z.object({
  state: z
    .enum(PIPELINE_KINDS)
    .describe(
      'live: events are counted as they come. quiet: none are coming. behind: the job counts old events first. stalled: events arrive and the job counts none. replaced: the events topic was deleted and created again. unavailable: Kafka does not answer. waiting: nothing is known yet.',
    ),
  since: time.describe('Since when this dashboard has seen it so.'),
  countedUntil: time
    .nullable()
    .describe(`No newer event was counted, by Kafka’s time of it; to ${SLOT_MILLIS / 1000} s.`),
  lastCountAt: time.nullable().describe('When the job last wrote a count.'),
});

const stats = z.object({
  now: time,
  status,
  pipeline,
  eventsPerSecond: z
    .number()
    .min(0)
    .nullable()
    .describe('Over the last minute; null while not all events are counted.'),
  eventToScreen: z
    .object({ medianMillis: z.number().min(0), p99Millis: z.number().min(0) })
    .nullable()
    .describe(
      'How old the events of the boards’ rows were when they went to the screens, in the last minute; null when none did.',
    ),
  newestEventTime: time.nullable(),
  ageMillis: z.number().min(0).nullable().describe('Of the newest event.'),
  totals: z
    .object({
      ...eachTotal((name) => count.describe(COUNTERS[name].description)),
      notCounted: z
        .object(eachReason(({ text }) => count.describe(sentence(text))))
        .describe('The invalid events and the malformed messages by reason.'),
    })
    .describe('Of all slots.'),
  examples: z
    .record(z.string(), z.string())
    .describe(
      'By reason, the newest event or message that was not counted, if it is known: digits are 0, letters are x.',
    ),
  slots: z.array(slot).describe('The last five minutes, five seconds each; one without events is left out.'),
});

/** What is sent to hide a player, or to show it again. */
export const playerChange = z.strictObject({
  id: z.string().describe('The player’s id, of 1 to 256 characters.'),
  state: z
    .enum(['hidden', 'erased', 'shown'])
    .describe('erased: hidden, and other readers of the topic should delete what they keep of the player.'),
});

/** Every answer, by its name in the OpenAPI document. */
export const answers = {
  Boards: z.object({ boards: z.array(summary) }),
  Board: board,
  Seasons: seasons,
  Values: values,
  Stats: stats,
  Error: z.object({ error: z.string().describe('What is wrong, in a sentence.') }),
};

/** What a route answers: undefined becomes null in JSON; what is optional is left out instead. */
type Answer<Json> = Json extends null
  ? undefined
  : Json extends object
    ? { [Name in keyof Json]: Answer<Json[Name]> }
    : Json;

export type BoardSummary = Answer<z.infer<typeof summary>>;
export type BoardAnswer = Answer<z.infer<typeof board>>;
export type ValuesAnswer = Answer<z.infer<typeof values>>;
export type SeasonsAnswer = Answer<z.infer<typeof seasons>>;
export type StatsAnswer = Answer<z.infer<typeof stats>>;
