/*
 * Flink SQL types of the columns of a record, as a resource writes them: a part of Flink's grammar, without
 * what only belongs into a DDL (NOT NULL, METADATA, comments).
 */

/** Types without others inside, and how many numbers may follow in parentheses. */
const SCALARS: Record<string, number> = {
  STRING: 0,
  BOOLEAN: 0,
  BYTES: 0,
  TINYINT: 0,
  SMALLINT: 0,
  INT: 0,
  BIGINT: 0,
  FLOAT: 0,
  DOUBLE: 0,
  DECIMAL: 2,
  DATE: 0,
  TIME: 1,
  TIMESTAMP: 1,
  TIMESTAMP_LTZ: 1,
};

const TOKEN = /\s*([A-Za-z_]\w*|`[^`\n\r]+`|\d{1,2}|[<>(),])/y;

/** Rows in rows beyond it are no record of a game. */
export const MOST_LEVELS = 10;

/**
 * The type in the form that goes into a DDL, with the names of fields quoted: `row<id string>` becomes
 * ROW<`id` STRING>. Undefined when the text is no type.
 */
export function normalizeColumnType(text: string): string | undefined {
  const tokens = tokenize(text.trim());
  if (!tokens) return undefined;
  try {
    const type = readType(tokens, MOST_LEVELS);
    return tokens.length === 0 ? type : undefined;
  } catch (error) {
    if (error instanceof NoType) return undefined;
    throw error;
  }
}

class NoType extends Error {}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, token] = TOKEN.exec(text) ?? [];
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

function readType(tokens: string[], levels: number): string {
  if (levels === 0) throw new NoType();
  const name = tokens.shift()?.toUpperCase() ?? '';
  const readInner = () => readType(tokens, levels - 1);
  if (name === 'ROW') return `ROW${readList(tokens, '<', '>', () => `${readName(tokens)} ${readInner()}`)}`;
  if (name === 'ARRAY') return `ARRAY${readList(tokens, '<', '>', readInner, 1, 1)}`;
  if (name === 'MAP') return `MAP${readList(tokens, '<', '>', readInner, 2, 2)}`;
  const parameters = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
  if (parameters === undefined) throw new NoType();
  return tokens[0] === '('
    ? name + readList(tokens, '(', ')', () => readNumber(tokens), 1, parameters)
    : name;
}

function readList(
  tokens: string[],
  open: string,
  close: string,
  readOne: () => string,
  least = 1,
  most = Number.POSITIVE_INFINITY,
): string {
  if (tokens.shift() !== open) throw new NoType();
  const entries: string[] = [];
  let separator: string | undefined;
  do {
    entries.push(readOne());
    separator = tokens.shift();
  } while (separator === ',');
  if (separator !== close || entries.length < least || entries.length > most) throw new NoType();
  return open + entries.join(', ') + close;
}

function readName(tokens: string[]): string {
  const name = tokens.shift() ?? '';
  if (!/^[`A-Za-z_]/.test(name)) throw new NoType();
  return name.startsWith('`') ? name : `\`${name}\``;
}

function readNumber(tokens: string[]): string {
  const number = tokens.shift() ?? '';
  if (!/^\d/.test(number)) throw new NoType();
  return number;
}
