import { createHash } from 'node:crypto';
import type { BoardDefinition, Column } from './definition.ts';

/*
 * One Kafka record of a board topic, taken apart. Whatever is in the topic is untrusted: a record either has
 * exactly the expected shape, or is malformed and leaves the board as it was.
 */

/** A record as Kafka hands it over; the timestamp is epoch milliseconds. */
export interface RawRecord {
  key: Buffer | null;
  value: Buffer | null;
  timestampMillis: number;
}

export type Value = string | number | null;

/** A row of a board: who holds the rank, and the values to show. */
export interface Row {
  rank: number;
  /** Stable for the row's identity, safe as part of an element id whatever the identity's text is. */
  id: string;
  /** The instant the row was computed for, in epoch milliseconds; null unless the board is one of instants. */
  instantMillis: number | null;
  values: ReadonlyMap<string, Value>;
}

/** A place on a board. */
export interface Position {
  /** Start of the season in epoch milliseconds; null on boards without seasons. */
  seasonMillis: number | null;
  rank: number;
}

/** A write to a position: a row, or null when the rank became vacant (a tombstone). */
export interface BoardRecord extends Position {
  row: Row | null;
}

const RANK_COLUMN = 'rnk';

/** The longest text kept: names are people's input, and the memory of a board is bounded. */
const MAX_TEXT_LENGTH = 200;

/** What `Date` can represent; anything later is a broken clock and could not be printed. */
const MAX_EPOCH_MILLIS = 8.64e15;

/**
 * Reads one record of a board's topic.
 *
 * @returns the write it stands for, or null when the record is malformed; never throws
 */
export function parseRecord(definition: BoardDefinition, raw: RawRecord): BoardRecord | null {
  const position = parsePosition(definition, raw.key);
  if (!position || raw.value === null) return position && { ...position, row: null };
  const row = parseRow(definition, position.rank, raw.value);
  return row && { ...position, row };
}

/**
 * Reads the key alone of a record of a board's topic.
 *
 * @returns the position that it is about, or null when the key is malformed; never throws
 */
export function parsePosition(definition: BoardDefinition, recordKey: Buffer | null): Position | null {
  const key = parseObject(recordKey);
  const rank = key?.[RANK_COLUMN];
  if (!key || !Number.isSafeInteger(rank) || (rank as number) < 1) return null;
  const period = definition.period;
  const seasonMillis = period?.kind === 'season' ? epochMillis(key[period.column]) : null;
  return seasonMillis === undefined ? null : { seasonMillis, rank: rank as number };
}

function parseRow(definition: BoardDefinition, rank: number, value: Buffer): Row | null {
  const fields = parseObject(value);
  if (!fields) return null;
  const identity = identityOf(definition, fields);
  const period = definition.period;
  const instantMillis = period?.kind === 'instant' ? epochMillis(fields[period.column]) : null;
  if (identity === undefined || instantMillis === undefined) return null;

  const values = new Map<string, Value>(identity);
  for (const column of definition.columns) {
    const shown = columnValue(column, fields[column.name]);
    if (shown === undefined) return null;
    values.set(column.name, shown);
  }
  return { rank, id: identityId(definition, fields), instantMillis, values };
}

/** The identity's columns with their values, or undefined when one is missing. */
function identityOf(definition: BoardDefinition, fields: Fields): [string, Value][] | undefined {
  const entries = definition.identity.map((name): [string, unknown] => [name, fields[name]]);
  const complete = entries.every(([, value]) => ['string', 'number'].includes(typeof value));
  return complete ? entries.map(([name, value]) => [name, boundedText(String(value))]) : undefined;
}

/** Hashed, because the text is untrusted and of any length; from the whole text, so that cutting never merges two. */
function identityId(definition: BoardDefinition, fields: Fields): string {
  const identity = definition.identity.map((name) => fields[name]);
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 12);
}

/** The value a column shows; undefined when it has the wrong type. */
function columnValue(column: Column, value: unknown): Value | undefined {
  if (value === null) return null;
  if (column.type === 'text')
    return ['string', 'boolean'].includes(typeof value) ? boundedText(String(value)) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function boundedText(text: string): string {
  // A cut through a surrogate pair leaves half a character behind: toWellFormed makes it a printable one.
  const cut = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;
  return cut.toWellFormed();
}

function epochMillis(value: unknown): number | undefined {
  const valid = Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_EPOCH_MILLIS;
  return valid ? (value as number) : undefined;
}

type Fields = Record<string, unknown>;

function parseObject(json: Buffer | null): Fields | null {
  if (json === null) return null;
  try {
    const parsed: unknown = JSON.parse(json.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Fields)
      : null;
  } catch {
    return null;
  }
}
