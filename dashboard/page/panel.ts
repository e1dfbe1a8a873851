import type { BoardView, Season } from '../boards/board.ts';
import type { BoardDefinition, Column } from '../boards/definition.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Row, Value } from '../boards/record.ts';
import type { Standing } from '../boards/trail.ts';
import { isCounted, type PipelineKind } from '../pipeline-state.ts';
import { formatValue, type Timestamp, timestamp } from './format.ts';
import { type Movement, movementOf } from './movement.ts';
import { isFound } from './search.ts';
import { type TeamColour, teamColour } from './team-colour.ts';

/** A board's panel with everything said as it will be shown: the template only places it. */
export interface Panel {
  /** The element id of what changes in the panel; ids of its parts begin with it. */
  id: string;
  name: string;
  title: string;
  /** Which of its faces the panel shows. */
  state: PanelState;
  /** What is to be known about what is shown; null when all is well. */
  notice: string | null;
  /** What is said in place of rows, when there are none. */
  vacant: { title: string; text: string } | null;
  period: PanelPeriod | null;
  updated: Timestamp | null;
  head: PanelCells;
  rows: PanelRow[];
  hasBar: boolean;
}

/**
 * `waiting`: being read for the first time. `error`: could never be read yet. `empty`: read, and there is nothing.
 * `live`, and `quiet` when it has not changed for a while. `away`: it cannot be read any more.
 */
export type PanelState = 'waiting' | 'error' | 'empty' | 'live' | 'quiet' | 'away';

export interface PanelPeriod {
  label: string;
  at: Timestamp;
  /** True when `at` lies ahead: the browser counts down to it. */
  countdown: boolean;
}

/**
 * The texts of a line. The text columns a board begins with say who; they share one cell, side by side where there is
 * room and stacked on a phone. All others have a cell each; of a time, the browser tells the age.
 */
export interface PanelCells {
  who: string[];
  others: PanelCell[];
}

export interface PanelCell {
  text: string;
  kind: string;
  time: Timestamp | null;
}

export interface PanelRow extends PanelCells {
  id: string;
  rank: number;
  move: Movement;
  colour: TeamColour | null;
  found: boolean;
  /** The bar's length in percent, e.g. `63.2`: of the leader's, or the value itself where that is a share. */
  bar: string;
}

const NOTICES = {
  quiet: 'Nothing has changed for over a minute.',
  ended: 'No scores since the season ended.',
  away: 'This board cannot be read from Kafka any more. These are the last known scores.',
};

const VACANCIES = {
  waiting: { title: 'Warming up', text: 'Waiting for Kafka …' },
  error: {
    title: 'Out of reach',
    text: 'This board cannot be read from Kafka. It is tried again every second.',
  },
  away: { title: 'Out of reach', text: 'This board cannot be read from Kafka any more. It had no scores.' },
  stalled: { title: 'Nothing counted', text: 'Events arrive, but the Flink job does not count them.' },
  behind: { title: 'Catching up', text: 'The Flink job counts earlier events first.' },
  unavailable: { title: 'Nothing known', text: 'Kafka does not answer.' },
  empty: { title: 'No scores yet', text: 'The first event that counts opens the board.' },
  none: { title: 'No last season', text: 'Nothing is kept of a season before this one.' },
} satisfies Record<string, Panel['vacant']>;

export interface PanelOptions {
  season: Season;
  /** Epoch milliseconds. */
  now: number;
  /** How the pipeline is as a whole. */
  pipeline: PipelineKind;
  /** Whose rows to mark as found. */
  search?: string;
}

/**
 * What a board's panel says. It does not depend on when exactly that is: equal versions of a board render equally while the
 * pipeline is as it is.
 */
export function panelOf(board: LiveBoard, { season, now, pipeline, search = '' }: PanelOptions): Panel {
  const { definition } = board;
  const view = board.view(now, season);
  const id = `board-${definition.name}`;
  const state = stateOf(board, view, season, now);
  const before = season === 'this' ? board.before(now) : null;
  const isNone = season === 'last' && view.rows.length === 0;
  return {
    id,
    name: definition.name,
    title: definition.title,
    state,
    notice: view.rows.length > 0 ? noticeOf(state, view, pipeline) : null,
    vacant: view.rows.length > 0 ? null : vacancyOf(state, definition, season, pipeline),
    period: panelPeriod(view.period),
    // Of a season of which nothing is kept, nothing was updated.
    updated: isNone || view.updatedMillis === null ? null : timestamp(view.updatedMillis, 'second'),
    head: panelCells(definition, (column) => ({ text: column.label, time: null })),
    rows: panelRows(definition, view.rows, { id, before, search }),
    hasBar: definition.bar !== undefined,
  };
}

