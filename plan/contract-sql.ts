import { SLOT_MILLIS, STATS_COLUMNS } from '../contract/stats.ts';

/*
 * What contract/ declares, as pieces of SQL. Templates include them by name, like each other.
 */

/** Pieces of SQL by their names. */
export const CONTRACT_SQL: Record<string, string> = {
  'slot-seconds': String(SLOT_MILLIS / 1000),
  'stats-columns': STATS_COLUMNS.map(({ name, type }) => `${name} ${type},`).join('\n'),
  'stats-column-names': STATS_COLUMNS.map(({ name }) => name).join(', '),
};
