import { z } from 'zod';
import { calendar, seasonEnd } from './calendar.ts';
import { MOST_SCORE_DECIMALS } from './event.ts';

/*
 * What a board is to its readers: the fields of its records, and the definition by which the plan tells the
 * dashboard of it. The dashboard knows no leaderboard type: columns, identity and period are all it needs, so
 * a board written in SQL is shown like any other.
 */

/**
 * The key of a record, and a field of it: when its season began, in epoch milliseconds; 0 on boards without
 * seasons.
 */
export const SEASON_START = 'season_start';

/**
 * The other part of the key on boards by value, and a field of the record: the value whose board it is, a
 * text that is not empty.
 */
export const VALUE = 'value';

/** Field of a row: its rank, from 1. */
export const RANK = 'rnk';

/** Field of a row: when Kafka got the newest event that it counts, in epoch milliseconds. */
export const LAST_EVENT = 'last_event_at';

/** A field of a board's rows. */
export interface RowColumn {
  name: string;
  /** Flink SQL type. */
  type: 'STRING' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN';
  /** Its heading and how it is shown; undefined: only programs read it. */
  shown?: Omit<Column, 'name'>;
  /** Whether it is made of scores, and has decimals where these have. */
  isOfScores?: true;
}

const columnName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a column name: letters, digits, _');
const positiveMillis = z.int().min(1);

export const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be the name of a Kafka topic');

/** How many seasons that are over stay readable where a board does not say. */
export const DEFAULT_KEEP_SEASONS = 2;

/** How many values of a season readers keep where a board by value does not say. */
export const DEFAULT_MAX_VALUES = 1000;

const column = z.strictObject({
  name: columnName,
  label: z.string().min(1).max(60),
  /**
   * `percent`: a ratio 0..1, shown times 100. `factor`: how many times. `time`: epoch milliseconds, shown as
   * an age.
   */
  type: z.enum(['text', 'integer', 'decimal', 'factor', 'percent', 'time']),
  /** How many a `decimal` shows; not set: 2. */
  decimals: z.int().min(1).max(MOST_SCORE_DECIMALS).optional(),
});

const period = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('season'),
    /** Not set: seasons are those of the calendar, or how long they last is not known, or they never end. */
    lengthMillis: positiveMillis.optional(),
    calendar: calendar.optional(),
    /** How long after its end a season is frozen; not set: never. */
    latestArrivalMillis: positiveMillis.optional(),
  }),
  z.strictObject({ kind: z.literal('instant'), everyMillis: positiveMillis }),
]);

const boardName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be lower case letters, digits and -');

/** One board: which topic it is read from, what makes a row, and which columns are shown after the rank. */
export const boardDefinition = z
  .strictObject({
    /** Part of URLs and element ids. */
    name: boardName,
    title: z.string().min(1).max(120),
    topic: topicName,
    /** Where every change of the board is kept for a while, one after the other; not set: nowhere. */
    historyTopic: topicName.optional(),
    /**
     * Names the board's definition: records with another digest are left from an earlier one, and are not
     * shown.
     */
    digest: z.string().regex(/^[0-9a-f]{1,64}$/, 'must be a digest in hexadecimal digits'),
    size: z.int().min(1).max(1000),
    /** Not set: one board for all time. */
    period: period.optional(),
    /** How many seasons that are over stay readable; not set: the default. */
    keepSeasons: z.int().min(1).optional(),
    /** Set: there is a board for each value of a column of the events. */
    by: z
      .strictObject({
        /** Of the column. */
        name: z.string().min(1).max(100),
        label: z.string().min(1).max(100),
        /** How many values of a season are kept. */
        maxValues: z.int().min(1),
      })
      .optional(),
    /** The columns that say who holds a rank; a row keeps its element id while it climbs and falls. */
    identity: z.array(columnName).min(1),
    columns: z.array(column).min(1),
    /** Set: the field of a row that names a player, who may be hidden, which is for readers to do. */
    player: columnName.optional(),
    /** The numeric column drawn as a bar. */
    bar: columnName.optional(),
    /**
     * Set: the bar is as long as one numeric column is a multiple of another, and shows where the other ends.
     */
    strip: z
      .strictObject({ recent: columnName, usual: columnName, label: z.string().min(1).max(60) })
      .optional(),
    /** The column whose equal values share a rank, as readers show it; not set: each row has its own. */
    rankedBy: columnName.optional(),
    /**
     * Set: the name of the board that counts the events of robots too, and is the same otherwise. The page
     * shows one of the two.
     */
    peopleOf: boardName.optional(),
    /**
     * The field of a row that says when Kafka got the newest event that the row counts, in epoch
     * milliseconds.
     */
    lastEvent: columnName.optional(),
  })
  .superRefine((board, context) => {
    const names = board.columns.map((shown) => shown.name);
    if (new Set(names).size < names.length) {
      context.addIssue({ code: 'custom', path: ['columns'], message: 'names a column twice' });
    }
    const { bar, strip } = board;
    for (const [path, drawn] of Object.entries({ bar: [bar], strip: [strip?.recent, strip?.usual] })) {
      const isDrawable = (column?: string) =>
        column === undefined || board.columns.some(({ name, type }) => name === column && type !== 'text');
      if (!drawn.every(isDrawable)) {
        context.addIssue({ code: 'custom', path: [path], message: 'must be one of the numeric columns' });
      }
    }
  });

