import { z } from 'zod';

/*
 * Settings of a program: declared as a zod object, read from variables or flags, and printed by --help. The
 * message of every rule of a field says what is allowed, as in "must be <message>".
 */

export type Parsed<T> = { readonly settings: T } | { readonly problems: readonly string[] };

/** Where a field's text comes from. */
export interface Source {
  /** Undefined or empty: not set. */
  value: string | undefined;
  /** The variable or flag that sets it. */
  name: string;
}

/**
 * Reads settings, or says everything that is wrong with them: one line per problem, with the variable or
 * flag, what is allowed, and what it is.
 *
 * @param sourceOf where the text of the field with this key comes from
 */
export function parseFields<Schema extends z.ZodObject>(
  schema: Schema,
  sourceOf: (key: string) => Source,
): Parsed<z.output<Schema>> {
  const sources = new Map(Object.keys(schema.shape).map((key) => [key, sourceOf(key)]));
  const set = [...sources].flatMap(([key, { value }]) => (value ? [[key, value]] : []));
  const result = schema.safeParse(Object.fromEntries(set));
  if (result.success) return { settings: result.data };
  const problems = result.error.issues.map(({ path: [key, ...rest], message }) => {
    const { name, value } = sources.get(String(key))!;
    const steps = rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
    if (steps.length > 0) return `${name}${steps.join('')}: ${message}`;
    return `${name}: must be ${message}${value ? `, not "${value}"` : '; it is not set'}`;
  });
  // One value can break two rules with the same message.
  return { problems: [...new Set(problems)] };
}

/** Reads settings from variables that are called like the fields. */
export function parseEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): Parsed<z.output<Schema>> {
  return parseFields(schema, (name) => ({ name, value: env[name] }));
}

/**
 * The part of --help about the fields: each with its description, what is allowed, and its default.
 *
 * @param nameOf how to set the field with this key
 */
export function describeFields(schema: z.ZodObject, nameOf = (key: string) => key): string {
  return Object.entries(schema.shape as Record<string, z.ZodType>)
    .map(([key, field]) => {
      const allowed = field.safeParse({}).error?.issues[0]?.message ?? 'anything';
      return `  ${nameOf(key)}\n      ${field.description}; ${allowed} (${describeDefault(field)})`;
    })
    .join('\n');
}

function describeDefault(field: z.ZodType): string {
  const { success, data } = field.safeParse(undefined);
  if (!success) return 'required';
  return data === undefined || data === '' || (Array.isArray(data) && data.length === 0)
    ? 'optional'
    : `default: ${field instanceof z.ZodDefault ? field.def.defaultValue : data}`;
}

export function text(allowed: string, pattern = /./) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

export function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.coerce.number({ error }).min(min, { error }).max(max, { error });
}

export function integer(min: number, max: number) {
  const error = `an integer from ${min} to ${max}`;
  // Not int(): zod skips the rules between fields after it fails.
  return z.coerce.number({ error }).multipleOf(1, { error }).min(min, { error }).max(max, { error });
}

/** Several, separated by commas; none when it is not set. */
export function list<Element extends z.ZodType<unknown, string>>(allowed: string, element: Element) {
  return z
    .string({ error: allowed })
    .default('')
    .transform((joined) => joined.split(',').flatMap((one) => one.trim() || []))
    .pipe(z.array(element));
}

/** A variable with JSON, which the schema that it is piped into judges. */
export function json(allowed: string) {
  return z.string({ error: allowed }).transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${allowed} (${(error as Error).message})` });
      return z.NEVER;
    }
  });
}

/** The address and port that a program listens on. */
export const host = text('an address to listen on').meta({
  description: 'where it listens; :: is all addresses of IPv6 and IPv4',
});
export const port = integer(0, 65_535);

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logLevel = z
  .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
  .default('info')
  .meta({ description: 'minimum level of the lines to log' });

/** Of each program whose port is for probes and metrics alone. */
export function serviceVariables(defaultPort: number) {
  return {
    HOST: host.default('127.0.0.1'),
    PORT: port.default(defaultPort).meta({ description: 'port of probes and metrics; 0 takes a free one' }),
    LOG_LEVEL: logLevel,
  };
}
