import { text } from 'node:stream/consumers';
import { splitStatements } from '../local/sql-check/statements.ts';
import { openPipelineSession, type StatementResult } from '../local/sql-session/session.ts';
import { PIPELINE_HELP, PIPELINE_OPTIONS, usePipelineGateway } from './pipeline-gateway.ts';
import { printable } from './printable.ts';
import { type RunStatement, runShell } from './sql-shell.ts';
import { formatTable } from './table.ts';
import { commandLine } from './usage.ts';

const HELP = `gameanalytics sql FILE [options]

Opens a session of Flink SQL over the pipeline of a manifest that runs on this machine. The events and the boards are tables:
events, valid_events, and each board by its name in snake case, such as top_teams. Queries end where the topics end.

Statements end with a semicolon. Ctrl-C cancels the one that runs; Ctrl-D or exit; leaves. Reads statements from the input if
that is not a terminal, and ends with 1 when one fails.

  -e, --execute SQL       run these statements and end
${PIPELINE_HELP}`;

const OPTIONS = {
  execute: { type: 'string', short: 'e' },
  ...PIPELINE_OPTIONS,
} as const;

export async function sql(args: string[]): Promise<void> {
  const line = commandLine(args, HELP, OPTIONS);
  if (!line) return;
  const { execute, ...values } = line.values;
  await usePipelineGateway(line.file, values, async ({ gateway, resource, signal, ...place }) => {
    const session = await openPipelineSession(gateway, resource, place);
    const run = async (statement: string, stop: AbortSignal) =>
      formatResult(await session.run(statement, stop));
    if (execute !== undefined) await runAll(run, execute, signal);
    else if (!process.stdin.isTTY) await runAll(run, await text(process.stdin), signal);
    else await runShell(resource.metadata.name, run, signal, process);
  });
}

async function runAll(run: RunStatement, script: string, signal: AbortSignal): Promise<void> {
  // The last statement may have no semicolon. What is left even so is not complete, which Flink says best.
  const { statements, rest } = splitStatements(`${script}\n;`);
  for (const statement of rest === '' ? statements : [...statements, rest])
    process.stdout.write(await run(statement, signal));
}

const NUMBERS = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'FLOAT', 'DOUBLE', 'DECIMAL'];

/** What a statement resulted in, for the terminal; nothing when it only succeeded. */
export function formatResult(result: StatementResult): string {
  if (!result) return '';
  const { columns, rows } = result;
  const [[only] = []] = rows;
  // A plan or a definition is text of several lines, and no table.
  if (rows.length === 1 && columns.length === 1 && only?.includes('\n'))
    return `${printable(only).trimEnd()}\n`;
  const shown = columns.map(({ name, type }) => ({ name, isNumber: NUMBERS.includes(type) }));
  return `${formatTable(shown, rows)}(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n`;
}
