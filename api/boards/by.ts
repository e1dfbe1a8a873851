import { z } from 'zod';
import { DEFAULT_KEEP_SEASONS, DEFAULT_MAX_VALUES } from '../../contract/board.ts';
import { LONGEST_TEXT } from '../../contract/event.ts';
import { COLUMN_NAME } from '../column-name.ts';
import { integer } from '../integer.ts';
import type { Rule } from '../rule.ts';
import type { BoardShape, TypeField, Values } from './board-type.ts';

/* Boards by value: one for each value of a column of the events. */

const by: TypeField<z.ZodString> = {
  schema: z
    .string()
    .max(100)
    .regex(COLUMN_NAME, 'must be the name of a column: letters, digits, _ @ . and -'),
  description: `a column of the events, such as country. There is a board for each of its values: text, of which ${LONGEST_TEXT} characters are kept, a whole number or a BOOLEAN. An event without a value (NULL, or empty text) does not count for this board.`,
};

const maxValues: TypeField<z.ZodNumber> = {
  schema: integer(1, 10_000),
  description: `how many values of a season the dashboard and the HTTP API keep, those whose boards changed last. The topic has all. Default ${DEFAULT_MAX_VALUES}.`,
};

export const byFields = { by, maxValues };

/** Of all values and seasons of a board, kept by the dashboard; a row takes up to 2 KB there. */
const MOST_ROWS = 100_000;

interface ByValue extends Values<typeof byFields> {
  size?: number;
  keepSeasons?: number | undefined;
  history?: boolean;
}

export const byRules: Rule<ByValue>[] = [
  {
    cel: '(!has(self.maxValues) || has(self.by))',
    message: 'maxValues is only for boards with by',
    holds: ({ by, maxValues }) => maxValues === undefined || by !== undefined,
  },
  {
    cel: '(!has(self.by) || !self.history)',
    message: 'by and history exclude each other: of boards by value, no history is kept',
    holds: ({ by, history }) => by === undefined || !history,
  },
  {
    cel: `(!has(self.by) || self.size * (has(self.maxValues) ? self.maxValues : ${DEFAULT_MAX_VALUES}) * (1 + (has(self.keepSeasons) ? self.keepSeasons : ${DEFAULT_KEEP_SEASONS})) <= ${MOST_ROWS})`,
    message: `with by, size times maxValues times (1 + keepSeasons) must be at most ${MOST_ROWS}: so many rows the dashboard keeps`,
    holds: ({ by, size = 0, maxValues = DEFAULT_MAX_VALUES, keepSeasons = DEFAULT_KEEP_SEASONS }) =>
      by === undefined || size * maxValues * (1 + keepSeasons) <= MOST_ROWS,
  },
];

/** A board that may be one for each value. */
export interface ByBoard {
  /** Name of the column whose values have boards of their own. */
  by?: string;
  /** How many values of a season its readers keep; set where `by` is. */
  maxValues?: number;
}

export function resolveBy({ by, maxValues = DEFAULT_MAX_VALUES }: Values<typeof byFields>): ByBoard {
  return by === undefined ? {} : { by, maxValues };
}

export function byShape({ by, maxValues = DEFAULT_MAX_VALUES }: ByBoard): Pick<BoardShape, 'by'> {
  return by === undefined ? {} : { by: { name: by, maxValues } };
}
