import { LAST_EVENT, RANK, type RowColumn } from '../../contract/board.ts';

/* Columns that boards of several types have. */

export const PLACE: RowColumn = { name: RANK, type: 'BIGINT' };
export const PLAYER: RowColumn = {
  name: 'user_id',
  type: 'STRING',
  shown: { label: 'Player', type: 'text' },
};
export const TEAM: RowColumn = { name: 'team_name', type: 'STRING', shown: { label: 'Team', type: 'text' } };
export const TEAM_ID: RowColumn = { name: 'team_id', type: 'STRING' };
/** When the row's score was reached, in epoch milliseconds. */
export const REACHED: RowColumn = {
  name: 'reached_at',
  type: 'BIGINT',
  shown: { label: 'Reached', type: 'time' },
};
export const NEWEST_EVENT: RowColumn = { name: LAST_EVENT, type: 'BIGINT' };

/** A column of numbers that are made of scores. */
export function ofScores(column: RowColumn): RowColumn {
  return { ...column, isOfScores: true };
}

export function integerColumn(name: string, label: string): RowColumn {
  return { name, type: 'BIGINT', shown: { label, type: 'integer' } };
}

export function decimalColumn(
  name: string,
  label: string,
  type: 'decimal' | 'factor' | 'percent',
): RowColumn {
  return { name, type: 'DOUBLE', shown: { label, type } };
}
