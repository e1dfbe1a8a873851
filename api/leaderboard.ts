import { z } from 'zod';
import { RANK, SEASON_START } from '../contract/board.ts';
import { EVENT_FIELDS, ROBOT_PREFIX } from '../contract/event.ts';
import { celSeconds, duration, millis } from './duration.ts';
import { integer } from './integer.ts';
import { ownName } from './object-name.ts';
import { isSingleCondition, isSingleSelect } from './query.ts';
import { namesAreUnique, type Rule, withRules } from './rule.ts';

/** Names of boards that would collide with the pipeline's own topics. */
const RESERVED_NAMES = ['user-score', 'pipeline-stats'];

const COLUMN_TYPES = ['STRING', 'BIGINT', 'DOUBLE', 'BOOLEAN'] as const;

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

const SEASON_TYPES = ['TopTeams', 'TopPlayers', 'TeamMvps'];

/** Fields that only some types of board have, and the types that have them. */
const FIELD_TYPES: Record<string, string[]> = {
  where: [...SEASON_TYPES, 'HotStreakers'],
  season: SEASON_TYPES,
  minimumEvents: ['TeamMvps'],
  shortWindow: ['HotStreakers'],
  longWindow: ['HotStreakers'],
  memory: ['HotStreakers'],
  every: ['HotStreakers'],
  columns: ['Query'],
  query: ['Query'],
};

/** Defaults of the hot streaks' windows, which several rules must also assume. */
const WINDOW_DEFAULTS = { shortWindow: '10s', longWindow: '60s', memory: '5m', every: '5s' } as const;
type WindowField = keyof typeof WINDOW_DEFAULTS;

const DEFAULT_MINIMUM_EVENTS = 10;

/** What a condition or a query can read, in the words of its description. */
const EVENT_COLUMNS = `${eventColumns()}; event_time TIMESTAMP_LTZ(3)`;

/** The fields of an event by type: user_id, team_id STRING; score BIGINT. */
function eventColumns(): string {
  const byType = Map.groupBy(Object.entries(EVENT_FIELDS), ([, { type }]) => type);
  return [...byType].map(([type, fields]) => `${fields.map(([name]) => name).join(', ')} ${type}`).join('; ');
}

const fields = z.strictObject({
  name: ownName().describe(
    'Name of the leaderboard, unique in this resource. Its topic is <resource>-<name>.',
  ),
  type: z
    .enum(['TopTeams', 'TopPlayers', 'HotStreakers', 'TeamMvps', 'Query'])
    .describe(
      'What is ranked. TopTeams: teams by their total score. TopPlayers: players by their total score. HotStreakers: players by how far their recent average score rose above their longer one. TeamMvps: each team’s best player, by share of the team’s total. Query: a SELECT of your own.',
    ),
  title: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('Heading on the dashboard. Default: the name in words.'),
  size: integer(1, 1000)
    .default(10)
    .describe(
      'How many ranks are shown. The topic holds the ranks up to the next power of two from 16 (at most 1000), so that a size can change within it without a restart of the job; a greater change recomputes only this board.',
    ),
  history: z
    .boolean()
    .default(false)
    .describe(
      'Keeps the board’s changes in the topic <resource>-<name>-history, to which is only ever appended, so that the board at an earlier time can be asked for.',
    ),
  where: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .describe(
      `TopTeams, TopPlayers, TeamMvps, HotStreakers: a SQL condition on the events that count for this board, such as user_id NOT LIKE '${ROBOT_PREFIX}%'. Its columns are those of the view valid_events (${EVENT_COLUMNS}). Default: every valid event counts.`,
    ),
  season: z
    .string()
    .max(7)
    .regex(/^(none|[0-9]{1,6}[smhd])$/, 'must be none, or a duration such as 30m, 1h or 7d')
    .optional()
    .describe(
      'How long totals run before they start anew, from 1m to 30d: seasons begin at multiples of it since 1970-01-01T00:00Z, and an event counts in the season it happened in. none: totals run for ever. Default 1h.',
    ),
  minimumEvents: integer(1, 1_000_000)
    .optional()
    .describe(
      'TeamMvps: how many events of a season a team needs to be ranked. The share of a player in a team that has hardly played says little: of one event it is 100 %. Default 10.',
    ),
  shortWindow: duration('HotStreakers: the recent window, a multiple of `every`. Default 10s.').optional(),
  longWindow: duration(
    'HotStreakers: the window it is compared with, a multiple of `every`. Default 60s.',
  ).optional(),
  memory: duration(
    'HotStreakers: how long a player’s best moment is remembered, a multiple of `every`. Default 5m.',
  ).optional(),
  every: duration('HotStreakers: how often the board is drawn, in event time. Default 5s.').optional(),
  columns: z
    .array(column)
    .min(2)
    .max(30)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe(
      `Query: the columns of the board. One must be ${RANK} BIGINT, the rank from 1; a column ${SEASON_START} BIGINT (epoch milliseconds) makes a board per season.`,
    ),
  query: z
    .string()
    .min(1)
    .max(20000)
    .optional()
    .describe(
      `Query: one SELECT over the view valid_events (${EVENT_COLUMNS}) whose result has the columns, in their order.`,
    ),
});

