import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fetchJars } from '../../local/process/jars.ts';
import { LOOPBACK } from '../../local/process/ports.ts';

const JAR = 'slf4j-simple-1.7.36.jar';

let folder: string;
let mirror: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gameanalytics-jars-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  mirror?.closeAllConnections();
  mirror?.close();
  await rm(folder, { recursive: true, force: true });
});

it('does not take a jar whose checksum is another', async () => {
  await startMirror({ checksum: 'of the original' });
  await expect(fetched()).rejects.toThrow(
    /^What Maven downloaded does not have its checksum\. .*\n.*slf4j-simple/,
  );
});

it('does not take a jar with a checksum to match that is not the one that was released', async () => {
  await startMirror({ checksum: 'to match' });
  await expect(fetched()).rejects.toThrow(`Maven’s ${JAR} is not the file that was released. `);
});

/** The jars, by the Maven of this machine with nothing but the mirror. */
function fetched() {
  return fetchJars(() => undefined, new AbortController().signal);
}

/**
 * Maven Central, but for one jar that has another byte. What this machine has had of it before it does not
 * ask for again.
 */
async function startMirror({ checksum }: { checksum: 'of the original' | 'to match' }): Promise<void> {
  mirror = createServer(async ({ url = '' }, response) => {
    const original = await artifact(url.replace(/\.sha1$/, ''));
    if (!original) return response.writeHead(404).end();
    const isSum = url.endsWith('.sha1');
    const isOther = url.includes(JAR) && !(isSum && checksum === 'of the original');
    const content = isOther ? Buffer.concat([original, Buffer.from([0])]) : original;
    return response.end(isSum ? createHash('sha1').update(content).digest('hex') : content);
  });
  await new Promise<void>((resolve) => mirror?.listen(0, LOOPBACK, resolve));
  const address = `http://${LOOPBACK}:${(mirror.address() as AddressInfo).port}`;
  await mkdir(join(folder, '.m2'));
  await writeFile(
    join(folder, '.m2', 'settings.xml'),
    `<settings><mirrors><mirror><id>mirror</id><mirrorOf>*</mirrorOf><url>${address}</url></mirror></mirrors></settings>`,
  );
  // Java asks the system who its user is, and not HOME.
  vi.stubEnv('MAVEN_OPTS', `-Duser.home=${folder}`);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
}

async function artifact(path: string): Promise<Buffer | undefined> {
  const kept = await readFile(join(homedir(), '.m2', 'repository', path)).catch(() => undefined);
  if (kept) return kept;
  const response = await fetch(`https://repo1.maven.org/maven2${path}`);
  return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
}
