import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Leaderboard, QueryBoard, SeasonBoard, StreakBoard } from '../api/leaderboard.ts';
import {
  type BoardDefinition,
  LAST_EVENT,
  type Period,
  RANK,
  type RowColumn,
  SEASON_START,
} from '../contract/board.ts';
import { LONGEST_TEXT } from '../contract/event.ts';
import { boardDigest, topicRanks } from './layout.ts';

/** A board of any type: what its readers are told, and what its rows are made of. */
export interface PlannedBoard extends BoardDefinition {
  /** All fields of a row; the rank is the first. */
  rowColumns: RowColumn[];
  source: Leaderboard;
}

/** The boards of a resource, in its order. */
export function boards(resource: GameAnalytics): PlannedBoard[] {
  return resource.spec.leaderboards.map((board) => boardOf(resource, board));
}

/** What the readers of a board are told. */
export function definitionOf({ rowColumns: _, source: __, ...definition }: PlannedBoard): BoardDefinition {
  return definition;
}

/** The board that a resource has by an entry of its leaderboards. */
export function boardOf(resource: GameAnalytics, source: Leaderboard): PlannedBoard {
  const { name, title, size, history } = source;
  const topic = `${resource.metadata.name}-${name}`;
  const { period, columns, identity, bar } = shape(source);
  return {
    name,
    title,
    topic,
    ...(history && { historyTopic: `${topic}-history` }),
    digest: boardDigest(resource, source),
    size,
    period,
    identity,
    columns: columns.flatMap(({ name, shown }) => (shown ? [{ name, ...shown }] : [])),
    ...(bar && { bar }),
    ...(columns.includes(NEWEST_EVENT) && { lastEvent: LAST_EVENT }),
    rowColumns: columns,
    source,
  };
}

interface Shape {
  period: Period;
  columns: RowColumn[];
  identity: string[];
  bar?: string;
}

function shape(board: Leaderboard): Shape {
  switch (board.type) {
    case 'TopTeams':
      return {
        period: season(board),
        columns: [PLACE, hidden('team_id'), TEAM, integer('total_score', 'Score'), NEWEST_EVENT],
        identity: ['team_id'],
        bar: 'total_score',
      };
    case 'TopPlayers':
      return {
        period: season(board),
        columns: [PLACE, PLAYER, TEAM, integer('total_score', 'Score'), NEWEST_EVENT],
        identity: ['user_id'],
        bar: 'total_score',
      };
    case 'TeamMvps':
      return {
        period: season(board),
        columns: [
          PLACE,
          PLAYER,
          hidden('team_id'),
          TEAM,
          integer('player_total', 'Points'),
          integer('team_total', 'Team total'),
          { name: 'contrib_ratio', type: 'DOUBLE', shown: { label: 'Share', type: 'percent' } },
          NEWEST_EVENT,
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

const PLACE: RowColumn = { name: RANK, type: 'BIGINT' };
const PLAYER: RowColumn = { name: 'user_id', type: 'STRING', shown: { label: 'Player', type: 'text' } };
const TEAM: RowColumn = { name: 'team_name', type: 'STRING', shown: { label: 'Team', type: 'text' } };
const NEWEST_EVENT: RowColumn = { name: LAST_EVENT, type: 'BIGINT' };

const hidden = (name: string): RowColumn => ({ name, type: 'STRING' });
const integer = (name: string, label: string): RowColumn => ({
  name,
  type: 'BIGINT',
  shown: { label, type: 'integer' },
});
const decimal = (name: string, label: string): RowColumn => ({
  name,
  type: 'DOUBLE',
  shown: { label, type: 'decimal' },
});

function season({ seasonMillis }: SeasonBoard): Period {
  return { kind: 'season', lengthMillis: seasonMillis };
}

function streaks(board: StreakBoard): Shape {
  return {
    period: { kind: 'instant', everyMillis: board.everyMillis },
    columns: [
      PLACE,
      PLAYER,
      TEAM,
      // The averages are those of the player's hottest moment, which may be minutes ago.
      decimal('short_term_avg', `${inSeconds(board.shortWindowMillis)} avg at peak`),
      decimal('long_term_avg', `${inSeconds(board.longWindowMillis)} avg at peak`),
      { name: 'peak_hotness', type: 'DOUBLE', shown: { label: 'Peak', type: 'factor' } },
      { name: 'peak_at', type: 'BIGINT', shown: { label: 'When', type: 'time' } },
    ],
    identity: ['user_id'],
    bar: 'peak_hotness',
  };
}

function inSeconds(millis: number): string {
  return `${millis / 1000} s`;
}

const SHOWN_AS = { STRING: 'text', BOOLEAN: 'text', BIGINT: 'integer', DOUBLE: 'decimal' } as const;

/** A Query board: its first column after the known ones says who holds the rank, the last number is the bar. */
function queried(board: QueryBoard): Shape {
  const columns = board.columns
    .filter(({ name }) => name !== RANK && name !== SEASON_START)
    .map(({ name, type, label }) => ({ name, type, shown: { label, type: SHOWN_AS[type] } }));
  const bar = columns.findLast(({ type }) => type === 'BIGINT' || type === 'DOUBLE')?.name;
  const hasSeasons = board.columns.some(({ name }) => name === SEASON_START);
  return {
    period: hasSeasons ? { kind: 'season', lengthMillis: null } : null,
    columns: [PLACE, ...columns],
    identity: columns.slice(0, 1).map(({ name }) => name),
    ...(bar && { bar }),
  };
}

/** Longest text in a row, in characters, each of which JSON may write as 6 bytes. */
const MAX_TEXT_BYTES = 6 * LONGEST_TEXT;
const MAX_NUMBER_BYTES = 30;
const MEBIBYTE = 1024 * 1024;

/** How large a record of a board can be, in bytes: whole mebibytes. */
export function maxRecordBytes({ source, rowColumns }: PlannedBoard): number {
  const rowBytes = rowColumns.map(
    ({ name, type }) => name.length + 4 + (type === 'STRING' ? MAX_TEXT_BYTES : MAX_NUMBER_BYTES),
  );
  const total = topicRanks(source) * rowBytes.reduce((sum, bytes) => sum + bytes, 0);
  return MEBIBYTE * Math.ceil(total / MEBIBYTE + 0.1);
}