type Fields = z.output<typeof fields>;

const windowMillis = (board: Fields, field: WindowField): number =>
  millis(board[field] ?? WINDOW_DEFAULTS[field]);
const celWindow = (field: WindowField): string =>
  celSeconds(`(has(self.${field}) ? self.${field} : '${WINDOW_DEFAULTS[field]}')`);

function fieldBelongs(field: string, types: string[]): Rule<Fields> {
  return {
    cel: `!has(self.${field}) || self.type in [${types.map((type) => `'${type}'`).join(', ')}]`,
    message: `${field} is only for ${types.join(', ')}`,
    field,
    holds: (board) => board[field as keyof Fields] === undefined || types.includes(board.type),
  };
}

function multipleOfEvery(field: Exclude<WindowField, 'every'>): Rule<Fields> {
  return {
    cel: `self.type != 'HotStreakers' || ${celWindow('every')} == 0 || (${celWindow(field)}) % (${celWindow('every')}) == 0`,
    message: `${field} must be a multiple of every`,
    holds: (board) =>
      board.type !== 'HotStreakers' || !(windowMillis(board, field) % windowMillis(board, 'every')),
  };
}

/** How a message goes on about SQL that does not stay inside the statement it is put into. */
const STAYS_INSIDE =
  'with its quotes, comments and parentheses closed; semicolons, double quotes, hints, // comments and E strings are not allowed';

const rules: Rule<Fields>[] = [
  ...Object.entries(FIELD_TYPES).map(([field, types]) => fieldBelongs(field, types)),
  {
    cel: `!(self.name in [${RESERVED_NAMES.map((name) => `'${name}'`).join(', ')}])`,
    message: `the names ${RESERVED_NAMES.join(' and ')} are taken by the pipeline’s own topics`,
    field: 'name',
    holds: (board) => !RESERVED_NAMES.includes(board.name),
  },
  {
    cel: `!has(self.season) || self.season == 'none' || (${celSeconds('self.season')} >= 60 && ${celSeconds('self.season')} <= 2592000)`,
    message: 'season must be none, or from 1m to 30d',
    field: 'season',
    holds: (board) =>
      board.season === undefined || board.season === 'none' || inRange(millis(board.season), '1m', '30d'),
  },
  {
    cel: `self.type != 'HotStreakers' || (${celWindow('every')} >= 1 && ${celWindow('every')} <= 3600)`,
    message: 'every must be from 1s to 1h',
    holds: (board) => board.type !== 'HotStreakers' || inRange(windowMillis(board, 'every'), '1s', '1h'),
  },
  multipleOfEvery('shortWindow'),
  multipleOfEvery('longWindow'),
  multipleOfEvery('memory'),
  {
    cel: `self.type != 'HotStreakers' || (${celWindow('shortWindow')} > 0 && ${celWindow('shortWindow')} < ${celWindow('longWindow')})`,
    message: 'shortWindow must be shorter than longWindow',
    holds: (board) =>
      board.type !== 'HotStreakers' ||
      (windowMillis(board, 'shortWindow') > 0 &&
        windowMillis(board, 'shortWindow') < windowMillis(board, 'longWindow')),
  },
  {
    cel: `self.type != 'HotStreakers' || (${celWindow('memory')} > 0 && ${celWindow('memory')} <= 86400 && ${celWindow('longWindow')} <= 86400)`,
    message: 'memory and longWindow must be at most 1d',
    holds: (board) =>
      board.type !== 'HotStreakers' ||
      (inRange(windowMillis(board, 'memory'), '1s', '1d') &&
        windowMillis(board, 'longWindow') <= millis('1d')),
  },
  {
    cel: "self.type != 'Query' || (has(self.columns) && has(self.query))",
    message: 'a Query board needs columns and query',
    holds: (board) => board.type !== 'Query' || (board.columns !== undefined && board.query !== undefined),
  },
  {
    cel: `!has(self.columns) || self.columns.exists(c, c.name == '${RANK}' && c.type == 'BIGINT')`,
    message: `one of the columns must be {name: ${RANK}, type: BIGINT}`,
    field: 'columns',
    holds: ({ columns }) => !columns || columns.some(({ name, type }) => name === RANK && type === 'BIGINT'),
  },
  {
    cel: `!has(self.columns) || self.columns.all(c, c.name != '${SEASON_START}' || c.type == 'BIGINT')`,
    message: `the column ${SEASON_START} must be BIGINT (epoch milliseconds)`,
    field: 'columns',
    holds: ({ columns }) =>
      !columns || columns.every(({ name, type }) => name !== SEASON_START || type === 'BIGINT'),
  },
  {
    // The API server holds this one by the list's map key.
    message: 'the names of columns must be unique',
    field: 'columns',
    holds: ({ columns }) => !columns || namesAreUnique(columns),
  },
  {
    message: `where must be one condition ${STAYS_INSIDE}`,
    field: 'where',
    holds: ({ where }) => where === undefined || isSingleCondition(where),
  },
  {
    message: `the query must be one SELECT ${STAYS_INSIDE}`,
    field: 'query',
    holds: ({ query }) => query === undefined || isSingleSelect(query),
  },
];

