import {
  EVENT_CHECKS,
  EVENT_FIELDS,
  EVENT_ID,
  type EventCheck,
  type EventField,
  type EventTraits,
  LEAST_CORRECTION,
  LONGEST_TEXT,
  ROBOT_PREFIX,
  SCORE,
  UNKNOWN_SCHEMA,
  type Violation,
} from '../contract/event.ts';
import {
  INVALID_REASONS,
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

/** Sources that only some scripts have, by what those have. */
const OPTIONAL_SOURCES = new Map<StatsSource, string>([
  ['duplicates', 'deduplicateMillis'],
  ['frozen', 'latestArrivalMillis'],
]);

/** An example shows so much of an id, and of a malformed message. */
const ID_EXAMPLE_CHARACTERS = 16;
const MESSAGE_EXAMPLE_CHARACTERS = 80;

const EVENT_COLUMNS = Object.entries(EVENT_FIELDS) as [EventField, (typeof EVENT_FIELDS)[EventField]][];

/**
 * What the format for Avro (local/runtime/flink-avro) makes of a record whose schema the registry does not
 * know: this column has the id of the schema, and all others are NULL.
 */
const UNKNOWN_SCHEMA_ID = '`$unknown_schema`';

/** A score as an integer: of those with decimals, in units of the last one. */
const SCORE_UNITS = '{{#if mapping.scoreDecimals}}`$score_units`{{else}}score{{/if}}';

interface Violated {
  condition: string;
  violation: Violation;
  onlyWith: keyof EventTraits | undefined;
}

/** Conditions that are true of invalid events where those before them are not, each with why. */
const VIOLATED: Violated[] = [
  {
    condition: `${UNKNOWN_SCHEMA_ID} IS NOT NULL`,
    violation: UNKNOWN_SCHEMA,
    onlyWith: UNKNOWN_SCHEMA.onlyWith,
  },
  ...EVENT_CHECKS.flatMap((check) => {
    const { missing, outOfBounds, onlyWith } = check;
    const field = checkedColumn(check);
    if ('longest' in check)
      return [
        { condition: `${field} IS NULL OR ${field} = ''`, violation: missing, onlyWith },
        { condition: `CHAR_LENGTH(${field}) > ${check.longest}`, violation: outOfBounds, onlyWith },
      ];
    const upper = 'below' in check ? `${field} >= ${check.below}` : `${field} > ${check.most}`;
    return [
      { condition: `${field} IS NULL`, violation: missing, onlyWith },
      { condition: `${field} < ${least(check)} OR ${upper}`, violation: outOfBounds, onlyWith },
    ];
  }),
];

/** Pieces of SQL by their names. */
export const CONTRACT_SQL: Record<string, string> = {
  // What is added up, compared and ranked of a score.
  'score-units': SCORE_UNITS,
  'event-fields':
    EVENT_COLUMNS.map(([name]) => `${isChecked(name) ? name : cut(name)},`).join('\n') +
    `{{#if mapping.scoreDecimals}}\n${SCORE_UNITS},{{/if}}` +
    onlyWith('hasEventIds', `\n${EVENT_ID},`),
  'unknown-schema-id': UNKNOWN_SCHEMA_ID,
  // What NULL becomes in the SQL of a resource may look valid.
  'valid-event':
    onlyWith('hasSchemas', `${UNKNOWN_SCHEMA_ID} IS NULL\n  AND `) +
    EVENT_CHECKS.map((check, i) =>
      onlyWith(check.onlyWith, `${valid(check)}${i < EVENT_CHECKS.length - 1 ? '\n  AND ' : ''}`),
    ).join(''),
  'invalid-reason': violationCase(({ reason }) => reason),
  'invalid-text': violationCase(({ text, textWithCorrections }) =>
    withCorrections(text, textWithCorrections),
  ),
  'invalid-example': EVENT_COLUMNS.filter(([name]) => isChecked(name))
    .map(shown)
    .join("\n      || ' ' || "),
  'invalid-counts': list(
    '\n',
    INVALID_REASONS,
    ({ id, countColumn }) => `CASE WHEN reason = ${quoted(id)} THEN 1 ELSE 0 END AS ${countColumn},`,
  ),
  'invalid-examples': list(
    ',\n',
    INVALID_REASONS,
    ({ id, exampleColumn }) =>
      `CASE WHEN reason = ${quoted(id)} THEN dated || example END AS ${exampleColumn}`,
  ),
  'duplicate-example': masked(EVENT_ID, ID_EXAMPLE_CHARACTERS),
  'masked-content': masked('content', MESSAGE_EXAMPLE_CHARACTERS),
  'is-robot': `user_id LIKE '${ROBOT_PREFIX}%'`,
  'longest-text': String(LONGEST_TEXT),
  // A total, no further from 0 than a score can be: what it lacks to 2^62 has 19 digits, whatever the scores.
  bounded: `GREATEST(${LEAST_CORRECTION}, LEAST(${SCORE.most}, {{expression total}}))`,
  'slot-seconds': String(SLOT_MILLIS / 1000),
  // When the slot of a record began.
  'stats-slot': `1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), ${SLOT_MILLIS / 1000}))`,
  'stats-columns': list('\n', STATS_COLUMNS, ({ name, type }) => `${name} ${type},`),
  'stats-column-names': `${SLOT_START}, ${list(', ', STATS_COLUMNS, ({ name }) => name)}`,
  'stats-parts': STATS_SOURCES.map(statsPart).join(''),
  'stats-merged': list(',\n', STATS_COLUMNS, ({ name, merge }) => MERGED[merge](name)),
};

function statsPart(source: StatsSource): string {
  const columns = list(',\n', STATS_COLUMNS, ({ name, type, sources, merge }) => {
    const nothing = merge === 'sum' ? '0' : 'NULL';
    return `  CAST(${sources.includes(source) ? name : nothing} AS ${type}) AS ${name}`;
  });
  const part = `SELECT\n  ${SLOT_START},\n${columns}\nFROM of_${source}`;
  const trait = OPTIONAL_SOURCES.get(source);
  if (trait) return `{{#if ${trait}}}\nUNION ALL\n${part}{{/if}}`;
  return source === STATS_SOURCES[0] ? part : `\nUNION ALL\n${part}`;
}

function isChecked(name: EventField): boolean {
  return EVENT_FIELDS[name].type !== 'STRING' || EVENT_CHECKS.some(({ field }) => field === name);
}

function cut(name: string): string {
  return `LEFT(${name}, ${LONGEST_TEXT}) AS ${name}`;
}

function onlyWith(trait: keyof EventTraits | undefined, sql: string): string {
  return trait ? `{{#if mapping.${trait}}}${sql}{{/if}}` : sql;
}

/** SQL for each of some items, the first of which every job has. */
function list<T extends { onlyWith?: keyof EventTraits | undefined }>(
  separator: string,
  items: T[],
  sql: (item: T) => string,
): string {
  return items.map((item, i) => onlyWith(item.onlyWith, `${i > 0 ? separator : ''}${sql(item)}`)).join('');
}

function valid(check: EventCheck): string {
  const field = checkedColumn(check);
  if ('longest' in check) return `${field} <> '' AND CHAR_LENGTH(${field}) <= ${check.longest}`;
  const upper = 'below' in check ? `${field} < ${check.below}` : `${field} <= ${check.most}`;
  return `${field} >= ${least(check)} AND ${upper}`;
}

function checkedColumn({ field }: EventCheck): string {
  return field === 'score' ? SCORE_UNITS : field;
}

function least({ least, leastWithCorrections }: { least: number; leastWithCorrections?: number }): string {
  return withCorrections(String(least), leastWithCorrections?.toString());
}

function withCorrections(sql: string, other: string | undefined): string {
  return other === undefined ? sql : `{{#if mapping.hasCorrections}}${other}{{else}}${sql}{{/if}}`;
}

/** Something about why an event is invalid: when it is for none of the other reasons, it is for the last. */
function violationCase(about: (violation: Violation) => string): string {
  const branches = VIOLATED.map(({ condition, violation, onlyWith: trait }, index) => {
    const isLast = index === VIOLATED.length - 1;
    const branch = isLast ? 'ELSE' : `WHEN ${condition} THEN`;
    return onlyWith(trait, `      ${branch} ${quoted(about(violation))}\n`);
  });
  return `CASE\n${branches.join('')}    END`;
}

/** A field with its value, of which numbers are as they are, and texts say only what form they have. */
function shown([name, { type }]: (typeof EVENT_COLUMNS)[number]): string {
  const value = type === 'STRING' ? masked(name, ID_EXAMPLE_CHARACTERS) : `CAST(${name} AS STRING)`;
  return `'${name}=' || COALESCE(${value}, 'NULL')`;
}

/** The beginning of a text, with 0 for digits, and x for what is neither punctuation nor a space. */
function masked(text: string, characters: number): string {
  // By Java's texts: bytes of a message that are no UTF-8 make Flink's own LEFT fail.
  const start = `REGEXP_EXTRACT(${text}, '(?s)^.{0,${characters}}', 0)`;
  const end = `CASE WHEN CHAR_LENGTH(${text}) > ${characters} THEN '...' ELSE '' END`;
  return `REGEXP_REPLACE(REGEXP_REPLACE(${start}, '[0-9]', '0'), '[^\\p{Punct} 0]', 'x') || ${end}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
