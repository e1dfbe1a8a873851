/**
 * YAML without the SQL script in it, which has a golden file of its own: a line of SQL that changes shows
 * once. Another script than the given one stays.
 */
export function withoutScript(yaml: string, script: string): string {
  const block = script.trimEnd().replace(/^(?=.)/gm, ' '.repeat(8));
  return yaml.replace(`|-\n${block}\n`, () => '<the SQL script>\n');
}
