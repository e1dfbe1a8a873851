import { z } from 'zod';
import { EVENT_FIELDS, type EventField, TEAM_FIELDS } from '../contract/event.ts';
import { type AvroColumn, AvroSchemaError, avroColumns } from './avro-columns.ts';
import {
  columns as columnsOfEvents,
  EVENT_FIELD_NAMES,
  FIELD_SOURCES,
  isNamingType,
  isVisible,
} from './events.ts';
import { byProblem, type GameAnalytics } from './gameanalytics.ts';
import type { Parsed } from './parse.ts';
import { ALL_NAMES, plainColumn, sqlNames } from './query.ts';
import { namesAreUnique } from './rule.ts';

/*
 * The columns of Avro records that a resource does not name: those fields of the registry's newest schema
 * that it uses. So a schema that gets a field that nobody uses changes nothing.
 */

/** With the one rule that an API server holds by another schema. */
const usableColumns = columnsOfEvents.refine(namesAreUnique, 'have one name twice');

/** What a resource uses of the schema of its records. */
export const schemaUse = z.strictObject({
  /** All names in its SQL, of columns and of all else; with ALL_NAMES, all columns are used. */
  names: z.array(z.string()),
  /** The columns that there must be. */
  needed: z.array(
    z.strictObject({
      column: z.string(),
      /** What in the resource names it. */
      by: z.string(),
      /** What it is read as, whatever the schema says. */
      type: z.string().optional(),
      /** Whether its values must be names. */
      isNaming: z.boolean().optional(),
    }),
  ),
});

export type SchemaUse = z.output<typeof schemaUse>;
type Needed = SchemaUse['needed'][number];

/** A schema as a registry has it. */
export interface RegisteredSchema {
  /** Undefined: Avro. */
  schemaType?: string | undefined;
  schema: string;
}

/** What a resource without columns uses of the schema. */
export function findSchemaUse({ spec }: Pick<GameAnalytics, 'spec'>): SchemaUse {
  const { fields } = spec.events;
  const boards = spec.leaderboards.map((board) => ({
    by: undefined,
    where: undefined,
    of: undefined,
    query: undefined,
    ...board,
  }));
  const texts = [
    ...Object.values(FIELD_SOURCES).map((source) => fields?.[source]),
    fields?.eventId,
    ...boards.flatMap(({ where, of, query }) => [where, of, query]),
  ].filter((text) => text !== undefined);
  const needed = [
    ...EVENT_FIELD_NAMES.flatMap((name) => neededBy(name, fields)),
    ...plainly(fields?.eventId, 'events.fields.eventId'),
    ...boards.flatMap(({ name, by }) =>
      by !== undefined && isVisible(by) ? [{ column: by, by: `by of ${name}`, isNaming: true }] : [],
    ),
  ];
  const names = [...texts.flatMap(sqlNames), ...needed.map(({ column }) => column)];
  return { names: [...new Set(names)].sort(), needed };
}

const NUMBERS_OF_TIME = ['Millis', 'Seconds', 'Micros', 'Nanos'];

function neededBy(name: EventField, fields: GameAnalytics['spec']['events']['fields']): Needed[] {
  const source = FIELD_SOURCES[name];
  const by = `events.fields.${source}`;
  const expression = fields?.[source];
  if (expression !== undefined) return plainly(expression, by);
  if (fields && TEAM_FIELDS.includes(name)) return [];
  // A time whose schema says its unit is read as a number where the resource takes it for one.
  const isNumber = source === 'time' && NUMBERS_OF_TIME.includes(fields?.timeUnit ?? 'Millis');
  return [{ column: name, by: `${by} by default`, ...(isNumber && { type: EVENT_FIELDS[name].type }) }];
}

function plainly(expression: string | undefined, by: string): Needed[] {
  const column = expression === undefined ? undefined : plainColumn(expression);
  return column === undefined ? [] : [{ column, by }];
}

/**
 * The columns of a schema that are used.
 *
 * @throws AvroSchemaError when it is none of records, or has not what is needed
 */
export function chooseColumns({ names, needed }: SchemaUse, registered: RegisteredSchema): AvroColumn[] {
  const { columns, leftOut } = avroColumns(parseSchema(registered));
  const problems = needed.flatMap(({ column, by, isNaming }) => {
    const found = columns.find(({ name }) => name === column);
    const why = leftOut.find(({ name }) => name === column)?.why;
    if (!found && why === undefined) return [`it has no field ${column} (${by})`];
    if (!found) return [`it has the field ${column} (${by}), of which no column can be made: ${why}`];
    if (isNaming && !isNamingType(found.type))
      return [`its field ${column} (${by}) is ${found.type}, not text, a whole number or BOOLEAN`];
    return [];
  });
  if (problems.length > 0) throw new AvroSchemaError(problems.join('; '));
  const used = columns
    .filter(({ name }) => names.includes(ALL_NAMES) || names.includes(name))
    .map(({ name, type }) => ({ name, type: needed.find(({ column }) => column === name)?.type ?? type }));
  if (used.length === 0) throw new AvroSchemaError('it has none of the fields that are used');
  const [issue] = usableColumns.safeParse(used).error?.issues ?? [];
  if (!issue) return used;
  const { name } = used[Number(issue.path[0])] ?? {};
  throw new AvroSchemaError(`its columns cannot be used: ${name ? `${name}: ` : ''}${issue.message}`);
}

function parseSchema({ schemaType = 'AVRO', schema }: RegisteredSchema): unknown {
  if (schemaType !== 'AVRO') throw new AvroSchemaError(`it is not Avro but ${schemaType}`);
  try {
    return JSON.parse(schema);
  } catch (error) {
    throw new AvroSchemaError(`it is not JSON: ${(error as Error).message}`);
  }
}

/** The resource with columns that it does not name itself, or what is wrong with it then. */
export function withColumns(resource: GameAnalytics, columns: AvroColumn[]): Parsed {
  const { success, data } = usableColumns.safeParse(columns);
  if (!success)
    return { problems: [{ path: 'spec.events.columns', message: 'must be columns of the schema' }] };
  const { spec } = resource;
  const complete = { ...spec, events: { ...spec.events, columns: data } };
  const message = byProblem(complete);
  return message === undefined
    ? { resource: { ...resource, spec: complete } }
    : { problems: [{ path: 'spec.leaderboards', message }] };
}
