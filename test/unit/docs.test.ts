import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseGameAnalytics } from '../../api/parse.ts';
import { users } from '../../plan/users.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { blocks, commandsOf, PAGES } from '../../tools/docs/pages.ts';

const CHARTS = ['gameanalytics-operator', 'gameanalytics-platform'];
/** What does not begin with one of these no test would run or parse. */
const PROGRAMS = [
  'make', // below
  'npx', // below
  'kubectl', // test/operator/docs.test.ts
  'helm', // test/operator/docs.test.ts
  'kind', // test/unit/kind.test.ts
  'tools/kind', // test/unit/kind.test.ts
  'tools/build-images', // test/images
  'docker', // test/images
  'minikube', // Only here is it not: nothing of it is available where the tests run.
];

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8');
  const commands = commandsOf(text);

  it('links to pages, files and folders that there are', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
  });

  it('has commands of programs that a test knows, and whose files there are', () => {
    const programs = commands.map((command) => /^(?:[A-Z_]+=\S+ )*(\S+)/.exec(command)![1]);
    expect(programs.filter((program) => !PROGRAMS.includes(program!))).toEqual([]);
    const words = commands.flatMap((command) => command.split(/[\s=]+/));
    const files = words.filter((word) => /^(charts|docs|examples|images|monitoring|tools)\//.test(word));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('has targets that make knows, and flags that what they run knows', async () => {
    for (const command of commands.filter((command) => /^([A-Z]+=\S+ )*make /.test(command))) {
      const recipe = await shell(command, { MAKEFLAGS: 'n --no-print-directory' });
      const [, args] = / ARGS="(.*)"/.exec(command) ?? [];
      if (args === undefined) continue;
      // A flag that it does not know is an error even when help is asked for, which lists the names that a
      // flag may take. Numbers and revisions may be any.
      const help = await shell(`${recipe.trim().split('\n').at(-1)} --help`);
      for (const word of args.split(' ').filter((word) => !/^(\d+|[0-9a-f]{7})$/.test(word)))
        expect(help).toContain(word);
    }
    // It starts a process for each command.
  }, 120_000);

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

  it('has resources, and parts of their spec, that are valid', () => {
    for (const block of blocks(text, 'yaml')) {
      const manifest = parse(block.startsWith('  ') ? `${HEAD}${block}` : block);
      manifest.spec.kafka ??= { cluster: 'games' };
      if (manifest.kind === 'KafkaUser') expect(manifest.spec).toMatchObject(writerOf('arena-user-score'));
      else expect(parseGameAnalytics(manifest).problems ?? [], block).toEqual([]);
    }
  });
});

/** A user who may write a topic, as the injector's is in the plan. */
function writerOf(topic: string) {
  const kafka = { cluster: 'games', authentication: { type: 'scram-sha-512' } };
  const [injector] = users(resource({ kafka, injector: { allowOwnTopic: true }, events: { topic } }));
  return injector!.spec;
}

const HEAD = `
apiVersion: gameanalytics.dev/v1alpha1
kind: GameAnalytics
metadata: { name: arcade }
spec:
`;

describe('sizes in docs/operations.md', () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const section = page.slice(page.indexOf('## Sizing'), page.indexOf('## Kafka'));
  const cells = (row: string) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [measured = [], taken = []] = (section.match(/(?:^\|.*\n)+/gm) ?? []).map((table) =>
    table.trim().split('\n').slice(2).map(cells),
  );

  it('are what docs/benchmarks.md has measured', () => {
    const measurements = readFileSync('docs/benchmarks.md', 'utf8');
    expect(measured.length).toBeGreaterThan(2);
    for (const [players, state, figures] of measured)
      expect(measurements).toContain(`| job: four boards of ${players} players, ${state} | ${figures}`);
  });

  it('follow from that', () => {
    expect(taken.length).toBeGreaterThan(2);
    const number = (text = '') => Number(text.replaceAll(',', ''));
    const seconds = new Map(
      measured.map(([players, state, figures = '']) => [players + state!, parseInt(figures, 10)]),
    );
    for (const [rate, players, cores, parallelism] of taken) {
      const busy = (number(rate) * seconds.get(`${players}heap`)!) / 1_000_000;
      expect([cores, parallelism]).toEqual([busy.toFixed(2), String(Math.ceil(2 * busy))]);
    }
  });
});

async function shell(command: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, ...env } });
  return stdout;
}

function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}
