import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const kind = (args: string[], env: Record<string, string> = {}) =>
  run('tools/kind', args, { env: { ...process.env, ...env } });

describe('make kind', () => {
  it('does what the README says, command by command', async () => {
    const { stdout } = await kind(['--dry-run']);
    const readme = await readFile('README.md', 'utf8');
    const section = readme.slice(readme.indexOf('### The same by hand'));
    const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
    expect(commands(block)).toEqual(commands(stdout));
  });

  it('installs cert-manager only for the webhook', async () => {
    expect((await kind(['--dry-run'])).stdout).toMatch(/webhook\.create=false/);
    expect((await kind(['--dry-run'])).stdout).not.toMatch(/cert-manager/);
    const { stdout } = await kind(['--dry-run'], { WEBHOOK: '1' });
    expect(stdout).toMatch(/cert-manager.*\n.*webhook\.create=true/);
  });

  it('says what it does not know', async () => {
    await expect(kind(['up'])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--dry-run'),
    });
  });
});

/** With stand-ins on the PATH that note how they are called: what the real ones do is theirs. */
describe('the script', () => {
  let folder: string;
  const calls = async () => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  const path = () => ({ PATH: folder, CALLS: join(folder, 'calls') });
  const program = async (name: string, body: string) => {
    const file = join(folder, name);
    await writeFile(file, `#!/bin/bash\necho "${name} $*" >> "$CALLS"\n${body}\n`);
    await chmod(file, 0o755);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gameanalytics-kind-'));
    for (const tool of ['bash', 'env', 'sed', 'grep', 'dirname', 'mkdir', 'sleep', 'git', 'sh'])
      await symlink((await run('which', [tool])).stdout.trim(), join(folder, tool));
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(['docker', 'kind', 'kubectl', 'helm'])('without %s says where to get it', async (missing) => {
    await expect(kind([], path())).rejects.toMatchObject({
      stderr: expect.stringMatching(new RegExp(`^\\n${missing} was not found\\.\\nInstall it \\(https://`)),
    });
    // With the next one missing, it is the next that is named.
    await program(missing, '');
  });

  it('goes through all steps, and leaves a cluster that is there', async () => {
    await program('kind', '[[ $1 != get ]] || echo gameanalytics');
    await kind([], path());
    const called = (await calls()).filter((call) => !/^(docker info|kind get|kubectl get)/.test(call));
    expect(called[0]).toBe('kind export kubeconfig --name gameanalytics');
    const { stdout } = await kind(['--dry-run']);
    const typed = commands(stdout)
      .slice(1)
      .map((command) => command.replace(/^tools\/build-images$/, ''));
    for (const command of typed.filter((command) => /^(helm|kubectl|kind)/.test(command)))
      expect(called).toContain(command);
  });

  it('ends at the step that fails, with its cure', async () => {
    await program('helm', '[[ $* != *flink-operator* ]]');
    await writeFile(join(folder, 'calls'), '');
    await expect(kind([], path())).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /This failed: helm upgrade --install flink-operator.*\n.*Check the network/,
      ),
    });
    expect((await calls()).at(-1)).toMatch(/^helm .*flink-operator/);
  });
});

/** Commands of a text, one each line; what follows a backslash belongs to the line before. */
function commands(text: string): string[] {
  return text
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');
}
