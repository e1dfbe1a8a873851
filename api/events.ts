import { z } from 'zod';
import {
  EVENT_FIELDS,
  EVENT_ID,
  type EventField,
  MOST_SCORE_DECIMALS,
  TEAM_FIELDS,
} from '../contract/event.ts';
import { COLUMN_NAME } from './column-name.ts';
import { normalizeColumnType } from './column-type.ts';
import { duration } from './duration.ts';
import { integer } from './integer.ts';
import { objectName } from './object-name.ts';
import { ONE_VALUE } from './one-value.ts';
import { isSafeExpression, SAFE_EXPRESSION } from './query.ts';
import { namesAreUnique, type Rule, withRules } from './rule.ts';

/** With at least one character that is not a dot: Kafka has no topics . and .. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]*[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/;

const column = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(COLUMN_NAME, 'must be letters, digits, _ @ . and -, and begin with a letter, _ or @')
    .describe('Name of the field in a record (format csv: any name, in the order of the values).'),
  type: z
    .string()
    .max(2000)
    .refine((text) => normalizeColumnType(text) !== undefined, {
      message:
        'must be a type such as STRING, INT, BIGINT, DOUBLE, DECIMAL(18, 2), BOOLEAN, TIMESTAMP_LTZ(3), ARRAY<STRING>, MAP<STRING, INT> or ROW<id STRING, tag STRING>',
    })
    .describe(
      'Flink SQL type, such as STRING, INT, DECIMAL(18, 2), ARRAY<STRING> or ROW<id STRING, tag STRING>. A value that is none is NULL.',
    ),
});

/** spec.events.columns: what a record has. */
export const columns = z
  .array(column)
  .min(1)
  .max(200)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

/** What a time is written in. */
const TIME_UNITS = ['Millis', 'Seconds', 'Micros', 'Nanos', 'Iso8601', 'Timestamp'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

function expression(description: string) {
  return z
    .string()
    .min(1)
    .max(2000)
    .refine(isSafeExpression, {
      message: `must be ${SAFE_EXPRESSION}`,
    })
    .optional()
    .describe(description);
}

const fields = z
  .strictObject({
    userId: expression('The player. Default user_id.'),
    teamId: expression(
      'The team that the player plays for. Unset: the game has no teams, and so no TopTeams and TeamMvps.',
    ),
    teamName: expression('The team’s name. Unset: teams have none.'),
    score: expression(
      'What the player scored: a number, which loses all decimals but those of events.scoreDecimals. Default score.',
    ),
    time: expression('When it happened, in timeUnit. Default event_time_millis.'),
    timeUnit: z
      .enum(TIME_UNITS)
      .default('Millis')
      .describe(
        'What time is in. Millis, Seconds (with decimals), Micros or Nanos since 1970-01-01T00:00Z; Iso8601: text such as 2026-11-28T18:25:43.511+01:00, UTC where it names no zone; Timestamp: a column of type TIMESTAMP (UTC) or TIMESTAMP_LTZ.',
      ),
    eventId: expression('What names an event, for deduplicate. An event without one is invalid.'),
  })
  .optional()
  .meta(ONE_VALUE);

/**
 * Confluent's API of the schema registry where a resource names none: that of Apicurio, by a Service in the
 * namespace of the resource, such as the chart gameanalytics-platform makes.
 */
export const DEFAULT_REGISTRY_URL = 'http://schema-registry:8080/apis/ccompat/v7';

/** From 1 to 65535. */
const PORT = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

/** Without a query, and without a user: a password belongs into a Secret. */
const REGISTRY_URL = new RegExp(
  `^https?:\\/\\/([a-zA-Z0-9.-]+|\\[[0-9a-fA-F:.]+\\])(:${PORT})?(\\/[a-zA-Z0-9._~-]+)*\\/?$`,
);

const schemaRegistry = z
  .strictObject({
    url: z
      .string()
      .max(500)
      .regex(
        REGISTRY_URL,
        'must be an address such as http://registry:8081/apis/ccompat/v7, without a password',
      )
      .optional()
      .describe(
        `Where it has Confluent’s API. Apicurio Registry has it under /apis/ccompat/v7. Unset: ${DEFAULT_REGISTRY_URL}, and with gameanalytics run a registry that the run starts.`,
      ),
    secretName: objectName('the name of a Secret')
      .optional()
      .describe(
        'Secret with the keys username and password, or ca.crt (what signs the registry’s certificate), or all three.',
      ),
  })
  .optional()
  .meta(ONE_VALUE);

/** What a resource says of how its records become events. */
export type EventMappingSpec = Pick<
  z.output<typeof schema>,
  'format' | 'columns' | 'fields' | 'deduplicate' | 'negativeScores' | 'scoreDecimals'
>;

const schema = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(249)
    .regex(TOPIC_NAME, 'must be a Kafka topic name: letters, digits, . _ and -')
    .optional()
    .describe(
      'A topic of your own that holds the events; it is never created, changed or deleted. Unset: the topic <name>-user-score is managed.',
    ),
  format: z
    .enum(['json', 'csv', 'avro-confluent'])
    .default('json')
    .describe(
      'How a record is written. json: an object, or an array of objects; envelopes such as CloudEvents and Debezium are columns of type ROW. csv: a line of values separated by commas, in the order of columns. avro-confluent: Avro whose schemas are in a schema registry.',
    ),
  schemaRegistry: schemaRegistry.describe(
    'The schema registry of format avro-confluent. Unset: the one at the default address, which asks for no sign-in.',
  ),
  columns: columns
    .optional()
    .describe(
      `What a record has, as far as it is used. fields, where and Query boards can use all of them. Default: ${Object.keys(EVENT_FIELDS).join(', ')}; with format avro-confluent and no injector, those fields of the registry’s newest schema that are used.`,
    ),
  fields: fields.describe(
    'How a record becomes an event: SQL expressions over columns. Unset: columns are named like the fields of an event. Under the names of these fields, boards see what they are set to, and no longer columns of the same names.',
  ),
  deduplicate: duration(
    'Events with the same fields.eventId count once within this time, by Kafka’s time of the record: the first one does. Unset: every event counts.',
    '1s',
    '7d',
  ).optional(),
  negativeScores: z
    .enum(['Refuse', 'Correct'])
    .default('Refuse')
    .describe(
      'What an event with a score below 0 is. Refuse: invalid. Correct: a correction, which counts and lowers totals. Ranks of totals that can fall take more CPU.',
    ),
  scoreDecimals: integer(0, MOST_SCORE_DECIMALS)
    .default(0)
    .describe(
      'How many decimals scores have, and what boards make of them. What fields.score and of give is rounded to as many, half away from zero. Boards rank by exact numbers, and show all of these decimals.',
    ),
  latestArrival: duration(
    'How long after a season’s end its events may still reach Kafka and count. Then the season is frozen: its boards do not change any more. Unset: seasons are never frozen.',
    '1s',
    '30d',
  ).optional(),
  partitions: integer(1, 1000)
    .default(3)
    .meta({
      'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'partitions may grow, never shrink' }],
    })
    .describe('Partitions of the managed topic. May grow, never shrink.'),
  retention: duration(
    'How long the managed topic keeps events, from 10m. At least twice the longest season, so that a restart can replay the open and the last season.',
    '10m',
    '999999d',
  ).default('24h'),
  deletionPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of the managed topic, and of the results, when the resource is deleted.'),
  maxLateness: duration(
    'How late an event may reach Kafka and still count in the streaks (the watermark’s delay), up to 1h. Totals count later ones too.',
    '1s',
    '1h',
  ).default('5s'),
});

