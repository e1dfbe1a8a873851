import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Problem } from '../api/parse.ts';
import { stopOnSignals } from '../lib/stop-signal.ts';
import { defaultStateFolder } from '../local/process/state-folder.ts';
import { UserError } from '../local/process/user-error.ts';
import { withRegistryOfRun } from '../local/schema-registry.ts';
import { explainResource } from '../local/sql-check/explain.ts';
import { startSqlGateway } from '../local/sql-check/gateway.ts';
import { readColumns, readManifest } from './manifest.ts';
import { printable } from './printable.ts';
import { Terminal } from './terminal.ts';
import { filesAndFlags, listed, UsageError } from './usage.ts';

const HELP = `gameanalytics validate FILE... [--sql]

Checks GameAnalytics manifests. Says everything that is wrong with them, each with its path and what is allowed, and exits with 2.

  --sql   also have Flink plan the SQL of every board, without Kafka and without running it, and report what it rejects with
          the board and the line and column of its query. Needs Java, and Maven the first time; takes some seconds.
          Columns of Avro that a manifest does not name are read from its schema registry, and printed. What that asks for
          is in .gameanalytics/<name>/secrets, as for run.
`;

/** A manifest that is valid but for what is known to be wrong with it so far. */
interface Checked {
  file: string;
  resource: GameAnalytics;
}

export async function validate(args: string[]): Promise<void> {
  const line = filesAndFlags(args, HELP, ['sql']);
  if (!line) return;
  const complaints: string[] = [];
  let valid = await keepPassing(line.files, complaints, async (file) => ({
    file,
    resource: await readManifest(file),
  }));
  if (line.flags.has('sql') && valid.length > 0) valid = await withPlannedSql(valid, complaints);
  for (const { file, resource } of valid) {
    const boards = resource.spec.leaderboards.map(({ name }) => name).join(', ');
    process.stdout.write(`${file} is valid: ${resource.metadata.name} with the leaderboards ${boards}\n`);
  }
  if (complaints.length > 0) throw new UsageError(complaints.join('\n'));
}

async function keepPassing<From, To>(
  items: From[],
  complaints: string[],
  check: (item: From) => Promise<To>,
): Promise<To[]> {
  const passed: To[] = [];
  for (const item of items) {
    try {
      passed.push(await check(item));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      complaints.push(error.message);
    }
  }
  return passed;
}

async function withPlannedSql(manifests: Checked[], complaints: string[]): Promise<Checked[]> {
  const terminal = new Terminal(process.stderr);
  const report = (sentence: string) => terminal.say(sentence);
  const signal = stopOnSignals();
  try {
    const complete = await keepPassing(manifests, complaints, async ({ file, resource }) => {
      const stateDir = defaultStateFolder(resource.metadata.name);
      const placed = await withRegistryOfRun(resource, stateDir);
      return { file, resource: await readColumns(file, placed, stateDir, report, signal) };
    });
    if (complete.length === 0) return [];
    const avro = complete.some(({ resource }) => resource.spec.events.format === 'avro-confluent');
    const gateway = await startSqlGateway(report, signal, { avro });
    try {
      return await keepPassing(complete, complaints, async (checked) => {
        report(`planning the SQL of ${checked.file}`);
        const { problems, warnings } = await explainResource(gateway, checked.resource);
        if (warnings.length > 0)
          terminal.print(
            printable(listed(`${checked.file} has SQL that may be slow:`, formatProblems(warnings))),
          );
        if (problems.length === 0) return checked;
        throw new UsageError(
          listed(
            `${checked.file} has SQL that cannot be used (${problems.length} to fix):`,
            formatProblems(problems),
          ),
        );
      });
    } finally {
      await gateway.close();
    }
  } catch (error) {
    if (signal.aborted) throw new UserError('stopped before all SQL was planned');
    throw error;
  }
}

function formatProblems(problems: Problem[]): string[] {
  return problems.map(({ path, message }) => `${path}: ${message}`);
}
