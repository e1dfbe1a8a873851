import type { BoardView } from '../boards/board.ts';
import type { BoardDefinition, Column } from '../boards/definition.ts';
import type { Row } from '../boards/record.ts';
import type { FeedStatus } from '../live.ts';
import { formatValue, type Moment, moment } from './format.ts';

/** A board's panel with everything said as it will be shown: the template only places it. */
export interface Panel {
  /** The panel's element id; ids of its parts begin with it. */
  id: string;
  title: string;
  /** Which of its faces the panel shows. */
  state: 'waiting' | 'empty' | 'live' | 'away';
  period: PanelPeriod | null;
  updated: Moment | null;
  head: PanelCells;
  rows: PanelRow[];
  hasBar: boolean;
}

export interface PanelPeriod {
  label: string;
  at: Moment;
  /** True when `at` lies ahead: the browser counts down to it. */
  countdown: boolean;
}

/**
 * The texts of a line. The text columns a board begins with say who; they share one cell, side by side where there is
 * room and stacked on a phone. All others have a cell each.
 */
export interface PanelCells {
  who: string[];
  others: { text: string; kind: string }[];
}

export interface PanelRow extends PanelCells {
  id: string;
  rank: number;
  /** The bar's length in percent of the leader's, e.g. `63.2`. */
  bar: string;
}

/** What a board's panel says. Pure, and free of the current time: equal arguments render equally for ever. */
export function panelOf(definition: BoardDefinition, view: BoardView, status: FeedStatus): Panel {
  const id = `board-${definition.name}`;
  return {
    id,
    title: definition.title,
    state: status.kind === 'live' && view.rows.length === 0 ? 'empty' : status.kind,
    period: panelPeriod(view.period),
    updated: view.updatedMillis === null ? null : moment(view.updatedMillis, 'second'),
    head: panelCells(definition, (column) => column.label),
    rows: panelRows(definition, view.rows, id),
    hasBar: definition.bar !== undefined,
  };
}

function panelPeriod(period: BoardView['period']): PanelPeriod | null {
  if (!period) return null;
  if (period.kind === 'instant') {
    return { label: 'as of', at: moment(period.atMillis, 'second'), countdown: false };
  }
  const at = moment(period.endMillis, 'minute');
  return { label: period.over ? 'season ended' : 'season ends', at, countdown: !period.over };
}

function panelRows(definition: BoardDefinition, rows: Row[], panelId: string): PanelRow[] {
  const lengths = barLengths(rows.map((row) => (definition.bar ? row.values.get(definition.bar) : null)));
  const ids = distinctIds(rows);
  return rows.map((row, index) => ({
    id: `${panelId}-${ids[index]}`,
    rank: row.rank,
    ...panelCells(definition, ({ name, type }) => formatValue(type, row.values.get(name) ?? null)),
    bar: lengths[index] ?? '0',
  }));
}

function panelCells({ columns, bar }: BoardDefinition, textOf: (column: Column) => string): PanelCells {
  const firstOther = columns.findIndex((column) => column.type !== 'text');
  const split = firstOther < 0 ? columns.length : firstOther;
  const others = columns.slice(split).map((column) => ({ text: textOf(column), kind: kindOf(column, bar) }));
  return { who: columns.slice(0, split).map(textOf), others };
}

/** How a cell is set: text, a number, or the number the board is about. */
function kindOf({ name, type }: Column, bar: string | undefined): string {
  if (type === 'text') return 'text';
  return name === bar ? 'number key' : 'number';
}

/** Scaled to the leader, so that the eye compares; nothing is drawn for what is negative or no number. */
function barLengths(values: unknown[]): string[] {
  const lengths = values.map((value) => (typeof value === 'number' ? Math.max(value, 0) : 0));
  const longest = Math.max(...lengths, Number.MIN_VALUE);
  return lengths.map((length) => ((100 * length) / longest).toFixed(1));
}

/** Between two writes one holder can stand at two ranks; element ids must differ all the same. */
function distinctIds(rows: Row[]): string[] {
  const seen = new Map<string, number>();
  return rows.map(({ id }) => {
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return before === 0 ? id : `${id}-${before}`;
  });
}
