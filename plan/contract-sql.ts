import {
  EVENT_CHECKS,
  EVENT_FIELDS,
  type EventCheck,
  type EventField,
  LONGEST_TEXT,
  ROBOT_PREFIX,
} from '../contract/event.ts';
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

const EVENT_COLUMNS = Object.entries(EVENT_FIELDS) as [EventField, (typeof EVENT_FIELDS)[EventField]][];

/** Pieces of SQL by their names. */
export const CONTRACT_SQL: Record<string, string> = {
  'event-columns': EVENT_COLUMNS.map(([name, { type }]) => `${name} ${type},`).join('\n'),
  'event-fields': EVENT_COLUMNS.map(([name]) => `${isChecked(name) ? name : cut(name)},`).join('\n'),
  'valid-event': EVENT_CHECKS.map(valid).join('\n  AND '),
  'invalid-reason': reasonCase(EVENT_CHECKS.flatMap(violations)),
  'is-robot': `user_id LIKE '${ROBOT_PREFIX}%'`,
  'longest-text': String(LONGEST_TEXT),
  'slot-seconds': String(SLOT_MILLIS / 1000),
  'stats-columns': STATS_COLUMNS.map(({ name, type }) => `${name} ${type},`).join('\n'),
  'stats-column-names': [SLOT_START, ...STATS_COLUMNS.map(({ name }) => name)].join(', '),
  'stats-parts': STATS_SOURCES.map(statsPart).join('\nUNION ALL\n'),
  'stats-merged': STATS_COLUMNS.map(({ name, merge }) => MERGED[merge](name)).join(',\n'),
};

function statsPart(source: StatsSource): string {
  const columns = STATS_COLUMNS.map(({ name, type, sources, merge }) => {
    const nothing = merge === 'sum' ? '0' : 'NULL';
    return `CAST(${sources.includes(source) ? name : nothing} AS ${type}) AS ${name}`;
  });
  return `SELECT\n${[SLOT_START, ...columns].map((column) => `  ${column}`).join(',\n')}\nFROM of_${source}`;
}

function isChecked(name: EventField): boolean {
  return EVENT_FIELDS[name].type !== 'STRING' || EVENT_CHECKS.some(({ field }) => field === name);
}

function cut(name: string): string {
  return `LEFT(${name}, ${LONGEST_TEXT}) AS ${name}`;
}

function valid(check: EventCheck): string {
  const { field } = check;
  if ('longest' in check) return `${field} <> '' AND CHAR_LENGTH(${field}) <= ${check.longest}`;
  const upper = 'below' in check ? `${field} < ${check.below}` : `${field} <= ${check.most}`;
  return `${field} >= ${check.least} AND ${upper}`;
}

interface Violation {
  condition: string;
  reason: string;
}

/** The same as conditions that are true of invalid events, where those before them are not. */
function violations(check: EventCheck): Violation[] {
  const { field, missing, outOfBounds } = check;
  if ('longest' in check)
    return [
      { condition: `${field} IS NULL OR ${field} = ''`, reason: missing },
      { condition: `CHAR_LENGTH(${field}) > ${check.longest}`, reason: outOfBounds },
    ];
  const upper = 'below' in check ? `${field} >= ${check.below}` : `${field} > ${check.most}`;
  return [
    { condition: `${field} IS NULL`, reason: missing },
    { condition: `${field} < ${check.least} OR ${upper}`, reason: outOfBounds },
  ];
}

/** The reason of an event that is invalid: when it is none of the others, it is the last one. */
function reasonCase(all: Violation[]): string {
  const text = (reason: string) => `'${reason.replaceAll("'", "''")}'`;
  const cases = all.slice(0, -1).map(({ condition, reason }) => `WHEN ${condition} THEN ${text(reason)}`);
  const last = text(all.at(-1)?.reason ?? '');
  return ['CASE', ...cases.map((line) => `        ${line}`), `        ELSE ${last}`, '      END'].join('\n');
}
