import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const PAGES = ['README.md', ...readdirSync('docs').map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith('.md'),
);
const CHARTS = ['gameanalytics-operator', 'gameanalytics-platform'];

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8');
  const commands = blocks(text, 'sh').flatMap(lines);

  it('links to pages, files and folders that there are', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
  });

  it('has commands whose files and make targets there are', () => {
    const words = commands.flatMap((command) => command.split(/[\s=]+/));
    const files = words.filter((word) => /^(charts|docs|examples|images|monitoring|tools)\//.test(word));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const targets = commands.flatMap((command) => /^(?:\w+=\S+ )*make ([a-z-]+)/.exec(command)?.[1] ?? []);
    const makefile = readFileSync('Makefile', 'utf8');
    expect(targets.filter((target) => !makefile.includes(`\n${target}:`))).toEqual([]);
  });

  it('sets values that the charts have', () => {
    for (const command of commands) {
      const chart = CHARTS.find((name) => command.includes(`charts/${name}`));
      if (!chart) continue;
      const values = parse(readFileSync(`charts/${chart}/values.yaml`, 'utf8'));
      for (const [, set] of command.matchAll(/--set (\S+)/g))
        for (const assignment of set!.split(','))
          expect(valueAt(values, assignment.split('=')[0]!), assignment).toBeDefined();
    }
  });

  it('has YAML that is YAML', () => {
    for (const block of blocks(text, 'yaml')) expect(() => parse(block)).not.toThrow();
  });
});

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block]) => block!,
  );
}

/** The commands of a block, without comments; what follows a backslash belongs to the line before. */
function lines(block: string): string[] {
  const joined = block.replace(/\s*\\\n\s*/g, ' ').split('\n');
  return joined.map((line) => line.replace(/(^|\s+)#.*$/, '').trim()).filter((line) => line !== '');
}

function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}
