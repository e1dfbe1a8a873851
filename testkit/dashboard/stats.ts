import { STATS_COLUMNS } from '../../contract/stats.ts';

/** The fields of a record of statistics in whose slot nothing happened. */
export const NO_STATS: Record<string, number | null> = Object.fromEntries(
  STATS_COLUMNS.map(({ name, merge }) => [name, merge === 'sum' ? 0 : null]),
);
