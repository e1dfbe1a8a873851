import { readFileSync } from 'node:fs';

/**
 * A page of docs/ as it should be: what stands between `<!-- name -->` and `<!-- end -->` are these lines.
 * Compare it with toMatchFileSnapshot, so that `vitest -u` prints the page.
 */
export function withPrinted(page: string, name: string, lines: string[]): string {
  const text = readFileSync(page, 'utf8');
  const begin = `<!-- ${name} -->\n`;
  const start = text.indexOf(begin);
  const end = text.indexOf('<!-- end -->', start);
  if (start < 0 || end < 0) throw new Error(`${page} has no place for: ${name}`);
  return `${text.slice(0, start)}${begin}${lines.map((line) => `${line}\n`).join('')}${text.slice(end)}`;
}

/** A table of Markdown. */
export function table(head: string[], rows: string[][]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
