#!/usr/bin/env -S node --disable-warning=TimeoutNegativeWarning
import { UserError } from '../local/process/user-error.ts';
import { printable } from './printable.ts';
import { UsageError } from './usage.ts';

const HELP = `gameanalytics: one GameAnalytics resource, a live leaderboard pipeline

  gameanalytics run FILE        run the whole pipeline of a manifest on this machine
  gameanalytics validate FILE   check manifests and say everything that is wrong with them
  gameanalytics sql FILE        query the events and boards of a pipeline that runs, in SQL
  gameanalytics peek FILE       print the newest records of the events topic, and whether each counts or why not
  gameanalytics players FILE    hide or erase players of a pipeline that runs, and print who is
  gameanalytics columns FILE    print the columns of an Avro schema, for events.columns
  gameanalytics render FILE     print the Kubernetes objects that a manifest becomes
  gameanalytics crd             print the CustomResourceDefinition

Each takes --help. Exit codes: 0 done, 1 it failed, 2 the manifest or the command line is wrong.
`;

/** Each is loaded when it is called: the libraries of all take half of the time of a short command. */
const COMMANDS = new Map<string | undefined, (args: string[]) => Promise<void>>([
  ['run', async (args) => (await import('./run.ts')).run(args)],
  ['validate', async (args) => (await import('./validate.ts')).validate(args)],
  ['sql', async (args) => (await import('./sql.ts')).sql(args)],
  ['peek', async (args) => (await import('./peek.ts')).peek(args)],
  ['players', async (args) => (await import('./players.ts')).players(args)],
  ['columns', async (args) => (await import('./columns.ts')).columns(args)],
  ['render', async (args) => (await import('./render.ts')).render(args)],
  ['crd', async (args) => (await import('./crd.ts')).crd(args)],
]);

async function main([name, ...args]: string[]): Promise<void> {
  const command = COMMANDS.get(name);
  if (command) return command(args);
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(HELP);
    return;
  }
  throw new UsageError(`'${name}' is not a command.\n\n${HELP}`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  // What the user can fix is reported in a sentence; anything else is our mistake and keeps its stack trace.
  if (error instanceof UserError) process.stderr.write(`${printable(error.message)}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
});
