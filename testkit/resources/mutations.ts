import { nodes, type Schema } from '../../tools/docs/structural-schema.ts';

/**
 * Acto's mutations (SOSP'23): every field of a spec, one at a time, set to its boundaries, to another value,
 * to values beyond the boundaries and of another type, and removed. They are made from the schema alone; what
 * only its CEL rules know comes from a table.
 */

type Spec = Record<string, unknown>;

/**
 * What is to become of a spec: `valid` is applied; `refused` is what the API server does not take; `reported`
 * is what only the operator can know to be wrong; `unrealisable` is a spec that has nothing wrong, but a
 * child the API server refuses.
 */
export type Outcome = 'valid' | 'refused' | 'reported' | 'unrealisable';

export interface Mutation {
  /**
   * The field as kubectl explain would write it, such as `leaderboards[].size`; empty for the spec itself.
   */
  path: string;
  /** What was done to it. */
  what: string;
  outcome: Outcome;
  spec: Spec;
}

/** What the schema does not say of a field. */
export interface SpecialCase {
  /** In place of the valid values that are made from the schema. */
  valid?: unknown[];
  /** In addition to the wrong values that are made from the schema. */
  refused?: unknown[];
  reported?: unknown[];
  unrealisable?: unknown[];
  /** Set where the schema lets the field be left out and a rule does not. */
  needed?: true;
}

/** Where a field is: a spec that has it, the way to it, and its value there. */
interface Place {
  spec: Spec;
  at: (string | number)[];
  value: unknown;
}

/** A value for a field, and what is to become of it. */
interface Case {
  what: string;
  outcome: Outcome;
  value: unknown;
}

/**
 * Every mutation of every field.
 *
 * @param schema that of the spec
 * @param specs valid specs which together have every field; a field is mutated in the first place that has it
 * @param special what the schema does not say, by path
 * @throws when a field is in none of the specs: a new field must be put there
 */
export function mutations(
  schema: Schema,
  specs: Spec[],
  special: Record<string, SpecialCase> = {},
): Mutation[] {
  const places = specs.map((spec): Place => ({ spec, at: [], value: spec }));
  return fields(schema, '', places, true).flatMap(({ path, schema, place, isRequired }) => {
    const exception = special[path] ?? {};
    const isNeeded = isRequired || exception.needed === true;
    const made = [...casesOf(schema, place.value, exception), ...tabled(exception)].map(
      ({ value, ...rest }) => ({ path, ...rest, spec: withValue(place, value) }),
    );
    return place.at.length === 0 || typeof place.at.at(-1) === 'number'
      ? made
      : [...made, { path, what: 'missing', outcome: isNeeded ? 'refused' : 'valid', spec: without(place) }];
  });
}

/** The paths of a schema's fields that hold no others. */
export function leaves(schema: Schema): string[] {
  return nodes(schema)
    .filter(({ schema }) => !schema.properties && !schema.items && !schema.additionalProperties)
    .map(({ path }) => path);
}

interface Field {
  path: string;
  schema: Schema;
  place: Place;
  isRequired: boolean;
}

function fields(schema: Schema, path: string, places: Place[], isRequired: boolean): Field[] {
  const [place] = places;
  if (!place) throw new Error(`no spec has the field ${path}: put it into one of those that are mutated`);
  const { properties = {}, required = [], items, additionalProperties } = schema;
  return [
    { path, schema, place, isRequired },
    ...Object.entries(properties).flatMap(([name, child]) =>
      fields(
        child,
        path ? `${path}.${name}` : name,
        places.flatMap((place) => within(place, [name])),
        required.includes(name),
      ),
    ),
    ...(items ? fields(items, `${path}[]`, places.flatMap(entries), true) : []),
    ...(additionalProperties
      ? fields(additionalProperties, `${path}{}`, places.flatMap(entries), false)
      : []),
  ];
}

function entries(place: Place): Place[] {
  const { value } = place;
  return within(place, Array.isArray(value) ? [...value.keys()] : Object.keys(value as object));
}

function within({ spec, at, value }: Place, keys: (string | number)[]): Place[] {
  const inside = value as Record<string | number, unknown>;
  return keys.flatMap((key) =>
    inside[key] === undefined ? [] : [{ spec, at: [...at, key], value: inside[key] }],
  );
}

function casesOf(schema: Schema, value: unknown, { valid }: SpecialCase): Case[] {
  const cases = [...byType(schema, value), refused('of another type', ofAnotherType(schema))];
  if (!valid) return cases;
  return [...valid.map(asCase('valid')), ...cases.filter(({ outcome }) => outcome !== 'valid')];
}

function tabled({ refused = [], reported = [], unrealisable = [] }: SpecialCase): Case[] {
  return [
    ...refused.map(asCase('refused')),
    ...reported.map(asCase('reported')),
    ...unrealisable.map(asCase('unrealisable')),
  ];
}

