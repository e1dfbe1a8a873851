import {
  EVENT_CHECKS,
  EVENT_FIELDS,
  EVENT_ID,
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
  'event-fields':
    EVENT_COLUMNS.map(([name]) => `${isChecked(name) ? name : cut(name)},`).join('\n') +
    onlyWith('hasEventIds', `\n${EVENT_ID},`),
  'valid-event': EVENT_CHECKS.map((check, i) =>
    onlyWith(check.onlyWith, `${valid(check)}${i < EVENT_CHECKS.length - 1 ? '\n  AND ' : ''}`),
  ).join(''),
  'invalid-reason': reasonCase(),
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

/** SQL that only scripts of events with a trait have. */
function onlyWith(trait: EventCheck['onlyWith'], sql: string): string {
  return trait ? `{{#if mapping.${trait}}}${sql}{{/if}}` : sql;
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
function reasonCase(): string {
  const text = (reason: string) => `'${reason.replaceAll("'", "''")}'`;
  const cases = EVENT_CHECKS.flatMap((check) =>
    violations(check).map(({ condition, reason }) => ({
      line: `        WHEN ${condition} THEN ${text(reason)}\n`,
      reason,
      trait: check.onlyWith,
    })),
  );
  const last = text(cases.pop()?.reason ?? '');
  return `CASE\n${cases.map(({ line, trait }) => onlyWith(trait, line)).join('')}        ELSE ${last}\n      END`;
}
