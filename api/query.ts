/** Everything in SQL text that can hold a semicolon or a parenthesis without meaning it: strings, quoted names, comments. */
const QUOTED = /'(?:[^']|'')*'|`(?:[^`]|``)*`|--[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * Whether the text is one SELECT (or WITH … SELECT) that stays inside the statement it is put into: nothing left open that
 * would swallow what follows, and no semicolon that would begin another statement. Whether it is valid SQL is Flink's to say.
 */
export function isSingleSelect(query: string): boolean {
  const bare = query.replace(QUOTED, ' ');
  if (!/^\s*(SELECT|WITH)\b/i.test(bare)) return false;
  if (/[;'`]|\/\*|\*\//.test(bare)) return false;
  return isBalanced(bare);
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
