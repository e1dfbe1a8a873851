import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.ts';
import { UserError } from './user-error.ts';

/**
 * The folders of jars that the runtime needs. Each has a folder under runtime/: its pom.xml lists the
 * versions, its SHA256SUMS every jar.
 */
export interface Jars {
  kafka: string;
  flinkLib: string;
  flinkOpt: string;
}

/** The format for Avro, compiled and with the jars that it needs: only jobs of such records load it. */
export function fetchAvroFormat(report: Report, signal: AbortSignal): Promise<string> {
  return fetchFolder('flink-avro', 'Flink’s Avro format', report, signal);
}

/** A class path of all jars in folders. */
export function classPath(folders: string[]): string {
  return folders.map((folder) => join(folder, '*')).join(delimiter);
}

/** The jars from Maven Central: fetched once by Maven, then kept in the user's cache folder. */
export async function fetchJars(report: Report, signal: AbortSignal): Promise<Jars> {
  return {
    kafka: await fetchFolder('kafka', 'Kafka', report, signal),
    flinkLib: await fetchFolder('flink', 'Flink', report, signal),
    flinkOpt: await fetchFolder('flink-opt', 'Flink’s SQL gateway', report, signal),
  };
}

/** Where everything is kept that is fetched or built once. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gameanalytics');
}

/**
 * A folder of the cache, which is filled once. It gets its name when it is complete, so that an interrupted
 * download leaves nothing half done.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const partial = await newFolderBeside(folder);
  try {
    await fill(partial);
    await rename(partial, folder).catch((error) => {
      // Another run was quicker: its folder is as good.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function fetchFolder(
  name: string,
  title: string,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  const source = fileURLToPath(new URL(`../runtime/${name}/`, import.meta.url));
  const pom = join(source, 'pom.xml');
  const sums = await readFile(join(source, 'SHA256SUMS'), 'utf8');
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .update(sums);
  const sources = await sourceFiles(source);
  for (const file of sources) hash.update(await readFile(file));
  const version = hash.digest('hex').slice(0, 12);
  const list = { pom, sums, title, isCompiled: sources.length > 0 };
  return cachedFolder(`${name}-${version}`, (folder) => fillFolder(folder, list, report, signal));
}

async function sourceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return files.filter((file) => file.startsWith(join(folder, 'src'))).sort();
}

interface JarList {
  pom: string;
  /** The SHA-256 of every jar, as `sha256sum` writes it. */
  sums: string;
  title: string;
  /** Whether the folder has sources, which Maven compiles to one more jar. */
  isCompiled: boolean;
}

async function fillFolder(
  folder: string,
  { pom, sums, title, isCompiled }: JarList,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  report(`fetching ${title} from Maven Central (once)`);
  const progress = (count: number) => report(`fetching ${title}: ${count} jars`);
  await runMaven(
    pom,
    [COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`],
    progress,
    signal,
  );
  await verifyJars(folder, sums);
  if (isCompiled) await compile(pom, folder, progress, signal);
}

async function newFolderBeside(folder: string): Promise<string> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    return await mkdtemp(`${folder}-`);
  } catch (error) {
    throw new UserError(
      `The jars cannot be kept in ${dirname(folder)}: ${(error as Error).message}. Make it writable, or set XDG_CACHE_HOME to a folder that is.`,
    );
  }
}

async function verifyJars(folder: string, sums: string): Promise<void> {
  // Maven's own check is against a checksum from the same server, and only of what it downloads now.
  const wanted = new Map(
    sums
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
  );
  const names = new Set([...wanted.keys(), ...(await readdir(folder))]);
  for (const name of names) {
    const jar = await readFile(join(folder, name)).catch(() => undefined);
    if (jar && createHash('sha256').update(jar).digest('hex') === wanted.get(name)) continue;
    const fault = jar ? 'is not the file that was released' : 'is missing';
    throw new UserError(
      `Maven’s ${name} ${fault}. Remove what Maven keeps of it (find ~/.m2 -name ${name} -delete), look at the mirrors in ~/.m2/settings.xml, and run this again.`,
    );
  }
}

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

async function compile(
  pom: string,
  folder: string,
  progress: (jars: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const build = join(folder, 'build');
  await runMaven(pom, ['package', `-Dbuild.folder=${build}`], progress, signal);
  for (const name of await readdir(build))
    if (name.endsWith('.jar')) await rename(join(build, name), join(folder, name));
  await rm(build, { recursive: true });
}

async function runMaven(
  pom: string,
  args: string[],
  progress: (jars: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const maven = spawn('mvn', ['-B', '--strict-checksums', '-f', pom, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    maven.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new UserError('Maven was not found. Install it (Debian: apt install maven), and run this again.')
          : error,
      ),
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

function mavenFailed(said: string[]): UserError {
  const text = said.join('\n');
  if (/No space left/.test(text))
    return new UserError('The disk is full: Maven could not keep the jars. Free 1 GB.');
  if (/[Cc]hecksum validation failed/.test(text))
    return new UserError(
      `What Maven downloaded does not have its checksum. Look at the mirrors in ~/.m2/settings.xml, or at a proxy on the way, and run this again.\n  ${said[0] ?? ''}`,
    );
  if (/No compiler/.test(text))
    return new UserError(
      'Maven found no Java compiler. Install a JDK 17 or newer (Debian: apt install openjdk-17-jdk-headless), point JAVA_HOME at it, and run this again.',
    );
  if (/Could not transfer|Unknown host|Connection|resolve/.test(text))
    return new UserError(
      `Maven could not reach Maven Central, or a mirror in ~/.m2/settings.xml. Check the network, and run this again.\n  ${said[0] ?? ''}`,
    );
  return new UserError(`Maven failed:\n  ${said.slice(0, 3).join('\n  ')}`);
}
