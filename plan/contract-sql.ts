import {
  SLOT_MILLIS,
  SLOT_START,
  STATS_COLUMNS,
  STATS_SOURCES,
  type StatsSource,
} from '../contract/stats.ts';

/*
 * What contract/ declares, as pieces of SQL. Templates include them by name, like each other.
 */

const MERGED = {
  sum: (name: string) => `SUM(${name}) AS ${name}`,
  greatest: (name: string) => `MAX(${name}) AS ${name}`,
  newest: (name: string) => `SUBSTRING(MAX(${name}) FROM 20) AS ${name}`,
};

/** Pieces of SQL by their names. */
export const CONTRACT_SQL: Record<string, string> = {
  'slot-seconds': String(SLOT_MILLIS / 1000),
  'stats-columns': STATS_COLUMNS.map(({ name, type }) => `${name} ${type},`).join('\n'),
  'stats-column-names': [SLOT_START, ...STATS_COLUMNS.map(({ name }) => name)].join(', '),
  'stats-parts': STATS_SOURCES.map(statsPart).join('\nUNION ALL\n'),
  'stats-merged': STATS_COLUMNS.map(({ name, merge }) => MERGED[merge](name)).join(',\n'),
};

/** What one source says of a slot, in the columns of all. */
function statsPart(source: StatsSource): string {
  const columns = STATS_COLUMNS.map(({ name, type, sources, merge }) => {
    const nothing = merge === 'sum' ? '0' : 'NULL';
    return `CAST(${sources.includes(source) ? name : nothing} AS ${type}) AS ${name}`;
  });
  return `SELECT\n${[SLOT_START, ...columns].map((column) => `  ${column}`).join(',\n')}\nFROM of_${source}`;
}
