import { createHash } from 'node:crypto';
import {
  type BoardDefinition,
  type Column,
  RANK,
  SEASON_START,
  shownRows,
  VALUE,
} from '../../contract/board.ts';
import { LONGEST_TEXT, MAX_EPOCH_MILLIS } from '../../contract/event.ts';
import type { KafkaRecord } from '../../kafka/topic-reader.ts';

/*
 * One Kafka record of a board topic: the whole board of one season, or of one instant. Topic content is
 * untrusted: a record either has the expected shape, or it is malformed and leaves the board as it was.
 */

/** What a row has in a column; undefined: nothing, or nothing that the column can show. */
export type Value = string | number | undefined;

/** A row of a board: who holds the rank, and the values to show. */
export interface Row {
  rank: number;
  /** Stable for the row's identity, and safe as part of an element id whatever the identity's text is. */
  id: string;
  values: ReadonlyMap<string, Value>;
  /**
   * When Kafka got the newest event that the row counts, in epoch milliseconds; undefined where the board
   * does not tell.
   */
  lastEventMillis: number | undefined;
}

/** A row's value of a column. */
export function readValue({ values }: Row, column: string): Value {
  return values.get(column);
}

/** Stands for the value of a board that is none by value: no value is empty. */
export const NO_VALUE = '';

/** A board as one record has it. */
export interface BoardRecord {
  /** Start of the season in epoch milliseconds; 0 on boards without seasons. */
  seasonMillis: number;
  /** Whose board it is, on boards by value. */
  value: string;
  /** The instant that a board of instants was computed for, in epoch milliseconds. */
  instantMillis?: number | undefined;
  /** Those that are shown; of a board whose players may be hidden, all. */
  rows: Row[];
}

/** The longest text kept, in UTF-16 units, of which a character has at most two: no two ids look the same. */
export const MAX_TEXT_LENGTH = 2 * LONGEST_TEXT;

/**
 * Reads one record of a board's topic. A tombstone is a board without rows.
 *
 * @returns the board, `foreign` when it is of another definition of the board, or `malformed`; never throws
 */
export function parseRecord(
  definition: BoardDefinition,
  raw: KafkaRecord,
): BoardRecord | 'foreign' | 'malformed' {
  const key = parseObject(raw.key);
  const seasonMillis = epochMillis(key?.[SEASON_START]);
  const hasSeasons = definition.period?.kind === 'season';
  if (seasonMillis === undefined || (!hasSeasons && seasonMillis !== 0)) return 'malformed';
  // Before its definition changed, the board may have been one by value, or none.
  if ((key?.[VALUE] !== undefined) !== (definition.by !== undefined)) return 'foreign';
  const value = definition.by ? parseValue(key?.[VALUE]) : NO_VALUE;
  if (value === undefined) return 'malformed';
  if (raw.value === null) return { seasonMillis, value, rows: [] };
  const fields = parseObject(raw.value);
  if (!fields) return 'malformed';
  if (fields.digest !== definition.digest) return 'foreign';
  const isInstant = definition.period?.kind === 'instant';
  const instantMillis = isInstant ? epochMillis(fields.as_of) : undefined;
  const rows = parseRows(definition, fields.rows);
  if (!rows || (isInstant && instantMillis === undefined)) return 'malformed';
  return { seasonMillis, value, instantMillis, rows };
}

function parseValue(value: unknown): string | undefined {
  const isValue = typeof value === 'string' && value !== NO_VALUE && value.length <= MAX_TEXT_LENGTH;
  return isValue ? value.toWellFormed() : undefined;
}

function parseRows(definition: BoardDefinition, rows: unknown): Row[] | undefined {
  // An aggregate of no rows is null.
  if (rows === null) return [];
  if (!Array.isArray(rows)) return undefined;
  const parsed = rows.map((row) => parseRow(definition, row));
  if (!parsed.every((row) => row !== undefined)) return undefined;
  return definition.player === undefined ? shownRows(definition, parsed, readValue, () => false) : parsed;
}

function parseRow(definition: BoardDefinition, row: unknown): Row | undefined {
  if (!isFields(row)) return undefined;
  const rank = row[RANK];
  if (!Number.isSafeInteger(rank) || (rank as number) < 1) return undefined;
  const { identity, columns, lastEvent } = definition;
  const values = new Map<string, Value>(identity.map((name) => [name, textValue(row[name])]));
  for (const column of columns) values.set(column.name, columnValue(column, row[column.name]));
  const lastEventMillis = lastEvent === undefined ? undefined : epochMillis(row[lastEvent]);
  return { rank: rank as number, id: identityId(identity.map((name) => row[name])), values, lastEventMillis };
}

/**
 * Hashed, because the text is untrusted and of any length; made of the whole text, so that cutting never
 * merges two.
 */
function identityId(identity: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 12);
}

function columnValue({ type }: Column, value: unknown): Value {
  if (type === 'text') return textValue(value);
  if (type === 'time') return epochMillis(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function textValue(value: unknown): Value {
  if (value === null || value === undefined) return undefined;
  const text = String(value);
  // A cut through a surrogate pair leaves half a character: toWellFormed makes it a printable one.
  return (text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text).toWellFormed();
}

function epochMillis(value: unknown): number | undefined {
  const valid = Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_EPOCH_MILLIS;
  return valid ? (value as number) : undefined;
}

type Fields = Record<string, unknown>;

function parseObject(json: Buffer | null): Fields | undefined {
  if (json === null) return undefined;
  try {
    const parsed: unknown = JSON.parse(json.toString('utf8'));
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
