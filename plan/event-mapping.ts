import { normalizeColumnType } from '../api/column-type.ts';
import {
  EVENT_FIELD_NAMES,
  type EventMappingSpec,
  FIELD_SOURCES,
  hasCorrections,
  hasTeams,
  isVisible,
  type TimeUnit,
} from '../api/events.ts';
import { EVENT_FIELDS, EVENT_ID, type EventField, type EventTraits } from '../contract/event.ts';
import { scoreType, scoreUnits } from './sql-template.ts';

/** How the records of a topic become events, as sql/events.sql.hbs has it. */
export interface EventMapping extends EventTraits {
  /** What a record has; the types are Flink's, with names quoted. */
  columns: { name: string; type: string }[];
  /** The fields of an event: each as SQL over the columns, and which of spec.events.fields says it. */
  fields: { name: string; sql: string; from: keyof Fields }[];
  /** How many decimals its score has. */
  scoreDecimals: number;
  /** Its score in units of the last decimal, as an integer, over the columns: what is ranked. */
  scoreUnits: string;
  /** When it happened, in epoch milliseconds, over the columns. */
  timeMillis: string;
  /** Columns that are passed on as they are: the others are hidden by fields of the same names. */
  otherColumns: string[];
}

type Fields = NonNullable<EventMappingSpec['fields']>;

/**
 * The mapping of a resource's events.
 *
 * @throws RangeError when a column's type is none, which the parser does not let through
 */
export function planEventMapping(spec: EventMappingSpec): EventMapping {
  const { scoreDecimals } = spec;
  const defaultColumns = EVENT_FIELD_NAMES.map((name) => ({
    name,
    type: name === 'score' ? scoreType(scoreDecimals) : EVENT_FIELDS[name].type,
  }));
  const columns = (spec.columns ?? defaultColumns).map(({ name, type }) => ({
    name,
    type: columnType(type),
  }));
  const expressions = fieldExpressions(spec);
  const hasEventIds = spec.fields?.eventId !== undefined;
  return {
    columns,
    fields: [
      ...EVENT_FIELD_NAMES.map((name) => ({ name, sql: expressions[name], from: FIELD_SOURCES[name] })),
      ...(hasEventIds ? [{ name: EVENT_ID, sql: text(spec.fields?.eventId), from: 'eventId' as const }] : []),
    ],
    scoreDecimals,
    scoreUnits: scoreUnits(inParentheses(spec.fields?.score ?? 'score'), scoreDecimals),
    timeMillis: expressions.event_time_millis,
    otherColumns: columns.map(({ name }) => name).filter(isVisible),
    hasTeams: hasTeams(spec),
    hasEventIds,
    hasCorrections: hasCorrections(spec),
    hasSchemas: spec.format === 'avro-confluent',
  };
}

function columnType(type: string): string {
  const normalized = normalizeColumnType(type);
  if (normalized === undefined) throw new RangeError(`not a column type: ${type}`);
  return normalized;
}

function fieldExpressions({ fields, columns, scoreDecimals }: EventMappingSpec): Record<EventField, string> {
  if (!fields && !columns) return Object.fromEntries(EVENT_FIELD_NAMES.map((name) => [name, name])) as never;
  const { userId, teamId, teamName, score, time, timeUnit } = fields ?? {
    teamId: 'team_id',
    teamName: 'team_name',
    timeUnit: 'Millis',
  };
  return {
    user_id: text(userId ?? 'user_id'),
    team_id: text(teamId),
    team_name: text(teamName),
    score:
      scoreDecimals === 0
        ? scoreUnits(inParentheses(score ?? 'score'), 0)
        : `TRY_CAST(${inParentheses(score ?? 'score')} AS ${scoreType(scoreDecimals)})`,
    event_time_millis: TIME_MILLIS[timeUnit](inParentheses(time ?? 'event_time_millis')),
  };
}

/** A comment may end an expression; the new line ends the comment. */
function inParentheses(expression: string): string {
  return `(\n${expression.trim()}\n)`;
}

function text(expression: string | undefined): string {
  return expression === undefined
    ? 'CAST(NULL AS STRING)'
    : `TRY_CAST(${inParentheses(expression)} AS STRING)`;
}

/** SQL for epoch milliseconds, from SQL for a time in that unit; NULL when it is none. */
const TIME_MILLIS: Record<TimeUnit, (time: string) => string> = {
  Millis: (time) => `TRY_CAST(${time} AS BIGINT)`,
  Seconds: (time) => `TRY_CAST(1000 * TRY_CAST(${time} AS DECIMAL(20, 6)) AS BIGINT)`,
  Micros: (time) => `TRY_CAST(${time} AS BIGINT) / 1000`,
  Nanos: (time) => `TRY_CAST(${time} AS BIGINT) / 1000000`,
  Iso8601: (time) => iso8601Millis(`TRY_CAST(${time} AS STRING)`),
  Timestamp: (time) => {
    const instant = `TRY_CAST(${time} AS TIMESTAMP_LTZ(3))`;
    return `1000 * EXTRACT(EPOCH FROM ${instant}) + EXTRACT(MILLISECOND FROM ${instant})`;
  },
};

const DATE = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
const CLOCK = String.raw`([01]\d|2[0-3]):[0-5]\d:[0-5]\d`;
const FRACTION = String.raw`([.,]\d+)?`;
const OFFSET = String.raw`([Zz]|[+-][01]\d(:?[0-5]\d)?)?`;

/**
 * Flink's own formats know no offset from UTC, so date and time, decimals and offset are read one by one. By
 * REGEXP_SUBSTR: REGEXP_EXTRACT compiles its pattern for each record.
 */
function iso8601Millis(text: string): string {
  const found = (pattern: string) => `REGEXP_SUBSTR(${text}, '${pattern}')`;
  const decimals = found(String.raw`[.,]\d+`);
  // Its hours and minutes as one number: of +01:30, it is 130.
  const offset = `COALESCE(TRY_CAST(RPAD(REPLACE(${found(String.raw`[+-]\d{2}(:?\d{2})?$`)}, ':', ''), 5, '0') AS INT), 0)`;
  return `CASE WHEN REGEXP(${text}, '^${DATE}[Tt ]${CLOCK}${FRACTION}${OFFSET}$') THEN
    1000 * EXTRACT(EPOCH FROM TO_TIMESTAMP_LTZ(
      SUBSTRING(${text} FROM 1 FOR 10) || ' ' || SUBSTRING(${text} FROM 12 FOR 8), 'yyyy-MM-dd HH:mm:ss', 'UTC'
    ))
    + TRY_CAST(SUBSTRING(COALESCE(${decimals}, '.') || '000' FROM 2 FOR 3) AS INT)
    - 60000 * (${offset} - 40 * (${offset} / 100))
  END`;
}
