import { isDeepStrictEqual } from 'node:util';
import { inWords } from '../api/boards/shared-fields.ts';
import { getBoardType, type Leaderboard } from '../api/boards/types.ts';
import { millis } from '../api/duration.ts';
import { hasTeams } from '../api/events.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type BoardDefinition, LAST_EVENT, type Period, type RowColumn } from '../contract/board.ts';
import { LONGEST_TEXT, TEAM_FIELDS } from '../contract/event.ts';
import { USER_ID } from '../contract/players.ts';
import { boardDigest, topicRanks } from './layout.ts';

/** A board of any type: what its readers know, and what its rows are made of. */
export interface PlannedBoard extends BoardDefinition {
  /** All fields of a row; the rank is the first. */
  rowColumns: RowColumn[];
  source: Leaderboard;
}

/** The boards of a resource, in its order. */
export function boards(resource: GameAnalytics): PlannedBoard[] {
  return resource.spec.leaderboards.map((board) => planBoard(resource, board));
}

/** What the readers of a board know. */
export function toDefinition({ rowColumns: _, source: __, ...definition }: PlannedBoard): BoardDefinition {
  return definition;
}

/** The board that a resource has by an entry of its leaderboards. */
export function planBoard(resource: GameAnalytics, source: Leaderboard): PlannedBoard {
  const { name, title, size, history } = source;
  const topic = `${resource.metadata.name}-${name}`;
  const { period, identity, bar, strip, rankedBy, by, ...shape } = getBoardType(source).shape(source);
  const columns = shape.columns.map((column) => withDecimals(column, resource.spec.events.scoreDecimals));
  const paired = boardOfAll(resource, source);
  const isKnown = ({ name }: RowColumn) => hasTeams(resource.spec.events) || !TEAM_FIELDS.includes(name);
  return {
    name,
    title,
    topic,
    ...(history && { historyTopic: `${topic}-history` }),
    digest: boardDigest(resource, source),
    size,
    period: withFreeze(period, resource.spec.events.latestArrival),
    ...(by && { by: { ...by, label: inWords(by.name) } }),
    identity,
    columns: columns.filter(isKnown).flatMap(({ name, shown }) => (shown ? [{ name, ...shown }] : [])),
    ...(hidesPlayers(resource, columns) && { player: USER_ID }),
    ...(bar && { bar }),
    ...(strip && { strip }),
    ...(rankedBy && { rankedBy }),
    ...(paired !== undefined && { peopleOf: paired }),
    ...('keepSeasons' in source && { keepSeasons: source.keepSeasons }),
    ...(columns.some(({ name }) => name === LAST_EVENT) && { lastEvent: LAST_EVENT }),
    rowColumns: columns,
    source,
  };
}

/** A column where scores have decimals: the job divides what it has in units. */
function withDecimals(column: RowColumn, decimals: number): RowColumn {
  const { isOfScores, shown } = column;
  if (!isOfScores || !shown || decimals === 0) return column;
  const least = shown.type === 'decimal' ? 2 : 0;
  return {
    ...column,
    type: 'DOUBLE',
    shown: { ...shown, type: 'decimal', decimals: Math.max(decimals, least) },
  };
}

/** Whether players of the board can be hidden: a Query board's column of that name may be anything. */
function hidesPlayers({ spec }: GameAnalytics, columns: RowColumn[]): boolean {
  return (
    spec.players !== undefined && columns.some(({ name, type }) => name === USER_ID && type === 'STRING')
  );
}

/**
 * The name of the board that counts the events of robots too and is the same otherwise, where a board counts
 * people's alone. No two have the same one.
 */
function boardOfAll({ spec: { leaderboards } }: GameAnalytics, board: Leaderboard): string | undefined {
  if (!isOfPeople(board)) return undefined;
  const alike = leaderboards.filter((other) => isDeepStrictEqual(withoutNames(other), withoutNames(board)));
  return alike.find(isOfPeople)?.name === board.name
    ? alike.find((other) => !isOfPeople(other))?.name
    : undefined;
}

function isOfPeople(board: Leaderboard): boolean {
  return 'people' in board && board.people === true;
}

function withoutNames(board: Leaderboard): object {
  return { ...board, name: '', title: '', history: false, people: undefined };
}

/** A period whose seasons are frozen, if it has seasons that end and that the job can tell. */
function withFreeze(period: Period, latestArrival: string | undefined): Period {
  const ends = period?.kind === 'season' && (period.lengthMillis ?? period.calendar) !== undefined;
  if (!ends || latestArrival === undefined) return period;
  return { ...period, latestArrivalMillis: millis(latestArrival) };
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