function stateOf(board: LiveBoard, view: BoardView, season: Season, now: number): PanelState {
  const { kind } = board.status;
  if (kind === 'waiting') return board.failing ? 'error' : 'waiting';
  if (kind === 'away') return 'away';
  if (view.rows.length === 0) return 'empty';
  return season === 'this' && (board.isQuiet(now) || board.hasEnded(now)) ? 'quiet' : 'live';
}

/** What is known of the pipeline as a whole is said once, and not by every panel. */
function noticeOf(state: PanelState, { period }: BoardView, pipeline: PipelineKind): string | null {
  if (state === 'away') return pipeline === 'unavailable' ? null : NOTICES.away;
  if (state !== 'quiet') return null;
  if (period?.kind === 'season' && period.over) return isCounted(pipeline) ? NOTICES.ended : null;
  return pipeline === 'live' ? NOTICES.quiet : null;
}

function vacancyOf(
  state: PanelState,
  { period }: BoardDefinition,
  season: Season,
  pipeline: PipelineKind,
): Panel['vacant'] {
  if (state !== 'empty' && state !== 'away') return VACANCIES[state === 'error' ? 'error' : 'waiting'];
  if (state === 'away' && pipeline !== 'unavailable') return VACANCIES.away;
  if (period?.kind === 'season' && season === 'last') return VACANCIES.none;
  return pipeline === 'live' || pipeline === 'quiet' ? VACANCIES.empty : VACANCIES[pipeline];
}

function panelPeriod(period: BoardView['period']): PanelPeriod | null {
  if (!period) return null;
  if (period.kind === 'instant') {
    return { label: 'as of', at: timestamp(period.atMillis, 'second'), countdown: false };
  }
  const at = timestamp(period.endMillis, 'minute');
  return { label: period.over ? 'season ended' : 'season ends', at, countdown: !period.over };
}

interface RowContext {
  id: string;
  before: Standing | null;
  search: string;
}

function panelRows(definition: BoardDefinition, rows: readonly Row[], context: RowContext): PanelRow[] {
  const lengths = barLengths(definition, rows);
  const ids = distinctIds(rows);
  return rows.map((row, index) => ({
    id: `${context.id}-${ids[index]}`,
    rank: row.rank,
    move: movementOf(row, context.before),
    colour: teamColour(definition, row),
    found: isFound(definition, row, context.search),
    ...panelCells(definition, ({ name, type }) => cellOf(type, row.values.get(name) ?? null)),
    bar: lengths[index] ?? '0',
  }));
}

function panelCells(
  { columns, bar }: BoardDefinition,
  contentOf: (column: Column) => Omit<PanelCell, 'kind'>,
): PanelCells {
  const firstOther = columns.findIndex((column) => column.type !== 'text');
  const split = firstOther < 0 ? columns.length : firstOther;
  const others = columns.slice(split).map((column) => ({ ...contentOf(column), kind: kindOf(column, bar) }));
  return { who: columns.slice(0, split).map((column) => contentOf(column).text), others };
}

function cellOf(type: Column['type'], value: Value): Omit<PanelCell, 'kind'> {
  const time = type === 'time' && typeof value === 'number' ? timestamp(value, 'second') : null;
  return { text: formatValue(type, value), time };
}

/** How a cell is set: text, a number, or the number the board is about. */
function kindOf({ name, type }: Column, bar: string | undefined): string {
  if (type === 'text') return 'text';
  return name === bar ? 'number key' : 'number';
}

/** Scaled to the leader, so that the eye compares; nothing is drawn for what is negative or no number. */
function barLengths({ bar, columns }: BoardDefinition, rows: readonly Row[]): string[] {
  const values = rows.map((row) => (bar ? row.values.get(bar) : null));
  const lengths = values.map((value) => (typeof value === 'number' ? Math.max(value, 0) : 0));
  // A share is of a whole that is the same for all.
  const isShare = columns.some(({ name, type }) => name === bar && type === 'percent');
  const longest = isShare ? 1 : Math.max(...lengths, Number.MIN_VALUE);
  return lengths.map((length) => Math.min((100 * length) / longest, 100).toFixed(1));
}

/** A query may rank one holder twice; element ids must differ all the same. */
function distinctIds(rows: readonly Row[]): string[] {
  const seen = new Map<string, number>();
  return rows.map(({ id }) => {
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return before === 0 ? id : `${id}-${before}`;
  });
}
