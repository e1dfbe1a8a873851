/** A token of SQL as Flink's parser (Calcite's lexer) reads it. */
export interface Token {
  kind: 'comment' | 'string' | 'name' | 'word' | 'symbol';
  text: string;
}

/** What can begin at a place, the longer readings first. */
const KINDS: [Token['kind'] | 'open' | 'space', RegExp][] = [
  ['space', /\s+/y],
  ['comment', /(?:--|\/\/)[^\n\r]*/y],
  ['symbol', /\/\*\+|\*\//y],
  // The character after a second asterisk is swallowed: /***/ is still open.
  ['comment', /\/\*\*[^/][\s\S]*?\*\/|\/\*(?!\*[^/])[\s\S]*?\*\//y],
  ['string', /e'(?:[^'\\]|\\[\s\S]|'')*'(?!')|'(?:[^']|'')*'(?!')/iy],
  ['name', /`(?:[^`\n\r]|``)+`(?!`)/y],
  ['word', /[\p{L}_$][\p{L}\p{N}_$]*|\p{N}+/uy],
  ['open', /\/\*|'|`|"/y],
  ['symbol', /[\s\S]/uy],
];

/** The tokens of a script, as the parser reads them; throws where a quote or a comment is not closed. */
export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const token = tokenAt(sql, at);
    if (token.kind === 'open') throw new SyntaxError(`not closed: ${sql.slice(at, at + 40)}`);
    if (token.kind !== 'space') found.push({ kind: token.kind, text: token.text });
    at += token.text.length;
  }
  return found;
}

function tokenAt(sql: string, at: number): { kind: Token['kind'] | 'open' | 'space'; text: string } {
  for (const [kind, pattern] of KINDS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text) return { kind, text };
  }
  throw new Error(`nothing can begin at ${at}`);
}

/**
 * The structure of a script: its tokens, with what is inside of strings, quoted names and comments left out.
 */
export function structure(sql: string): string[] {
  return tokens(sql).map(({ kind, text }) => (kind === 'word' || kind === 'symbol' ? text : `<${kind}>`));
}

/**
 * A script cut at the semicolons at which Flink's ScriptExecutor cuts it. That knows neither hints nor // nor
 * E'…', takes double quotes for quotes, and a comment's first asterisk also for the one before its closing
 * slash.
 */
export function statements(script: string): string[] {
  const cut: string[] = [];
  let open = '';
  let statement = '';
  let last = '';
  for (const char of script) {
    statement += char;
    open = next(open, last, char);
    if (char === ';' && open === '') {
      cut.push(statement);
      statement = '';
    }
    last = char;
  }
  return statement.trim() === '' ? cut : [...cut, statement];
}

/** What is open after a character: a quote, a comment ('--' or '/*'), or nothing. */
function next(open: string, last: string, char: string): string {
  if (open === '') {
    if (`'"\``.includes(char)) return char;
    const pair = last + char;
    return pair === '--' || pair === '/*' ? pair : '';
  }
  const closed = open === '--' ? char === '\n' : open === '/*' ? last + char === '*/' : char === open;
  return closed ? '' : open;
}
