/** The parts of a structural schema (a CRD's openAPIV3Schema) that the tests look at. */
export interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-validations'?: { rule?: string; message?: string; fieldPath?: string }[];
}

export interface Node {
  path: string;
  schema: Schema;
}

/** Every node of a schema, itself first, with its path as kubectl explain would write it. */
export function nodes(schema: Schema, path = ''): Node[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    { path, schema },
    ...Object.entries(properties).flatMap(([name, child]) => nodes(child, path ? `${path}.${name}` : name)),
    ...(items ? nodes(items, `${path}[]`) : []),
    ...(additionalProperties ? nodes(additionalProperties, `${path}{}`) : []),
  ];
}

/** The value with defaults filled in as the API server does it: a field's own first, then those inside. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(schema.items ?? {}, item));
  if (typeof value !== 'object' || value === null) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const field = filled[name] === undefined ? structuredClone(child.default) : filled[name];
    if (field !== undefined) filled[name] = withDefaults(child, field);
  }
  return filled;
}

/** What is wrong with a value by a schema, each with its path. Rules in CEL are not judged. */
export function violations(schema: Schema, value: unknown, path = ''): string[] {
  const wrong = (broken: boolean, what: string) => (broken ? [`${path}: ${what}`] : []);
  if (Array.isArray(value)) {
    const { items = {}, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    return [
      ...wrong(schema.type !== 'array', 'type'),
      ...wrong(value.length < minItems || value.length > maxItems, 'length'),
      ...value.flatMap((item, i) => violations(items, item, `${path}[${i}]`)),
    ];
  }
  if (typeof value === 'object' && value !== null) return objectViolations(schema, value, path);
  return [
    ...wrong(!scalarTypes(value).includes(schema.type ?? ''), 'type'),
    ...wrong(!!schema.enum && !schema.enum.includes(value), 'enum'),
    ...(typeof value === 'string' ? stringViolations(schema, value, path) : []),
    ...wrong(
      Number(value) < (schema.minimum ?? -Infinity) || Number(value) > (schema.maximum ?? Infinity),
      'range',
    ),
  ];
}

function objectViolations(schema: Schema, value: object, path: string): string[] {
  const missing = (schema.required ?? [])
    .filter((name) => !(name in value))
    .map((name) => `${path}.${name}: required`);
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const child = schema.properties?.[name] ?? schema.additionalProperties;
    return child ? violations(child, field, `${path}.${name}`) : [`${path}.${name}: unknown`];
  });
  return [...missing, ...fields];
}

function stringViolations(schema: Schema, value: string, path: string): string[] {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern = '' } = schema;
  const fits = value.length >= minLength && value.length <= maxLength && new RegExp(pattern).test(value);
  return fits ? [] : [`${path}: length or pattern`];
}

function scalarTypes(value: unknown): string[] {
  if (Number.isInteger(value)) return ['integer', 'number'];
  return [typeof value];
}
