import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { UserError } from '../local/process/user-error.ts';
import { splitStatements } from '../local/sql-check/statements.ts';
import { printable } from './printable.ts';

/** Runs a statement until it ends or the signal is aborted, and returns what to print. */
export type RunStatement = (statement: string, stop: AbortSignal) => Promise<string>;

/** Where a person types, and reads. */
interface Screen {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream;
}

const HISTORY_LINES = 1000;
const WELCOME = 'SHOW TABLES; lists the tables, DESCRIBE events; the columns of one. exit; or Ctrl-D leaves.';

/**
 * Reads statements from the terminal and prints what they result in, until the person leaves.
 *
 * @param name stands in front of what the person types
 * @param signal makes it leave
 */
export async function runShell(
  name: string,
  run: RunStatement,
  signal: AbortSignal,
  { stdin, stdout }: Screen,
): Promise<void> {
  const file = historyFile();
  const known = await readFile(file, 'utf8').catch(() => '');
  const terminal = createInterface({
    input: stdin,
    output: stdout,
    terminal: true,
    history: known.split('\n').filter(Boolean),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    signal,
  });
  let history: string[] | undefined;
  terminal.on('history', (lines) => {
    history = lines;
  });
  stdout.write(`${WELCOME}\n`);
  await readStatements(terminal, name, run, stdout);
  if (history) await saveHistory(file, history);
}

async function readStatements(
  terminal: Interface,
  name: string,
  run: RunStatement,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  /** What was typed of a statement that is not complete. */
  let typed = '';
  let running: AbortController | undefined;
  const prompt = () => {
    terminal.setPrompt(typed === '' ? `${name}> ` : `${' '.repeat(name.length)}> `);
    terminal.prompt();
  };
  terminal.on('close', () => running?.abort());
  terminal.on('SIGINT', () => {
    if (running) return running.abort();
    typed = '';
    stdout.write('\n');
    // Clears what stands behind the prompt.
    terminal.write(null, { ctrl: true, name: 'e' });
    terminal.write(null, { ctrl: true, name: 'u' });
    prompt();
  });
  prompt();
  for await (const line of terminal) {
    const { statements, rest } = splitStatements(
      LEAVE.test(line) && typed === '' ? `${line};` : `${typed}${line}\n`,
    );
    typed = rest;
    for (const statement of statements) {
      if (LEAVE.test(statement)) return terminal.close();
      running = new AbortController();
      stdout.write(await attempt(run, statement, running.signal));
      running = undefined;
    }
    prompt();
  }
  stdout.write('\n');
}

const LEAVE = /^\s*(exit|quit)\s*$/i;

async function attempt(run: RunStatement, statement: string, stop: AbortSignal): Promise<string> {
  try {
    return (await run(statement, stop)) || 'OK\n';
  } catch (error) {
    if (stop.aborted) return 'canceled\n';
    if (error instanceof UserError) return `${printable(error.message)}\n`;
    throw error;
  }
}

/** Where people's programs keep what is not worth a backup (XDG). */
function historyFile(): string {
  const state = process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
  return join(state, 'gameanalytics', 'sql-history');
}

async function saveHistory(file: string, lines: string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // Statements may have what only this person may know.
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
}
