/** A pipeline's SQL script in its parts, none with its closing semicolon. */
export interface ScriptParts {
  /** What must be run before anything can be planned: settings, tables and views. */
  preparation: string[];
  /** The statement set's INSERTs, comments before them included. */
  inserts: string[];
}

/** Text up to a semicolon that is not in a string, a quoted name or a comment. */
const STATEMENT = /(?:'[^']*'|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|[^;'`/-]+|[^;])+/g;
const OPENING = /^[\s\S]*?\bEXECUTE\s+STATEMENT\s+SET\s+BEGIN\b/;

/**
 * Cuts a script into its statements: settings and definitions, then one EXECUTE STATEMENT SET BEGIN … END.
 */
export function splitScript(script: string): ScriptParts {
  const statements = (script.match(STATEMENT) ?? []).map((text) => text.trim()).filter(Boolean);
  const first = statements.findIndex((text) => OPENING.test(text));
  const inserts = statements.slice(first).filter((text) => text !== 'END');
  return {
    preparation: statements.slice(0, first),
    inserts: inserts.map((text, i) => (i === 0 ? text.replace(OPENING, '').trim() : text)),
  };
}
