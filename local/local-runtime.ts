import { join, resolve } from 'node:path';
import { fetchJars, type Jars } from './process/jars.ts';
import { findJava } from './process/java.ts';
import { Reaper } from './process/reaper.ts';
import type { Report } from './process/report.ts';
import { openStateFolder } from './process/state-folder.ts';
import { type Command, SupervisedProcess } from './process/supervisor.ts';

interface Tools {
  /** Folder under which everything lives. */
  stateDir: string;
  java: string;
  jars: Jars;
  report: Report;
  /** Aborted when the pipeline should stop starting. */
  signal: AbortSignal;
  /** Gives the folder free again. */
  unlock: () => Promise<void>;
}

/** Opens a state folder for one run, with the tools that the run needs; fetches those it lacks. */
export async function startLocalRuntime(
  folder: string,
  report: Report,
  signal: AbortSignal,
): Promise<LocalRuntime> {
  const stateDir = resolve(folder);
  const unlock = await openStateFolder(stateDir);
  try {
    const java = await findJava();
    const jars = await fetchJars(report, signal);
    return new LocalRuntime({ stateDir, java, jars, report, signal, unlock });
  } catch (error) {
    await unlock();
    throw error;
  }
}

/**
 * What every part of a local pipeline works with; it knows every process that was started, and leaves none
 * behind.
 */
export class LocalRuntime {
  readonly stateDir: string;
  readonly java: string;
  readonly jars: Jars;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly #unlock: () => Promise<void>;
  readonly #reaper = new Reaper();
  readonly #processes: SupervisedProcess[] = [];
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  constructor({ stateDir, java, jars, report, signal, unlock }: Tools) {
    this.stateDir = stateDir;
    this.java = java;
    this.jars = jars;
    this.report = report;
    this.signal = signal;
    this.#unlock = unlock;
  }

  /** Starts a process and keeps it running. Its output goes to logs/<name>.log. */
  spawn(name: string, command: () => Command | Promise<Command>): SupervisedProcess {
    const logFile = join(this.stateDir, 'logs', `${name}.log`);
    const process = new SupervisedProcess({
      name,
      command,
      logFile,
      reaper: this.#reaper,
      report: this.report,
    });
    this.#processes.push(process);
    process.start();
    return process;
  }

  /** Has something done when the runtime closes: whatever else would keep this process alive is ended so. */
  onClose(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends every process that is still there, and gives the state folder free. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups) await cleanup();
    await Promise.all(this.#processes.map((process) => process.stop()));
    this.#reaper.close();
    await this.#unlock();
  }
}
