/** A pipeline's SQL script in its parts, none with its closing semicolon. */
export interface ScriptParts {
  /** What must be run before anything can be planned: settings, tables and views. */
  preparation: string[];
  /** The statement set's INSERTs, comments before them included. */
  inserts: string[];
}

/**
 * A piece of SQL in which no semicolon ends a statement, or such a semicolon. A comment of one line ends with
 * it.
 */
const TOKEN =
  /;|'[^']*'|`[^`]*`|(?:--|\/\/)[^\n]*\n|\/\*(?:(?!\*\/)[\s\S])*\*\/|[^;'`/-]+|-(?!-)|\/(?![/*])/y;
/** Comments and spaces alone. */
const NOTHING = /^(?:\s|(?:--|\/\/)[^\n]*(?:\n|$)|\/\*(?:(?!\*\/)[\s\S])*\*\/)*$/;
const OPENING = /^[\s\S]*?\bEXECUTE\s+STATEMENT\s+SET\s+BEGIN\b/;

/**
 * Cuts SQL at the semicolons that end statements.
 *
 * @returns the statements without them, none empty, and what is behind the last one: the beginning of
 * another, or ''
 */
export function splitStatements(sql: string): { statements: string[]; rest: string } {
  const statements: string[] = [];
  let start = 0;
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(sql); token; token = TOKEN.exec(sql)) {
    if (token[0] !== ';') continue;
    statements.push(sql.slice(start, token.index).trim());
    start = TOKEN.lastIndex;
  }
  const rest = sql.slice(start);
  return {
    statements: statements.filter((text) => !NOTHING.test(text)),
    rest: NOTHING.test(rest) ? '' : rest,
  };
}

/**
 * Cuts a script into its statements: settings and definitions, then one EXECUTE STATEMENT SET BEGIN … END.
 */
export function splitScript(script: string): ScriptParts {
  const { statements } = splitStatements(script);
  const first = statements.findIndex((text) => OPENING.test(text));
  const inserts = statements.slice(first).filter((text) => text !== 'END');
  return {
    preparation: statements.slice(0, first),
    inserts: inserts.map((text, i) => (i === 0 ? text.replace(OPENING, '').trim() : text)),
  };
}
