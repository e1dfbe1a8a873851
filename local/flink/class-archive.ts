import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../api/parse.ts';
import { sqlScript } from '../../plan/sql.ts';
import type { LocalRuntime } from '../local-runtime.ts';
import { cachedFolder, classPath } from '../process/jars.ts';
import { QUICK_START } from '../process/java.ts';
import { splitScript } from '../sql-check/statements.ts';
import { rootCause } from './error.ts';
import { OPENED_MODULES } from './opened-modules.ts';

const run = promisify(execFile);

const ARCHIVE = 'flink.jsa';

/**
 * Options with which a JVM maps Flink's classes from an archive (class data sharing) and does not read and
 * verify each one again. The archive is made once for each Java and set of jars, by a process that plans a
 * pipeline and runs a small job. A JVM ignores one that does not fit; where none can be made, there are no
 * options. Flink's jars must be the first on the JVM's class path.
 */
export async function classArchiveOptions(runtime: LocalRuntime): Promise<string[]> {
  const { java, jars, signal } = runtime;
  const version = await run(java, ['-version'], { env: ownEnvironment(), signal });
  // A JVM takes no archive that was made of jars of another time, even if they have the same content.
  const { mtimeMs } = await stat(jars.flinkLib);
  const content = JSON.stringify([java, version.stderr, jars.flinkLib, mtimeMs]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const folder = await cachedFolder(`flink-classes-${hash}`, (folder) => makeArchive(runtime, folder));
  const archive = join(folder, ARCHIVE);
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

async function makeArchive({ java, jars, report, signal }: LocalRuntime, folder: string): Promise<void> {
  report('archiving Flink’s classes, so that it starts faster (once)');
  const work = join(folder, 'work');
  await mkdir(work);
  const script = join(work, 'exercise.sql');
  await writeFile(script, exercise());
  await writeFile(join(work, 'config.yaml'), '');
  const libraries = await readdir(jars.flinkLib);
  // The command asks for a jar, although the class is already on the class path.
  const jar = libraries.find((name) => name.startsWith('flink-table-runtime-')) ?? '';
  await run(
    java,
    [
      ...QUICK_START,
      '-Xmx1g',
      `-XX:ArchiveClassesAtExit=${join(folder, ARCHIVE)}`,
      ...OPENED_MODULES,
      `-Djava.io.tmpdir=${work}`,
      '-cp',
      classPath([jars.flinkLib]),
      'org.apache.flink.client.cli.CliFrontend',
      'run',
      '--target',
      'local',
      '--class',
      'org.apache.flink.table.runtime.application.SqlDriver',
      join(jars.flinkLib, jar),
      '--scriptUri',
      pathToFileURL(script).href,
    ],
    {
      env: { ...ownEnvironment(), FLINK_CONF_DIR: work, FLINK_OPT_DIR: jars.flinkOpt },
      maxBuffer: 64 * 1024 * 1024,
      signal,
    },
  ).catch(async (error: Error & { stderr?: string }) => {
    signal.throwIfAborted();
    // The folder stays, without an archive: the next start does not try again.
    await rm(join(folder, ARCHIVE), { force: true });
    report(`Flink starts without an archive of its classes: ${rootCause(error.stderr ?? '')}`);
  });
  await rm(work, { recursive: true });
}

/** Without options of the user's own, which could make an archive that does not fit other JVMs. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { JAVA_TOOL_OPTIONS: _, ...environment } = process.env;
  return environment;
}

/** A small job without Kafka that ends, and the default boards, which are planned down to their operators. */
function exercise(): string {
  const { resource, problems } = parseGameAnalytics({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'exercise' },
    spec: { kafka: { cluster: 'none' } },
  });
  if (problems) throw new Error(`the exercise is not valid: ${JSON.stringify(problems)}`);
  const { preparation, inserts } = splitScript(sqlScript(resource, 'none:9092'));
  const statements = [
    "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10')",
    "CREATE TABLE nothing (n BIGINT, numbers BIGINT) WITH ('connector' = 'blackhole')",
    'INSERT INTO nothing SELECT n, COUNT(*) FROM numbers GROUP BY n',
    ...preparation,
    `EXPLAIN JSON_EXECUTION_PLAN STATEMENT SET BEGIN\n${inserts.join(';\n')};\nEND`,
  ];
  return statements.map((statement) => `${statement};\n`).join('');
}