/** All boards of a dashboard, in the order they are shown. */
export const boardDefinitions = z
  .array(boardDefinition)
  .min(1)
  .superRefine((boards, context) => {
    boards.forEach((board, index) => {
      if (boards.findIndex((other) => other.name === board.name) < index) {
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another board' });
      }
      const { peopleOf } = board;
      if (peopleOf === undefined) return;
      const all = boards.find((other) => other.name === peopleOf);
      if (!all || all.peopleOf || boards.find((other) => other.peopleOf === peopleOf) !== board) {
        const message = 'must be the name of a board with robots, which no other board names';
        context.addIssue({ code: 'custom', path: [index, 'peopleOf'], message });
      }
    });
  });

export type BoardDefinition = z.infer<typeof boardDefinition>;
export type Column = z.infer<typeof column>;

/** What the records of a board belong to; undefined: there is one board for all time. */
export type Period = BoardDefinition['period'];

type SeasonPeriod = Extract<Period, { kind: 'season' }>;

/**
 * When a season ends that begins then; undefined where that is not known, or never. Both in epoch
 * milliseconds.
 */
export function seasonEndMillis(
  { lengthMillis, calendar }: SeasonPeriod,
  startMillis: number,
): number | undefined {
  if (calendar) return seasonEnd(calendar, startMillis);
  return lengthMillis && startMillis + lengthMillis;
}

/**
 * The rows of a record that are shown, with the ranks that are: without hidden players, those below move up.
 * Where a board shares ranks, rows that are equal in the column that it ranks by have the rank of the first
 * of them.
 *
 * @param rows in any order
 * @param read finds a row's value of a column
 * @param isHidden whether a player is, by its id
 */
export function shownRows<Row extends { rank: number }>(
  { size, player, rankedBy }: BoardDefinition,
  rows: readonly Row[],
  read: (row: Row, column: string) => unknown,
  isHidden: (player: unknown) => boolean,
): Row[] {
  const all = rows.toSorted((a, b) => a.rank - b.rank);
  const ranked =
    player === undefined
      ? all.filter(({ rank }) => rank <= size).slice(0, size)
      : all
          .filter((row) => !isHidden(read(row, player)))
          .slice(0, size)
          .map((row, index) => ({ ...row, rank: index + 1 }));
  if (rankedBy === undefined) return ranked;
  const shared: Row[] = [];
  for (const row of ranked) {
    const above = shared.at(-1);
    const isEqual = above && read(above, rankedBy) === read(row, rankedBy);
    shared.push(isEqual ? { ...row, rank: above.rank } : row);
  }
  return shared;
}
