import { z } from 'zod';
import {
  type BoardDefinition,
  RANK,
  SEASON_START,
  seasonEndMillis,
  shownRows,
  VALUE,
} from '../contract/board.ts';
import { MAX_EPOCH_MILLIS } from '../contract/event.ts';
import type { Players } from '../contract/players.ts';
import { type ResultSource, SEASON_CLOSED, type SeasonResult } from '../contract/results.ts';
import type { KafkaRecord } from '../kafka/topic-reader.ts';
import { resourcePath } from '../lib/kubernetes.ts';

/*
 * What a record of a board's topic becomes: the result of a season. Pure. A topic's content is untrusted: a
 * record that has not the expected form gives none.
 */

/** The season that a record is about, of a value where the board is by value. */
export interface Season {
  /** Names its result. */
  id: string;
  startMillis: number;
  endMillis: number;
  /** From when on events that reach Kafka do not count in it. */
  frozenMillis: number;
  value?: string;
}

const seasonStart = z.int().min(-MAX_EPOCH_MILLIS).max(MAX_EPOCH_MILLIS);

const recordKey = z.object({ [SEASON_START]: seasonStart, [VALUE]: z.string().min(1).optional() });

const recordValue = z.object({
  digest: z.string(),
  rows: z.array(
    z.object({ [RANK]: z.int().min(1) }).catchall(z.union([z.string(), z.number(), z.boolean(), z.null()])),
  ),
});

type ResultRow = SeasonResult['data']['rows'][number];

/** The season of a record; undefined when its key names none that is ever frozen, or is another board's. */
export function parseSeason(
  source: ResultSource,
  { name, period, by }: BoardDefinition,
  key: KafkaRecord['key'],
): Season | undefined {
  const { success, data } = recordKey.safeParse(parseJson(key));
  if (!success || period?.kind !== 'season' || (data.value !== undefined) !== (by !== undefined))
    return undefined;
  const startMillis = data[SEASON_START];
  const endMillis = seasonEndMillis(period, startMillis);
  if (endMillis === undefined || period.latestArrivalMillis === undefined) return undefined;
  const value = data.value?.toWellFormed();
  const frozenMillis = endMillis + period.latestArrivalMillis;
  if (frozenMillis > MAX_EPOCH_MILLIS) return undefined;
  const id = [source.namespace, source.name, subject(name, value), printTime(startMillis)].join('/');
  return { id, startMillis, endMillis, frozenMillis, ...(value !== undefined && { value }) };
}

/**
 * The result of a season whose board the record has; undefined when it is of another definition of the board,
 * malformed, or without rows.
 *
 * @param players those that are hidden, and have no part in it
 */
export function toResult(
  source: ResultSource,
  board: BoardDefinition,
  season: Season,
  value: KafkaRecord['value'],
  players: Players,
): SeasonResult | undefined {
  const { success, data } = recordValue.safeParse(parseJson(value));
  if (!success || data.digest !== board.digest) return undefined;
  const all = data.rows.map(({ [RANK]: rank, ...fields }): ResultRow => ({ rank, ...fields }));
  const rows = shownRows(
    board,
    all,
    (row, column) => row[column],
    (player) => players.isHidden(player),
  );
  if (rows.length === 0) return undefined;
  const frozenAt = printTime(season.frozenMillis);
  return {
    specversion: '1.0',
    id: season.id,
    source: resourcePath(source),
    type: SEASON_CLOSED,
    subject: subject(board.name, season.value),
    time: frozenAt,
    datacontenttype: 'application/json',
    data: {
      board: board.name,
      title: board.title,
      ...(season.value !== undefined && { value: season.value }),
      season: { start: printTime(season.startMillis), end: printTime(season.endMillis), frozenAt },
      rows,
    },
  };
}

/** The board and the start of the season that an id names; undefined when it is no id of the resource. */
export function parseResultId(
  { namespace, name }: ResultSource,
  id: string,
): { board: string; start: string } | undefined {
  const [itsNamespace, itsName, board = '', ...rest] = id.split('/');
  const { success, data: start } = z.iso.datetime().safeParse(rest.at(-1));
  return success && itsNamespace === namespace && itsName === name ? { board, start } : undefined;
}

function subject(board: string, value: string | undefined): string {
  return value === undefined ? board : `${board}/${encodeURIComponent(value)}`;
}

function printTime(millis: number): string {
  return new Date(millis).toISOString();
}

function parseJson(bytes: Buffer | null): unknown {
  try {
    return JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return undefined;
  }
}
