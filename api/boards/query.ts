import { z } from 'zod';
import { RANK, SEASON_START } from '../../contract/board.ts';
import { isSingleSelect } from '../query.ts';
import { namesAreUnique, type Rule } from '../rule.ts';
import { boardType, type CommonBoard, type TypeField, type Values } from './board-type.ts';
import { PLACE } from './columns.ts';
import { EVENT_COLUMNS, inWords, STAYS_INSIDE } from './shared-fields.ts';

const COLUMN_TYPES = ['STRING', 'BIGINT', 'DOUBLE', 'BOOLEAN'] as const;

export interface QueryColumn {
  name: string;
  type: (typeof COLUMN_TYPES)[number];
  label: string;
}

/** A board written in SQL in the resource. */
export interface QueryBoard extends CommonBoard {
  type: 'Query';
  columns: QueryColumn[];
  query: string;
}

const column = z.strictObject({
  name: z
    .string()
    .max(40)
    .regex(/^[a-z][a-z0-9_]*$/, 'must be lower case letters, digits and _, beginning with a letter')
    .describe('Name of the column in the board and in the query’s result, in the same order.'),
  type: z.enum(COLUMN_TYPES).describe('Flink SQL type of the column.'),
  label: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe('Heading on the dashboard. Default: the name in words.'),
});

const columns: TypeField<z.ZodArray<typeof column>> = {
  schema: z
    .array(column)
    .min(2)
    .max(30)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  description: `the columns of the board. One must be ${RANK} BIGINT, the rank from 1; a column ${SEASON_START} BIGINT (epoch milliseconds) makes a board per season.`,
  rules: [
    {
      cel: `self.columns.exists(c, c.name == '${RANK}' && c.type == 'BIGINT')`,
      message: `one of the columns must be {name: ${RANK}, type: BIGINT}`,
      holds: (all) => all.some(({ name, type }) => name === RANK && type === 'BIGINT'),
    },
    {
      cel: `self.columns.all(c, c.name != '${SEASON_START}' || c.type == 'BIGINT')`,
      message: `the column ${SEASON_START} must be BIGINT (epoch milliseconds)`,
      holds: (all) => all.every(({ name, type }) => name !== SEASON_START || type === 'BIGINT'),
    },
    {
      // The API server holds this one by the list's map key.
      message: 'the names of columns must be unique',
      holds: namesAreUnique,
    },
  ],
};

const query: TypeField<z.ZodString> = {
  schema: z.string().min(1).max(20000),
  description: `one SELECT over the view valid_events (${EVENT_COLUMNS}) whose result has the columns, in their order.`,
  rules: [{ message: `the query must be one SELECT ${STAYS_INSIDE}`, holds: isSingleSelect }],
};

const fields = { columns, query };

const rules: Rule<Values<typeof fields>>[] = [
  {
    cel: '(has(self.columns) && has(self.query))',
    message: 'a Query board needs columns and query',
    holds: (values) => values.columns !== undefined && values.query !== undefined,
  },
];

const SHOWN_AS = { STRING: 'text', BOOLEAN: 'text', BIGINT: 'integer', DOUBLE: 'decimal' } as const;

export const queryType = boardType<QueryBoard>()({
  name: 'Query',
  summary: 'a SELECT of your own',
  fields,
  rules,
  resolve: (values) => ({
    columns: (values.columns ?? []).map((one) => ({ ...one, label: one.label ?? inWords(one.name) })),
    query: values.query ?? '',
  }),
  /** Its first column after the known ones says who holds the rank, the last number is the bar. */
  shape: (board) => {
    const own = board.columns
      .filter(({ name }) => name !== RANK && name !== SEASON_START)
      .map(({ name, type, label }) => ({ name, type, shown: { label, type: SHOWN_AS[type] } }));
    const bar = own.findLast(({ type }) => type === 'BIGINT' || type === 'DOUBLE')?.name;
    const hasSeasons = board.columns.some(({ name }) => name === SEASON_START);
    return {
      period: hasSeasons ? { kind: 'season' } : undefined,
      columns: [PLACE, ...own],
      identity: own.slice(0, 1).map(({ name }) => name),
      ...(bar && { bar }),
    };
  },
});
