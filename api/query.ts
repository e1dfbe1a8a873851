/**
 * Everything in SQL text that can hold a semicolon or a parenthesis without meaning it: strings, quoted
 * names, comments. Two of Flink's parts must read the text alike, the splitter of scripts and the parser of
 * statements, so forms on which they differ are not among these and are refused: E'…' strings (their \' is a
 * quote to one and an end to the other), hints, and comments that touch an asterisk or a slash, or begin with
 * one.
 */
const QUOTED =
  /(?<!(?<![a-z_])e)'(?:[^']|'')*'|`(?:[^`\n\r]|``)+`|--[^\n]*|(?<![*/])\/\*(?![+*/])(?:(?!\*\/)[\s\S])*\*\/(?!\*)/gi;

/**
 * What must not stand in the rest: the end of a statement, what is left open, and what only the parser takes
 * for a comment.
 */
const LOOSE = /[;'"`]|\/\*|\*\/|\/\//;

/** Ends a comment for the parser, not for the splitter. */
const LONE_RETURN = /\r(?!\n)/;

/**
 * Whether the text is one SELECT (or WITH … SELECT) that stays inside the statement it is put into: nothing
 * left open that would swallow what follows, and no semicolon that would begin another statement. A comment
 * may end it, so a new line must follow. Whether it is valid SQL is Flink's to say.
 */
export function isSingleSelect(query: string): boolean {
  return /^\s*(SELECT|WITH)\b/i.test(withoutQuoted(query)) && staysInside(query);
}

/** Queries within a condition: a board that joins another table is no longer one of totals that only grow. */
const SUBQUERY = /\b(SELECT|VALUES|TABLE)\b/i;

/**
 * Whether the text says something, without a query of its own, and between parentheses on lines of their own
 * stays inside them: whatever it says, the statement around it means what it meant. Whether it is a
 * condition, and valid SQL, is Flink's to say.
 */
export function isSingleCondition(text: string): boolean {
  const bare = withoutQuoted(text);
  return bare.trim() !== '' && !SUBQUERY.test(bare) && staysInside(text);
}

/**
 * What can fail on one record, so that its job would end again and again: functions that refuse a value, and
 * those of which a value says how long their result is. All have a form that gives NULL, or are not needed to
 * read a record.
 */
const CAN_FAIL =
  /\b(CAST|MOD|ELEMENT|PARSE_JSON|FROM_BASE64|ENCODE|DECODE|REPEAT|LPAD|RPAD)\s*\(|\bERROR\s+ON\b|::/i;

/** MOD by a number that is not 0, or by NULLIF. */
const SAFE_MOD = /\bMOD(\s*\([^()]*,\s*(?:0*[1-9]\d*|NULLIF\s*\([^()]*\))\s*\))/gi;

/** A division by what may be 0. */
const UNSAFE_DIVISION = /[/%](?!\s*(NULLIF\s*\(|0*[1-9]|0*\.0*[1-9]))/i;

/** What isSafeExpression asks for, as the end of a message. */
export const SAFE_EXPRESSION =
  'one SQL expression that no record can make fail: quotes, comments and parentheses closed, no query of its own; TRY_CAST for CAST; /, % and MOD only by a number or NULLIF(…, 0); none of ELEMENT, PARSE_JSON, FROM_BASE64, ENCODE, DECODE, REPEAT, LPAD, RPAD, ERROR ON; no semicolons, double quotes, hints, // comments and E strings';

/**
 * Whether the text is one expression, as isSingleCondition says, that no record can make fail: divisions are
 * by a number or by NULLIF(…, 0), casts are TRY_CAST.
 */
export function isSafeExpression(text: string): boolean {
  const bare = withoutQuoted(text).replace(SAFE_MOD, '$1');
  return isSingleCondition(text) && !CAN_FAIL.test(bare) && !UNSAFE_DIVISION.test(bare);
}

const NAME = /`([^`\n\r]+)`|[A-Za-z_]\w*/g;

/** What takes all columns, and not a product or COUNT(*). */
const ALL_COLUMNS = /(?:\bSELECT(?:\s+(?:ALL|DISTINCT))?|[,.])\s*\*/i;

/** Stands in sqlNames() for the names of all columns. */
export const ALL_NAMES = '*';

/** The names in a SQL text, of columns and of all else; with ALL_NAMES where it selects all columns. */
export function sqlNames(text: string): string[] {
  const bare = text.replace(QUOTED, (quoted) => (quoted.startsWith('`') ? quoted : ' '));
  const names = [...bare.matchAll(NAME)].map(([name, quoted]) => quoted ?? name);
  return [...new Set([...names, ...(ALL_COLUMNS.test(bare) ? [ALL_NAMES] : [])])];
}

/** The one column that an expression consists of, or begins with, as in clan.id; undefined of any other. */
export function plainColumn(expression: string): string | undefined {
  const [, quoted, bare] = PLAIN_COLUMN.exec(expression) ?? [];
  return quoted ?? (bare !== undefined && !NO_COLUMN.test(bare) ? bare : undefined);
}

const PLAIN_COLUMN = /^\s*(?:`([A-Za-z_]\w*)`|([A-Za-z_]\w*))(?:\.(?:`[^`\n\r]+`|\w+))*\s*$/;

/** Values that SQL writes like columns. */
const NO_COLUMN = /^(?:NULL|TRUE|FALSE|UNKNOWN|CURRENT_\w+|LOCALTIME(?:STAMP)?)$/i;

function staysInside(text: string): boolean {
  const bare = withoutQuoted(text);
  return !LOOSE.test(bare) && !LONE_RETURN.test(text) && isBalanced(bare);
}

function withoutQuoted(text: string): string {
  return text.replace(QUOTED, (quoted) => (/^['`]/.test(quoted) ? ' quoted ' : ' '));
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}
