import type { BoardDefinition, Column } from '../../contract/board.ts';
import type { BoardView, Season } from '../boards/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import { MOST_DRAWN } from '../boards/rank-history.ts';
import type { Row } from '../boards/record.ts';
import { isCounted, type PipelineKind } from '../pipeline-state.ts';
import { isFound } from '../static/search.js';
import { type Cell, formatCell, formatValue, type Timestamp, timestamp } from './format.ts';
import { describeMovement, type Movement } from './movement.ts';
import { drawScoreLines } from './score-lines.ts';
import type { TeamColor, TeamColors } from './team-color.ts';

/** A board's panel with everything said as it will be shown: the template only places it. */
export interface Panel {
  /** The element id of what changes in the panel; ids of its parts begin with it. */
  id: string;
  name: string;
  title: string;
  /** Whose board it is, on boards by value. */
  by: PanelValue | undefined;
  /** Which of its faces the panel shows. */
  state: PanelState;
  /** What to know about the rows shown; undefined when there is nothing to say. */
  notice: string | undefined;
  /** Shown instead of rows when there are none. */
  emptyState: { title: string; text: string } | undefined;
  period: PanelPeriod | undefined;
  updated: Timestamp | undefined;
  head: PanelCells;
  rows: PanelRow[];
  hasBar: boolean;
  /** What the bars are of, where that is not clear. */
  barLabel: string | undefined;
  /** Whether rows have lines of their scores. */
  hasLines: boolean;
  /** Whether rows tell how far the place above is ahead. */
  hasGaps: boolean;
}

/**
 * `waiting`: being read for the first time. `error`: could never be read yet. `empty`: read, and there is
 * nothing. `live`, and `quiet` when it has not changed for a while. `away`: it cannot be read any more.
 */
export type PanelState = 'waiting' | 'error' | 'empty' | 'live' | 'quiet' | 'away';

export interface PanelValue {
  /** Of the column. */
  label: string;
  name: string;
  /** What is known of values that are not kept; undefined while all are. */
  leftOut: string | undefined;
}

export interface PanelPeriod {
  label: string;
  at: Timestamp;
  /** True when `at` lies ahead: the browser counts down to it. */
  countdown: boolean;
}

/**
 * The cells of a line. The text columns a board begins with say who; they share one cell, side by side where
 * there is room and stacked on a phone. All others have a cell each, and a kind, which the style sheet knows.
 */
export interface PanelCells {
  who: string[];
  others: (Cell & { kind: string })[];
}

export interface PanelRow extends PanelCells {
  id: string;
  rank: number;
  move: Movement;
  color: TeamColor | undefined;
  found: boolean;
  /** The bar's length in percent, e.g. `63.2`: of the leader's, or the value itself where that is a share. */
  bar: string;
  /** What the bar is a picture of. */
  barTitle: string;
  /** Where in the bar's column that ends which the bar is a multiple of, in percent. */
  usual?: string;
  /** Where in the bar's column the same place ended last season, in percent, if it has a place there. */
  ghost?: string;
  /** An SVG path: the score of the last ten minutes; empty where it is not known. */
  line: string;
  /** How far the place above is ahead; empty on the first one, and where no column tells. */
  gap: string;
}

const NOTICES = {
  quiet: 'Nothing has changed for over a minute.',
  ended: 'No scores since the season ended.',
  away: 'This board cannot be read from Kafka any more. These are the last known scores.',
};

