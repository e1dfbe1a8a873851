import { MOST_LEVELS } from './column-type.ts';

/*
 * The columns of records with an Avro schema, as a resource names them: each of the largest type that its
 * field may get when the schema evolves. How the job reads them: local/runtime/flink-avro.
 */

/** A column as spec.events.columns has it. */
export interface AvroColumn {
  name: string;
  /** Flink SQL type. */
  type: string;
}

/** A field of the schema that no column can be made of, and why. */
export interface LeftOut {
  name: string;
  why: string;
}

/** The schema is none of records, or none that can be used. */
export class AvroSchemaError extends Error {}

/**
 * The columns of an Avro schema, and the fields that none can be made of.
 *
 * @param schema as JSON has it, of which nothing is known
 * @throws AvroSchemaError when it is no schema of a record
 */
export function avroColumns(schema: unknown): { columns: AvroColumn[]; leftOut: LeftOut[] } {
  const record = asSchema(schema);
  if (record.type !== 'record') throw new AvroSchemaError('it is not the schema of a record');
  const named = new Map<string, Named>();
  learnNames(record, '', named);
  const namespace = findNamespace(record, '');
  const columns: AvroColumn[] = [];
  const leftOut: LeftOut[] = [];
  for (const { name, type } of readFields(record)) {
    try {
      columns.push({ name, type: columnType(type, namespace, named, 1) });
    } catch (error) {
      if (!(error instanceof NoColumn)) throw error;
      leftOut.push({ name, why: error.message });
    }
  }
  return { columns, leftOut };
}

/** Part of a schema: what is read of it, unchecked. */
interface Schema {
  type?: unknown;
  name?: unknown;
  namespace?: unknown;
  fields?: unknown;
  items?: unknown;
  values?: unknown;
  logicalType?: unknown;
  precision?: unknown;
  scale?: unknown;
}

/** A schema that others can name, and the namespace in which it stands. */
interface Named {
  schema: Schema;
  namespace: string;
}

class NoColumn extends Error {}

function asSchema(value: unknown): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new AvroSchemaError('it is not an Avro schema in JSON');
}

function readFields({ fields }: Schema): { name: string; type: unknown }[] {
  const all = Array.isArray(fields) ? fields.map(asSchema) : [];
  if (all.length === 0) throw new AvroSchemaError('a record of it has no fields');
  return all.map(({ name, type }) => {
    if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name) || type === undefined)
      throw new AvroSchemaError('a field of it has no name or no type');
    return { name, type };
  });
}

function findNamespace({ name, namespace }: Schema, outer: string): string {
  const [, ofName] = /^(.*)\./.exec(String(name)) ?? [];
  return ofName ?? (typeof namespace === 'string' ? namespace : outer);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

const NAMED = ['record', 'enum', 'fixed'];

/** Notes all schemas with names, wherever they stand. */
function learnNames(type: unknown, outer: string, named: Map<string, Named>): void {
  if (typeof type === 'string') return;
  if (Array.isArray(type)) {
    for (const branch of type) learnNames(branch, outer, named);
    return;
  }
  const schema = asSchema(type);
  const isNamed = NAMED.includes(String(schema.type));
  const namespace = isNamed ? findNamespace(schema, outer) : outer;
  if (isNamed) named.set(fullName(String(schema.name), namespace), { schema, namespace: outer });
  if (schema.type === 'record') for (const { type } of readFields(schema)) learnNames(type, namespace, named);
  else
    for (const part of [schema.items, schema.values])
      if (part !== undefined) learnNames(part, namespace, named);
}

const PRIMITIVES: Record<string, string> = {
  boolean: 'BOOLEAN',
  int: 'BIGINT',
  long: 'BIGINT',
  float: 'DOUBLE',
  double: 'DOUBLE',
  bytes: 'BYTES',
  fixed: 'BYTES',
  string: 'STRING',
  enum: 'STRING',
};

const LOGICAL: Record<string, string> = {
  date: 'DATE',
  'time-millis': 'TIME(3)',
  'time-micros': 'TIME(3)',
  'timestamp-millis': 'TIMESTAMP_LTZ(3)',
  'timestamp-micros': 'TIMESTAMP_LTZ(3)',
  'timestamp-nanos': 'TIMESTAMP_LTZ(3)',
  'local-timestamp-millis': 'TIMESTAMP(3)',
  'local-timestamp-micros': 'TIMESTAMP(3)',
  'local-timestamp-nanos': 'TIMESTAMP(3)',
};

/** No decimal of Flink has more digits. */
const MOST_DIGITS = 38;

function columnType(
  type: unknown,
  namespace: string,
  named: ReadonlyMap<string, Named>,
  level: number,
): string {
  if (level > MOST_LEVELS) throw new NoColumn(`it has more than ${MOST_LEVELS} levels, or contains itself`);
  if (Array.isArray(type))
    return commonType(
      type.filter((branch) => branch !== 'null'),
      (branch) => columnType(branch, namespace, named, level),
    );
  if (typeof type === 'string') {
    const primitive = Object.hasOwn(PRIMITIVES, type) ? PRIMITIVES[type] : undefined;
    if (primitive !== undefined) return primitive;
    const found = named.get(fullName(type, namespace));
    if (!found) throw new NoColumn(`nothing is known of its type ${type}`);
    return columnType(found.schema, found.namespace, named, level);
  }
  const schema = asSchema(type);
  const inner = (part: unknown) => columnType(part, namespace, named, level + 1);
  if (schema.type === 'array') return `ARRAY<${inner(schema.items)}>`;
  if (schema.type === 'map') return `MAP<STRING, ${inner(schema.values)}>`;
  if (schema.type === 'record') {
    const own = findNamespace(schema, namespace);
    const fields = readFields(schema).map(
      (field) => `\`${field.name}\` ${columnType(field.type, own, named, level + 1)}`,
    );
    return `ROW<${fields.join(', ')}>`;
  }
  return logicalType(schema) ?? columnType(schema.type, namespace, named, level);
}

function logicalType({ logicalType, precision, scale = 0 }: Schema): string | undefined {
  if (logicalType === 'decimal')
    return Number.isInteger(precision) && Number(precision) <= MOST_DIGITS
      ? `DECIMAL(${precision}, ${scale})`
      : undefined;
  return Object.hasOwn(LOGICAL, String(logicalType)) ? LOGICAL[String(logicalType)] : undefined;
}

const NUMBERS = ['BIGINT', 'DOUBLE'];
const TEXTS = [...NUMBERS, 'STRING', 'BOOLEAN'];

/** The type that can hold the values of each of a union's branches. */
function commonType(branches: unknown[], typeOf: (branch: unknown) => string): string {
  const types = [...new Set(branches.map(typeOf))];
  const [first] = types;
  if (first === undefined) throw new NoColumn('it is always null');
  if (types.length === 1) return first;
  if (types.every((type) => NUMBERS.includes(type))) return 'DOUBLE';
  if (types.every((type) => TEXTS.includes(type))) return 'STRING';
  throw new NoColumn(`it may be ${types.join(' or ')}, and no type holds both`);
}