function inRange(value: number, least: string, most: string): boolean {
  return value >= millis(least) && value <= millis(most);
}

interface Common {
  name: string;
  title: string;
  size: number;
  /** Whether the board's changes are kept. */
  history: boolean;
}

/** A board of events that can be chosen by a condition. */
interface Conditional extends Common {
  /** SQL that an event must fulfil to count; it stays inside parentheses on lines of their own. */
  where?: string;
}

/** A board whose totals run within a season. */
export interface SeasonBoard extends Conditional {
  type: 'TopTeams' | 'TopPlayers' | 'TeamMvps';
  /** TeamMvps: how many events of a season a team needs to be ranked. */
  minimumEvents?: number;
  /** Length of a season; null: one season for ever. */
  seasonMillis: number | null;
}

/** The board of players whose recent average rose most. All windows are multiples of `everyMillis`. */
export interface StreakBoard extends Conditional {
  type: 'HotStreakers';
  shortWindowMillis: number;
  longWindowMillis: number;
  memoryMillis: number;
  everyMillis: number;
}

export interface QueryColumn {
  name: string;
  type: (typeof COLUMN_TYPES)[number];
  label: string;
}

/** A board written in SQL in the resource. */
export interface QueryBoard extends Common {
  type: 'Query';
  columns: QueryColumn[];
  query: string;
}

/** A leaderboard with every default filled in and durations in milliseconds. */
export type Leaderboard = SeasonBoard | StreakBoard | QueryBoard;

/** One entry of spec.leaderboards: a flat object, because a structural schema has no unions. */
export const leaderboard = withRules(fields, rules).transform(resolve);

function resolve(board: Fields): Leaderboard {
  const { name, size, history } = board;
  const common = { name, title: board.title ?? inWords(name), size, history };
  const where = board.where === undefined ? {} : { where: board.where };
  switch (board.type) {
    case 'HotStreakers':
      return {
        ...common,
        ...where,
        type: board.type,
        shortWindowMillis: windowMillis(board, 'shortWindow'),
        longWindowMillis: windowMillis(board, 'longWindow'),
        memoryMillis: windowMillis(board, 'memory'),
        everyMillis: windowMillis(board, 'every'),
      };
    case 'Query':
      return {
        ...common,
        type: board.type,
        columns: (board.columns ?? []).map((c) => ({ ...c, label: c.label ?? inWords(c.name) })),
        query: board.query ?? '',
      };
    default:
      return {
        ...common,
        ...where,
        type: board.type,
        ...(board.type === 'TeamMvps' && { minimumEvents: board.minimumEvents ?? DEFAULT_MINIMUM_EVENTS }),
        seasonMillis: board.season === 'none' ? null : millis(board.season ?? '1h'),
      };
  }
}

/** A heading made of a name: top-teams and top_teams become "Top Teams". */
function inWords(name: string): string {
  return name
    .split(/[-_]/)
    .filter(Boolean)
    .map((word) => word[0]?.toUpperCase() + word.slice(1))
    .join(' ');
}