const EMPTY_STATES = {
  waiting: { title: 'Warming up', text: 'Waiting for Kafka …' },
  error: {
    title: 'Out of reach',
    text: 'This board cannot be read from Kafka. It is tried again every second.',
  },
  away: { title: 'Out of reach', text: 'This board cannot be read from Kafka any more. It had no scores.' },
  stalled: { title: 'Nothing counted', text: 'Events arrive, but the Flink job does not count them.' },
  behind: { title: 'Catching up', text: 'The Flink job counts earlier events first.' },
  replaced: { title: 'No scores', text: 'The events topic is another one than it was.' },
  unavailable: { title: 'Nothing known', text: 'Kafka does not answer.' },
  empty: { title: 'No scores yet', text: 'The first event that counts opens the board.' },
  unkept: { title: 'Nothing kept', text: 'Nothing is kept of this value in this season.' },
  unscored: { title: 'No scores', text: 'This value has no scores in this season.' },
  none: { title: 'No last season', text: 'Nothing is kept of a season before this one.' },
  gone: { title: 'Nothing kept', text: 'Nothing is kept of this season.' },
} satisfies Record<string, Panel['emptyState']>;

export interface PanelOptions {
  season: Season;
  /** Of a board by value; not set: the first. */
  value?: string | undefined;
  /** Epoch milliseconds. */
  now: number;
  /** How the pipeline is as a whole. */
  pipeline: PipelineKind;
  colors: TeamColors;
  /** Whose rows to mark as found. */
  search?: string;
}

/**
 * What a board's panel says. It does not depend on when exactly that is: equal versions of a board render
 * equally while the pipeline is as it is.
 */
export function createPanel(
  board: LiveBoard,
  { season, value, now, pipeline, colors, search = '' }: PanelOptions,
): Panel {
  const { definition } = board;
  const view = board.view(now, season, value);
  const id = `board-${definition.name}`;
  const state = panelState(board, view, season, now);
  const before = season === 'this' ? board.before(now, value) : undefined;
  // What instants rank by may be of a moment long ago.
  const hasLines =
    season === 'this' && !definition.by && definition.period?.kind !== 'instant' && !!definition.bar;
  const lastRows = season === 'this' ? finalRows(board, view, now, value) : [];
  const isNone = season !== 'this' && view.rows.length === 0;
  return {
    id,
    name: definition.name,
    title: definition.title,
    by: panelValue(definition, view),
    state,
    notice: view.rows.length > 0 ? panelNotice(state, view, pipeline) : undefined,
    emptyState:
      view.rows.length > 0 ? undefined : describeEmptyState(state, definition, view, season, pipeline),
    period: panelPeriod(view.period),
    // Of a season of which nothing is kept, nothing was updated.
    updated: isNone || view.updatedMillis === undefined ? undefined : timestamp(view.updatedMillis, 'second'),
    head: panelCells(definition, (column) => formatCell('text', column.label)),
    rows: panelRows(definition, view.rows, {
      id,
      colors,
      before: before && new Map(before.rows.map((row) => [row.id, row.rank])),
      search,
      lastRows,
      lines: hasLines
        ? drawScoreLines(definition, view.rows.slice(0, MOST_DRAWN), board.samples(now))
        : new Map(),
    }),
    hasBar: definition.bar !== undefined,
    barLabel: definition.strip?.label,
    hasLines,
    hasGaps: gapColumn(definition) !== undefined,
  };
}

function finalRows(board: LiveBoard, { period }: BoardView, now: number, value?: string): readonly Row[] {
  if (period?.kind !== 'season') return [];
  const last = board.view(now, 'last', value);
  const isBefore = last.period?.kind === 'season' && last.period.startMillis < period.startMillis;
  return isBefore ? last.rows : [];
}

function panelState(board: LiveBoard, view: BoardView, season: Season, now: number): PanelState {
  const { kind } = board.status;
  if (kind === 'waiting') return board.failing ? 'error' : 'waiting';
  if (kind === 'away') return 'away';
  if (view.rows.length === 0) return 'empty';
  return season === 'this' && (board.isQuiet(now, view.value?.name) || board.hasEnded(now))
    ? 'quiet'
    : 'live';
}

function panelNotice(state: PanelState, { period }: BoardView, pipeline: PipelineKind): string | undefined {
  // The state of the pipeline is shown once, and not by every panel.
  if (state === 'away') return pipeline === 'unavailable' ? undefined : NOTICES.away;
  if (state !== 'quiet') return undefined;
  if (period?.kind === 'season' && period.over) return isCounted(pipeline) ? NOTICES.ended : undefined;
  return pipeline === 'live' ? NOTICES.quiet : undefined;
}

