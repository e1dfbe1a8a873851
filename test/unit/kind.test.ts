import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const kind = (args: string[], env: Record<string, string> = {}) =>
  run('tools/kind', args, { env: { ...process.env, ...env } });

const TOOLS = ['docker', 'kind', 'kubectl', 'helm'];
const steps = commands((await kind(['--dry-run'])).stdout);

describe('make kind', () => {
  it('does what docs/getting-started.md says, command by command', async () => {
    const page = await readFile('docs/getting-started.md', 'utf8');
    const section = page.slice(page.indexOf('### The same by hand'));
    const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
    expect(commands(block)).toEqual(steps);
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

  it.each(TOOLS)('without %s says where to get it', async (missing) => {
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
    for (const step of steps.slice(1).filter((step) => /^(helm|kubectl|kind)/.test(step)))
      expect(called).toContain(step);
  });

  it.each(steps)('says what helps, and ends, when this fails: %s', async (step) => {
    // Images are built by a script of our own, which runs docker.
    const failing = step === 'tools/build-images' ? 'docker build' : step;
    const pattern = failing.replace(/\W/g, '\\$&');
    for (const tool of TOOLS)
      await program(tool, `case "${tool} $*" in ${pattern} | ${pattern}\\ *) exit 1 ;; esac`);
    await writeFile(join(folder, 'calls'), '');
    const { code, stderr } = await kind([], path()).catch((error) => error);
    expect(code).toBe(1);
    expect(stderr.split(`This failed: ${step}\n`)[1]).toMatch(/\w+.*[.:]/);
    const called = (await calls()).filter((call) => !call.startsWith('kubectl get'));
    expect(called.at(-1)?.slice(0, failing.length)).toBe(failing);
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
