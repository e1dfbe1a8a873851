import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Leaderboard, QueryBoard, SeasonBoard, StreakBoard } from '../api/leaderboard.ts';
import { LONGEST_TEXT } from '../contract/event.ts';
import { boardDigest, topicRanks } from './layout.ts';

/** A field of a board's rows: its Flink SQL type, and how it is shown, unless only programs read it. */
export interface BoardColumn {
  name: string;
  type: string;
  shown?: { label: string; as: 'text' | 'integer' | 'decimal' | 'factor' | 'percent' | 'time' };
}

/** What a record of a board belongs to: a season, or an instant for which it was computed. `lengthMillis` null: not known, or endless. */
export type Period =
  | { kind: 'season'; lengthMillis: number | null }
  | { kind: 'instant'; everyMillis: number };

/** A board of any type, described by its columns: the sink, the topic and the dashboard need to know nothing else. */
export interface Board {
  name: string;
  title: string;
  size: number;
  topic: string;
  /** Where the board's changes are kept, if they are. */
  historyTopic?: string;
  /** Names the definition: records of an earlier definition of the board have another digest. */
  digest: string;
  /** Of each row; `rnk`, the rank from 1, is the first. */
  columns: BoardColumn[];
  /** Null: one board for all time. */
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
    digest: boardDigest(resource, source),
    source,
    ...shape(source),
  };
}

type Shape = Pick<Board, 'columns' | 'period' | 'identity' | 'bar'>;

function shape(board: Leaderboard): Shape {
  switch (board.type) {
    case 'TopTeams':
      return {
        period: season(board),
        columns: [RANK, hidden('team_id'), TEAM, integer('total_score', 'Score'), LAST_EVENT],
        identity: ['team_id'],
        bar: 'total_score',
      };
    case 'TopPlayers':
      return {
        period: season(board),
        columns: [RANK, PLAYER, TEAM, integer('total_score', 'Score'), LAST_EVENT],
        identity: ['user_id'],
        bar: 'total_score',
      };
    case 'TeamMvps':
      return {
        period: season(board),
        columns: [
          RANK,
          PLAYER,
          hidden('team_id'),
          TEAM,
          integer('player_total', 'Points'),
          integer('team_total', 'Team total'),
          { name: 'contrib_ratio', type: 'DOUBLE', shown: { label: 'Share', as: 'percent' } },
          LAST_EVENT,
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

const RANK: BoardColumn = { name: 'rnk', type: 'BIGINT' };
const PLAYER: BoardColumn = { name: 'user_id', type: 'STRING', shown: { label: 'Player', as: 'text' } };
const TEAM: BoardColumn = { name: 'team_name', type: 'STRING', shown: { label: 'Team', as: 'text' } };
/** When Kafka got the newest event that the row counts, in epoch milliseconds. */
export const LAST_EVENT: BoardColumn = { name: 'last_event_at', type: 'BIGINT' };

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

function season({ seasonMillis }: SeasonBoard): Period {
  return { kind: 'season', lengthMillis: seasonMillis };
}

function streaks(board: StreakBoard): Shape {
  return {
    period: { kind: 'instant', everyMillis: board.everyMillis },
    columns: [
      RANK,
      PLAYER,
      TEAM,
      // The averages are those of the player's hottest moment, which may be minutes ago.
      decimal('short_term_avg', `${inSeconds(board.shortWindowMillis)} avg at peak`),
      decimal('long_term_avg', `${inSeconds(board.longWindowMillis)} avg at peak`),
      { name: 'peak_hotness', type: 'DOUBLE', shown: { label: 'Peak', as: 'factor' } },
      { name: 'peak_at', type: 'BIGINT', shown: { label: 'When', as: 'time' } },
    ],
    identity: ['user_id'],
    bar: 'peak_hotness',
  };
}

function inSeconds(millis: number): string {
  return `${millis / 1000} s`;
}

const SHOWN_AS = { STRING: 'text', BOOLEAN: 'text', BIGINT: 'integer', DOUBLE: 'decimal' } as const;

/** Columns of a Query board that are known by their names. */
const SEASON_COLUMN = 'season_start';

/** A Query board: its first column after the known ones says who holds the rank, the last number is the bar. */
function queried(board: QueryBoard): Shape {
  const columns = board.columns
    .filter(({ name }) => name !== RANK.name && name !== SEASON_COLUMN)
    .map(({ name, type, label }) => ({ name, type, shown: { label, as: SHOWN_AS[type] } }));
  const bar = columns.findLast(({ type }) => type === 'BIGINT' || type === 'DOUBLE')?.name;
  const hasSeasons = board.columns.some(({ name }) => name === SEASON_COLUMN);
  return {
    period: hasSeasons ? { kind: 'season', lengthMillis: null } : null,
    columns: [RANK, ...columns],
    identity: columns.slice(0, 1).map(({ name }) => name),
    ...(bar && { bar }),
  };
}

/** Longest text in a row, in characters, each of which JSON may write as 6 bytes. */
const MAX_TEXT_BYTES = 6 * LONGEST_TEXT;
const MAX_NUMBER_BYTES = 30;
const MEBIBYTE = 1024 * 1024;

/** How large a record of a board can be, in bytes: whole mebibytes. */
export function maxRecordBytes({ source, columns }: Board): number {
  const rowBytes = columns.map(
    ({ name, type }) => name.length + 4 + (type === 'STRING' ? MAX_TEXT_BYTES : MAX_NUMBER_BYTES),
  );
  const total = topicRanks(source) * rowBytes.reduce((sum, bytes) => sum + bytes, 0);
  return MEBIBYTE * Math.ceil(total / MEBIBYTE + 0.1);
}