function describeEmptyState(
  state: PanelState,
  { period }: BoardDefinition,
  { value }: BoardView,
  season: Season,
  pipeline: PipelineKind,
): Panel['emptyState'] {
  if (state !== 'empty' && state !== 'away') return EMPTY_STATES[state === 'error' ? 'error' : 'waiting'];
  if (state === 'away' && pipeline !== 'unavailable') return EMPTY_STATES.away;
  if (value && value.kept > 0) return value.leftOut > 0 ? EMPTY_STATES.unkept : EMPTY_STATES.unscored;
  if (period?.kind === 'season' && season !== 'this')
    return season === 'last' ? EMPTY_STATES.none : EMPTY_STATES.gone;
  return pipeline === 'live' || pipeline === 'quiet' ? EMPTY_STATES.empty : EMPTY_STATES[pipeline];
}

function panelValue({ by }: BoardDefinition, { value }: BoardView): PanelValue | undefined {
  if (!by || !value) return undefined;
  const { name, leftOut } = value;
  return {
    label: by.label,
    name: formatValue('text', name),
    leftOut:
      leftOut === 0 ? undefined : `${formatValue('integer', leftOut)} that changed longer ago are not kept`,
  };
}

function panelPeriod(period: BoardView['period']): PanelPeriod | undefined {
  if (!period) return undefined;
  if (period.kind === 'instant') {
    return { label: 'as of', at: timestamp(period.atMillis, 'second'), countdown: false };
  }
  const at = timestamp(period.endMillis, 'minute');
  return { label: period.over ? 'season ended' : 'season ends', at, countdown: !period.over };
}

interface RowContext {
  id: string;
  colors: TeamColors;
  before: ReadonlyMap<string, number> | undefined;
  search: string;
  lastRows: readonly Row[];
  lines: ReadonlyMap<string, string>;
}

function panelRows(definition: BoardDefinition, rows: readonly Row[], context: RowContext): PanelRow[] {
  const bars = computeStrips(definition, rows) ?? computeBars(definition, rows, context.lastRows);
  const ids = distinctIds(rows);
  const gaps = gapColumn(definition);
  return rows.map((row, index) => ({
    id: `${context.id}-${ids[index]}`,
    rank: row.rank,
    move: describeMovement(row, context.before),
    color: context.colors.of(definition, row),
    found: isFound(textsOf(definition, row), context.search),
    ...panelCells(definition, ({ name, type, decimals }) => formatCell(type, row.values.get(name), decimals)),
    ...(bars[index] ?? NO_BAR),
    line: context.lines.get(row.id) ?? '',
    gap: describeGap(gaps, row, rows[index - 1]),
  }));
}

/** The one number that a board ranks by: with others next to it, there is no room. */
function gapColumn({ columns, bar }: BoardDefinition): Column | undefined {
  const [first, second] = columns.filter(({ type }) => type !== 'text' && type !== 'time');
  return first?.name === bar && first?.type !== 'percent' && !second ? first : undefined;
}

function describeGap(column: Column | undefined, row: Row, above: Row | undefined): string {
  if (!column || !above) return '';
  const [value, higher] = [row, above].map(({ values }) => values.get(column.name));
  if (typeof value !== 'number' || typeof higher !== 'number') return '';
  return formatValue(column.type, Math.abs(higher - value), column.decimals);
}

/** What a row is called: the first of its texts that is one. */
export function nameOf(definition: BoardDefinition, row: Row): string {
  return formatCell('text', textsOf(definition, row)[0]).text;
}

function textsOf({ columns }: BoardDefinition, row: Row): string[] {
  return columns.filter(({ type }) => type === 'text').map(({ name }) => String(row.values.get(name) ?? ''));
}

