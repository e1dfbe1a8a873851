import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { commandsOf, PAGES } from '../../tools/docs/pages.ts';

const { programs } = connectedControlPlane().address;
const PATH = [programs.kubectl, programs.helm]
  .map(dirname)
  .concat(process.env.PATH ?? '')
  .join(':');

const commands = new Set(PAGES.flatMap((page) => commandsOf(readFileSync(page, 'utf8'))));

describe('kubectl and helm know every command of README.md and docs/, to the last flag', () => {
  it.each([...commands].filter((command) => /^(kubectl|helm) /.test(command)))('%s', async (command) => {
    await expect(parsed(command)).resolves.toContain('Usage:');
  });

  it('and not what is none', async () => {
    await expect(parsed('kubectl wait --until=ready kafka/games')).rejects.toThrow('unknown flag: --until');
    await expect(parsed('helm upgrade --wait=perhaps platform')).rejects.toThrow(
      'invalid argument "perhaps"',
    );
  });
});

/** Parses a command as a shell and the program do, which then only helps. */
async function parsed(command: string): Promise<string> {
  const env = { ...process.env, PATH };
  const { stdout } = await promisify(execFile)('sh', ['-c', `${command} --help`], { env });
  return stdout;
}
