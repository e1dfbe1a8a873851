import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Leaderboard, QueryBoard, SeasonBoard, StreakBoard } from '../api/leaderboard.ts';

/** A column of a board's topic: its Flink SQL type, and how it is shown, unless only programs read it. */
export interface BoardColumn {
  name: string;
  type: string;
  shown?: { label: string; as: 'text' | 'integer' | 'decimal' | 'percent' };
}

/** What a row of a board belongs to: a season, an instant at which the whole board was drawn, or neither. */
export type Period =
  | { kind: 'season'; column: string; lengthMillis: number | null }
  | { kind: 'instant'; column: string; everyMillis: number };

/** A board of any type, described by its columns: the sink, the topic and the dashboard need to know nothing else. */
export interface Board {
  name: string;
  title: string;
  size: number;
  topic: string;
  /** Where the board's changes are kept, if they are. */
  historyTopic?: string;
  columns: BoardColumn[];
  /** Columns of the topic's key. */
  key: string[];
  period: Period | null;
  /** Columns that say who holds a rank. */
  identity: string[];
  /** The column that is drawn as a bar. */
  bar?: string;
  source: Leaderboard;
}

/** The boards of a resource, in its order. */
export function boards(resource: GameAnalytics): Board[] {
  return resource.spec.leaderboards.map((board) => boardOf(resource, board));
}

/** The board that a resource has by an entry of its leaderboards. */
export function boardOf(resource: GameAnalytics, source: Leaderboard): Board {
  const { name, title, size, history } = source;
  const topic = `${resource.metadata.name}-${name}`;
  return {
    name,
    title,
    size,
    topic,
    ...(history && { historyTopic: `${topic}-history` }),
    source,
    ...shape(source),
  };
}

type Shape = Pick<Board, 'columns' | 'key' | 'period' | 'identity' | 'bar'>;

function shape(board: Leaderboard): Shape {
  switch (board.type) {
    case 'TopTeams':
      return {
        ...seasonal(board),
        columns: [...RANK, hidden('team_id'), TEAM, integer('total_score', 'Score')],
        identity: ['team_id'],
        bar: 'total_score',
      };
    case 'TopPlayers':
      return {
        ...seasonal(board),
        columns: [...RANK, PLAYER, TEAM, integer('total_score', 'Score')],
        identity: ['user_id'],
        bar: 'total_score',
      };
    case 'TeamMvps':
      return {
        ...seasonal(board),
        columns: [
          ...RANK,
          PLAYER,
          hidden('team_id'),
          TEAM,
          integer('player_total', 'Points'),
          integer('team_total', 'Team total'),
          { name: 'contrib_ratio', type: 'DOUBLE', shown: { label: 'Share', as: 'percent' } },
        ],
        identity: ['team_id'],
        bar: 'contrib_ratio',
      };
    case 'HotStreakers':
      return streaks(board);
    case 'Query':
      return queried(board);
  }
}

const RANK: BoardColumn[] = [
  { name: 'season_start', type: 'BIGINT' },
  { name: 'rnk', type: 'BIGINT' },
];
const PLAYER: BoardColumn = { name: 'user_id', type: 'STRING', shown: { label: 'Player', as: 'text' } };
const TEAM: BoardColumn = { name: 'team_name', type: 'STRING', shown: { label: 'Team', as: 'text' } };

const hidden = (name: string): BoardColumn => ({ name, type: 'STRING' });
const integer = (name: string, label: string): BoardColumn => ({
  name,
  type: 'BIGINT',
  shown: { label, as: 'integer' },
});
const decimal = (name: string, label: string): BoardColumn => ({
  name,
  type: 'DOUBLE',
  shown: { label, as: 'decimal' },
});

function seasonal(board: SeasonBoard): Pick<Shape, 'key' | 'period'> {
  return {
    key: ['season_start', 'rnk'],
    period: { kind: 'season', column: 'season_start', lengthMillis: board.seasonMillis },
  };
}

function streaks(board: StreakBoard): Shape {
  return {
    key: ['rnk'],
    period: { kind: 'instant', column: 'as_of', everyMillis: board.everyMillis },
    columns: [
      { name: 'as_of', type: 'BIGINT' },
      { name: 'rnk', type: 'BIGINT' },
      PLAYER,
      TEAM,
      decimal('short_term_avg', `Last ${inSeconds(board.shortWindowMillis)}`),
      decimal('long_term_avg', `Last ${inSeconds(board.longWindowMillis)}`),
      decimal('peak_hotness', 'Peak'),
    ],
    identity: ['user_id'],
    bar: 'peak_hotness',
  };
}

function inSeconds(millis: number): string {
  return `${millis / 1000} s`;
}

const SHOWN_AS = { STRING: 'text', BOOLEAN: 'text', BIGINT: 'integer', DOUBLE: 'decimal' } as const;

/** A Query board's key columns are known by name; the first of the others says who holds the rank, the last number is the bar. */
function queried(board: QueryBoard): Shape {
  const key = ['season_start', 'rnk'].filter((name) => board.columns.some((column) => column.name === name));
  const columns = board.columns.map(
    ({ name, type, label }): BoardColumn =>
      key.includes(name) ? { name, type } : { name, type, shown: { label, as: SHOWN_AS[type] } },
  );
  const shown = columns.filter((column) => column.shown);
  const bar = shown.findLast(({ type }) => type === 'BIGINT' || type === 'DOUBLE')?.name;
  return {
    key,
    period: key.includes('season_start')
      ? { kind: 'season', column: 'season_start', lengthMillis: null }
      : null,
    columns,
    identity: shown.slice(0, 1).map(({ name }) => name),
    ...(bar && { bar }),
  };
}