function panelCells(definition: BoardDefinition, cellOf: (column: Column) => Cell): PanelCells {
  const { columns } = definition;
  const firstOther = columns.findIndex((column) => column.type !== 'text');
  const split = firstOther < 0 ? columns.length : firstOther;
  return {
    who: columns.slice(0, split).map((column) => cellOf(column).text),
    others: columns.slice(split).map((column) => {
      const cell = cellOf(column);
      const isLong = cell.compact !== undefined && cell.text.length > MAX_FITTING_LENGTH;
      return { ...cell, kind: `${cellKind(column, definition)}${isLong ? ' long' : ''}` };
    }),
  };
}

/** Of a number that a panel of half a screen has room for, in characters. */
const MAX_FITTING_LENGTH = 11;

function cellKind(column: Column, { columns, bar }: BoardDefinition): string {
  if (column.type === 'text') return 'text';
  if (column.name === bar) return 'number key';
  if (column.type === 'time') return 'number time';
  const firstNumber = columns.find(({ name, type }) => name !== bar && type !== 'text' && type !== 'time');
  // The panel does without the others where there is little room.
  return column === firstNumber ? 'number' : 'number spare';
}

type Bar = Pick<PanelRow, 'bar' | 'barTitle' | 'usual' | 'ghost'>;

const NO_BAR: Bar = { bar: '0', barTitle: '' };

function computeBars(
  { bar, columns }: BoardDefinition,
  rows: readonly Row[],
  lastRows: readonly Row[],
): Bar[] {
  const column = columns.find(({ name }) => name === bar);
  if (!column) return [];
  const lengthOf = (row: Row | undefined) => {
    const value = row?.values.get(column.name);
    return typeof value === 'number' ? Math.max(value, 0) : 0;
  };
  const lengths = rows.map(lengthOf);
  // Scaled to the leader, so that the eye compares; but a share is of a whole that is the same for all.
  const isShare = column.type === 'percent';
  const longest = isShare ? 1 : Math.max(...lengths, Number.MIN_VALUE);
  return lengths.map((length, index) => {
    const text = formatValue(column.type, rows[index]?.values.get(column.name), column.decimals);
    // In this order: a hundred times the largest number would be infinite.
    const percent = (part: number) => (100 * Math.min(part / longest, 1)).toFixed(1);
    const shown = {
      bar: percent(length),
      barTitle: isShare ? text : `${text}: ${percent(length)}% of the highest`,
    };
    const was = lengthOf(lastRows[index]);
    // Beyond the leader's bar there is no room.
    if (was === 0 || was > longest) return shown;
    const title = `${shown.barTitle}; this place ended last season with ${formatValue(column.type, was, column.decimals)}`;
    return { ...shown, barTitle: title, ghost: percent(was) };
  });
}

/**
 * What is usual has one length in all rows: what goes beyond it begins at one place, and the bars are in the
 * order of the ranks. Undefined on boards without strips.
 */
function computeStrips({ strip, columns }: BoardDefinition, rows: readonly Row[]): Bar[] | undefined {
  if (!strip) return undefined;
  const shown = columns.filter(({ name }) => name === strip.recent || name === strip.usual);
  const ratios = rows.map(({ values }) => {
    const [recent, usual] = [values.get(strip.recent), values.get(strip.usual)];
    const ratio = typeof recent === 'number' && typeof usual === 'number' ? recent / usual : 0;
    return Number.isFinite(ratio) ? Math.max(ratio, 0) : 0;
  });
  const longest = Math.max(...ratios, 1);
  const percent = (part: number) => (100 * (part / longest)).toFixed(1);
  return rows.map(({ values }, index) => ({
    bar: percent(ratios[index] ?? 0),
    usual: percent(1),
    barTitle: shown
      .map(({ name, label, type, decimals }) => `${label}: ${formatValue(type, values.get(name), decimals)}`)
      .join(', '),
  }));
}

function distinctIds(rows: readonly Row[]): string[] {
  // A query may rank one holder twice; element ids must differ all the same.
  const seen = new Map<string, number>();
  return rows.map(({ id }) => {
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return before === 0 ? id : `${id}-${before}`;
  });
}