function asCase(outcome: Outcome): (value: unknown) => Case {
  return (value) => ({ what: `set to ${cut(JSON.stringify(value))}`, outcome, value });
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function byType(schema: Schema, value: unknown): Case[] {
  if (schema.enum) return choices(schema.enum, value);
  switch (schema.type) {
    case 'boolean':
      return [valid('the other', !value)];
    case 'integer':
    case 'number':
      return numbers(schema, Number(value));
    case 'string':
      return texts(schema, String(value));
    case 'array':
      return lists(schema, value as Spec[]);
    default:
      return schema.additionalProperties ? maps(schema, value as Spec) : objects(schema, value as Spec);
  }
}

function choices(allowed: unknown[], value: unknown): Case[] {
  const others = allowed.filter((choice) => choice !== value);
  return [
    ...others.map((choice) => valid(`the choice ${choice}`, choice)),
    refused('no choice', 'Unheard-of'),
    refused('a choice in other letters', inOtherLetters(String(value))),
  ];
}

function inOtherLetters(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
}

function numbers({ type, minimum = 0, maximum = 0 }: Schema, value: number): Case[] {
  const other = value < maximum ? (value + maximum) / 2 : (value + minimum) / 2;
  return [
    valid('least', minimum),
    valid('greatest', maximum),
    valid('another', type === 'integer' ? Math.floor(other) : other),
    refused('too small', minimum - 1),
    refused('too great', maximum + 1),
    ...(type === 'integer' ? [refused('a fraction', minimum + 0.5)] : []),
  ];
}

function texts(schema: Schema, value: string): Case[] {
  const longest = grown(schema, value);
  const misfit = ['', ' ', '!', `${value} `, '\u0007'].find((text) => !fits(schema, text));
  return distinct([
    valid('shortest', shrunk(schema, value)),
    valid('longest', longest),
    valid('another', grown({ ...schema, maxLength: value.length + 1 }, value)),
    refused('too long', longest + longest.slice(-1).repeat((schema.maxLength ?? 0) + 1 - longest.length)),
    ...(misfit === undefined ? [] : [refused('that does not fit', misfit)]),
  ]).filter(({ value: text }) => text !== value);
}

/** The shortest text that fits: the value without what can be left out, from its end. */
export function shrunk(schema: Schema, value: string): string {
  for (let i = value.length - 1; i >= 0; i -= 1) {
    const shorter = value.slice(0, i) + value.slice(i + 1);
    if (fits(schema, shorter)) return shrunk(schema, shorter);
  }
  return value;
}

/**
 * The longest text that fits: the value with one of its characters repeated, the first one that can be
 * repeated most.
 */
export function grown(schema: Schema, value: string): string {
  const { maxLength = value.length } = schema;
  for (let length = maxLength; length > value.length; length -= 1) {
    for (let i = 0; i < value.length; i += 1) {
      const longer = value.slice(0, i) + value.charAt(i).repeat(length - value.length) + value.slice(i);
      if (fits(schema, longer)) return longer;
    }
  }
  return value;
}

function fits({ minLength = 0, maxLength = 0, pattern = '' }: Schema, text: string): boolean {
  return text.length >= minLength && text.length <= maxLength && new RegExp(pattern, 'u').test(text);
}

function lists(schema: Schema, items: Spec[]): Case[] {
  const { minItems = 0, maxItems = 0, items: item = {} } = schema;
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  return [
    valid('shortest', items.slice(0, minItems)),
    valid('longest', padded(items, maxItems, item)),
    valid('in reverse', items.toReversed()),
    refused('too short', items.slice(0, minItems - 1)),
    refused('too long', padded(items, maxItems + 1, item)),
    ...(isMap ? [refused('with an item twice', [...items, ...items.slice(0, 1)])] : []),
  ];
}

/** The list with copies of its first item; what each must have and may choose is its own. */
function padded(items: Spec[], length: number, { required = [], properties = {} }: Schema): Spec[] {
  const own = required.filter((name) => properties[name]?.pattern);
  const copies = Array.from({ length: length - items.length }, (_, i) => ({
    ...items[0],
    ...Object.fromEntries(own.map((name) => [name, `${items[0]?.[name]}${i}`])),
  }));
  return [...items, ...copies];
}

function maps({ maxProperties = 0 }: Schema, map: Spec): Case[] {
  const [[key, value] = []] = Object.entries(map);
  const ofSize = (size: number) =>
    Object.fromEntries(Array.from({ length: size }, (_, i) => [`${key}${i}`, value]));
  return [
    valid('empty', {}),
    valid('greatest', ofSize(maxProperties)),
    refused('too great', ofSize(maxProperties + 1)),
  ];
}

function objects({ required = [] }: Schema, value: Spec): Case[] {
  return [
    required.length === 0 ? valid('empty', {}) : refused('empty', {}),
    refused('with an unknown field', { ...value, unheardOf: 1 }),
  ];
}

function ofAnotherType({ type }: Schema): unknown {
  return type === 'string' ? 7 : 'text';
}

function valid(what: string, value: unknown): Case {
  return { what, outcome: 'valid', value };
}

function refused(what: string, value: unknown): Case {
  return { what, outcome: 'refused', value };
}

function distinct(cases: Case[]): Case[] {
  return cases.filter(({ value }, i) => cases.findIndex((other) => other.value === value) === i);
}

function withValue({ spec, at }: Place, value: unknown): Spec {
  return changed(spec, at, () => value) as Spec;
}

function without({ spec, at }: Place): Spec {
  const name = String(at.at(-1));
  return changed(spec, at.slice(0, -1), (holder) => {
    const { [name]: _, ...others } = holder as Spec;
    return others;
  }) as Spec;
}

function changed(
  value: unknown,
  [key, ...rest]: (string | number)[],
  change: (old: unknown) => unknown,
): unknown {
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? changed(item, rest, change) : item));
  const object = value as Spec;
  return { ...object, [key]: changed(object[key], rest, change) };
}
