import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Backoff } from '../../lib/backoff.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Reaper } from './reaper.ts';
import type { Report } from './report.ts';
import { UserError } from './user-error.ts';

/** How to start a process; called at every start, because its arguments may have changed since. */
export interface Command {
  file: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
}

interface ProcessOptions {
  name: string;
  command: () => Command | Promise<Command>;
  logFile: string;
  reaper: Reaper;
  report: Report;
}

const FIRST_BACKOFF_MILLIS = 1_000;
const LAST_BACKOFF_MILLIS = 30_000;
/** A process that ran this long is taken for well: its next crash is its first. */
const WELL_MILLIS = 60_000;

/** How often a process may end unasked before it is clear that it will end again. */
const MOST_CRASHES = 1;

/** Keeps one child process running: when it ends unasked it is started again, later each time. */
export class SupervisedProcess {
  readonly logFile: string;
  readonly #options: ProcessOptions;
  readonly #stopped = new AbortController();
  #child: ChildProcess | undefined;
  #crashes = 0;
  #running: Promise<void> | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.logFile = options.logFile;
  }

  /** How often the process has ended unasked. */
  get crashes(): number {
    return this.#crashes;
  }

  start(): void {
    this.#running ??= this.#supervise();
  }

  /**
   * @param explain says what is wrong by the process's log
   * @throws UserError with that, when the process has ended unasked so often that it will end again
   */
  async assertNotCrashing(explain: (log: string) => string): Promise<undefined> {
    if (this.#crashes > MOST_CRASHES) throw new UserError(explain(await readFile(this.logFile, 'utf8')));
  }

  /** Kills the process, which the supervisor then restarts. */
  restart(): void {
    this.#signal('SIGKILL');
  }

  /** What follows is an end that was asked for: the process is not started again. */
  expectExit(): void {
    this.#stopped.abort();
  }

  /** Ends the process, by force when it has not ended by itself in time. */
  async stop(graceMillis = 10_000): Promise<void> {
    this.expectExit();
    this.#signal('SIGTERM');
    const force = setTimeout(() => this.#signal('SIGKILL'), graceMillis);
    await this.#running;
    clearTimeout(force);
  }

  async #supervise(): Promise<void> {
    const backoff = new Backoff(FIRST_BACKOFF_MILLIS, LAST_BACKOFF_MILLIS, () => 0);
    while (!this.#stopped.signal.aborted) {
      const started = Date.now();
      const end = await this.#runOnce();
      if (this.#stopped.signal.aborted) return;
      this.#crashes += 1;
      if (Date.now() - started > WELL_MILLIS) backoff.reset();
      const millis = backoff.next();
      this.#options.report(
        `${this.#options.name} ended unexpectedly (${end}); starting it again in ${millis / 1000} s. Its log: ${this.logFile}`,
      );
      await sleep(millis, this.#stopped.signal);
    }
  }

  async #runOnce(): Promise<string> {
    const command = await this.#options.command();
    if (this.#stopped.signal.aborted) return 'stopped';
    const log = openSync(this.logFile, 'a');
    const child = spawnGated(command, log);
    closeSync(log);
    this.#child = child;
    const { reaper } = this.#options;
    try {
      return await new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
        child.once('spawn', () => {
          if (child.pid) reaper.add(child.pid);
          child.stdin?.end('go\n');
        });
      });
    } finally {
      if (child.pid) reaper.remove(child.pid);
      this.#child = undefined;
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (!pid) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function spawnGated({ file, args, env, cwd }: Command, log: number): ChildProcess {
  // In its own group, so that Ctrl-C reaches only us and we end things in order. It waits for a word before
  // it becomes the command: were we to die before the reaper knows of it, it would end instead.
  const child = spawn('sh', ['-c', 'read -r go && exec "$@"', 'sh', file, ...args], {
    detached: true,
    stdio: ['pipe', log, log],
    env: { ...process.env, ...env },
    ...(cwd && { cwd }),
  });
  child.stdin?.on('error', () => undefined);
  return child;
}
