import { diff } from 'node:util';

/**
 * YAML without the SQL script in it, which has a golden file of its own: a line of SQL that changes shows
 * once. Another script than the given one stays.
 */
export function withoutScript(yaml: string, script: string): string {
  const block = script.trimEnd().replace(/^(?=.)/gm, ' '.repeat(8));
  return yaml.replace(`|-\n${block}\n`, () => '<the SQL script>\n');
}

/**
 * What another text has that this one has not: each run of such lines, after the line before it and the
 * number of lines that it replaces.
 */
export function changedLines(from: string, to: string): string {
  const changes: string[] = [];
  let before = '';
  let removed = 0;
  let added: string[] = [];
  const end = () => {
    if (removed > 0 || added.length > 0) changes.push(`@@ ${before}`, `-${removed}`, ...added);
    removed = 0;
    added = [];
  };
  // As Node has it, -1 is a line of the second text.
  for (const [operation, line] of diff(from.split('\n'), to.split('\n'))) {
    if (operation === 1) removed += 1;
    else if (operation === -1) added.push(`+${line}`);
    else {
      end();
      before = line;
    }
  }
  end();
  return `${changes.join('\n')}\n`;
}
