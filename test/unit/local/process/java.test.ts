import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findJava } from '../../../../local/process/java.ts';

/** A JAVA_HOME with this for its java. */
async function javaHome(script: string): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'gameanalytics-java-'));
  onTestFinished(() => rm(home, { recursive: true }));
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin', 'java'), `#!/bin/sh\n${script}\n`);
  await chmod(join(home, 'bin', 'java'), 0o755);
  vi.stubEnv('JAVA_HOME', home);
}

describe('a Java', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('that is there and does not run is not called missing, and its own words are passed on', async () => {
    await javaHome('echo "Error occurred during initialization of VM" >&2; exit 1');
    await expect(findJava()).rejects.toThrow(
      /is there and does not run: Error occurred during initialization of VM\. Is its memory limited/,
    );
  });

  it('that is missing is called so', async () => {
    vi.stubEnv('JAVA_HOME', '/nowhere');
    await expect(findJava()).rejects.toThrow('No Java was found in JAVA_HOME (/nowhere)');
  });

  it('that is too old is called so', async () => {
    await javaHome('echo \'openjdk version "1.8.0_402"\' >&2');
    await expect(findJava()).rejects.toThrow('Java 8 is too old');
  });
});