/* The API server holds rules against the default of spec.events too, before it fills in that of format. */
const rules: Rule<z.output<typeof schema>>[] = [
  {
    // The API server holds this one by the list's map key.
    message: 'the names of columns must be unique',
    field: 'columns',
    holds: ({ columns }) => columns === undefined || namesAreUnique(columns),
  },
  {
    cel: "!has(self.schemaRegistry) || (has(self.format) && self.format == 'avro-confluent')",
    message: 'only format avro-confluent has a schemaRegistry',
    field: 'schemaRegistry',
    holds: ({ format, schemaRegistry }) => schemaRegistry === undefined || format === 'avro-confluent',
  },
  {
    cel: '!has(self.deduplicate) || (has(self.fields) && has(self.fields.eventId))',
    message: 'deduplicate needs fields.eventId',
    field: 'deduplicate',
    holds: ({ deduplicate, fields }) => deduplicate === undefined || fields?.eventId !== undefined,
  },
];

/** spec.events: where the game's events are, and how a record becomes one. */
export const events = withRules(schema, rules);

export const EVENT_FIELD_NAMES = Object.keys(EVENT_FIELDS) as EventField[];

/** Which of spec.events.fields says what a field of an event is. */
export const FIELD_SOURCES = {
  user_id: 'userId',
  team_id: 'teamId',
  team_name: 'teamName',
  score: 'score',
  event_time_millis: 'time',
} as const satisfies Record<EventField, keyof NonNullable<EventMappingSpec['fields']>>;

/** What a view of events has under its own name, whatever the columns of a record are called. */
const OWN_COLUMNS: readonly string[] = [
  ...EVENT_FIELD_NAMES,
  EVENT_ID,
  'event_time',
  'produced_at',
  'arrived_at',
  'produced_at_millis',
  'read_at',
  'dated_team_name',
];

/** Whether boards see a column of a record: the others are hidden by fields of the same names. */
export function isVisible(column: string): boolean {
  return !OWN_COLUMNS.includes(column);
}

/** Types whose values are names: texts, whole numbers, and whether something is so. */
const NAMING_TYPES = ['STRING', 'BOOLEAN', 'TINYINT', 'SMALLINT', 'INT', 'BIGINT'];

/** Whether values of a type of a column can name boards. */
export function isNamingType(type: string): boolean {
  return NAMING_TYPES.includes(normalizeColumnType(type) ?? '');
}

/** The columns of events whose values can have boards of their own. */
export function namingColumns({ columns = [], fields }: EventMappingSpec): string[] {
  const isNull = (name: EventField) => fields !== undefined && fields[FIELD_SOURCES[name]] === undefined;
  const own = EVENT_FIELD_NAMES.filter((name) => !TEAM_FIELDS.includes(name) || !isNull(name));
  const others = columns.filter(({ name, type }) => isVisible(name) && isNamingType(type));
  return [...own, ...others.map(({ name }) => name)];
}

/** Whether events with negative scores count, and totals can fall. */
export function hasCorrections({ negativeScores }: EventMappingSpec): boolean {
  return negativeScores === 'Correct';
}

/** Whether the events say which team a player plays for. */
export function hasTeams({ fields }: EventMappingSpec): boolean {
  return fields === undefined || fields.teamId !== undefined;
}
