import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.ts';
import { UserError } from './user-error.ts';

/** The folders of jars that the runtime needs; each has a pom.xml under runtime/ that lists its versions. */
export interface Jars {
  kafka: string;
  flinkLib: string;
  flinkOpt: string;
}

/** The jars from Maven Central: fetched once by Maven, then kept in the user's cache folder. */
export async function fetchJars(report: Report, signal: AbortSignal): Promise<Jars> {
  return {
    kafka: await fetchFolder('kafka', 'Kafka', report, signal),
    flinkLib: await fetchFolder('flink', 'Flink', report, signal),
    flinkOpt: await fetchFolder('flink-opt', 'Flink’s SQL gateway', report, signal),
  };
}

async function fetchFolder(
  name: string,
  title: string,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  const pom = fileURLToPath(new URL(`runtime/${name}/pom.xml`, import.meta.url));
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder(), `${name}-${version}`);
  if (!existsSync(folder)) await fillFolder(folder, pom, title, report, signal);
  return folder;
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gameanalytics');
}

/** Fills a folder beside its place and moves it there when it is whole, so that an interrupted fetch leaves nothing half done. */
async function fillFolder(folder: string, pom: string, title: string, report: Report, signal: AbortSignal) {
  await mkdir(dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}-`);
  try {
    report(`fetching ${title} from Maven Central (once)`);
    await copyDependencies(pom, partial, (count) => report(`fetching ${title}: ${count} jars`), signal);
    await rename(partial, folder).catch((error) => {
      // Another run was quicker: its folder is as good.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

async function copyDependencies(
  pom: string,
  folder: string,
  progress: (jars: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const maven = spawn(
    'mvn',
    ['-B', '-f', pom, COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`],
    { stdio: ['ignore', 'pipe', 'pipe'], signal },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    maven.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? noMaven() : error),
    );
    maven.once('close', resolve);
  });
  ended.catch(() => undefined); // It is awaited below, when all was read.
  const said: string[] = [];
  let jars = 0;
  for await (const line of createInterface({ input: maven.stdout })) {
    if (/^Downloaded .*\.jar /.test(line) && ++jars % 10 === 0) progress(jars);
    if (line.startsWith('[ERROR]')) said.push(line.slice(8));
  }
  if ((await ended) !== 0) throw mavenFailed(said);
}

function noMaven(): UserError {
  return new UserError('Maven was not found. Install it (Debian: apt install maven), and run this again.');
}

function mavenFailed(said: string[]): UserError {
  const text = said.join('\n');
  if (/No space left/.test(text))
    return new UserError('The disk is full: Maven could not keep the jars. Free 1 GB.');
  if (/Could not transfer|Unknown host|Connection|resolve/.test(text))
    return new UserError(
      `Maven could not reach Maven Central, or a mirror in ~/.m2/settings.xml. Check the network, and run this again.\n  ${said[0] ?? ''}`,
    );
  return new UserError(`Maven failed:\n  ${said.slice(0, 3).join('\n  ')}`);
}
