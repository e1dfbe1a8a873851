import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { fetchJars } from '../../../../local/process/jars.ts';

afterEach(() => vi.unstubAllEnvs());

it('says that the jars cannot be kept, and where they could be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gameanalytics-cache-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'file'), '');
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'file'));
  await expect(fetchJars(() => undefined, new AbortController().signal)).rejects.toThrow(
    /^The jars cannot be kept in .*file\/gameanalytics: .* set XDG_CACHE_HOME to a folder that is\.$/,
  );
});

it.each(['kafka', 'flink', 'flink-opt', 'flink-avro'])(
  'knows every jar of %s by one SHA-256',
  async (name) => {
    const sums = (await readFile(`local/runtime/${name}/SHA256SUMS`, 'utf8')).trimEnd().split('\n');
    for (const line of sums) expect(line).toMatch(/^[0-9a-f]{64} {2}[\w.-]+\.jar$/);
    expect(new Set(sums.map((line) => line.slice(66))).size).toBe(sums.length);
  },
);
