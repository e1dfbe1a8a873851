import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** A process of this machine, seen through /proc. */
export class ObservedProcess {
  readonly #folder: string;

  constructor(pid: string) {
    this.#folder = `/proc/${pid}`;
  }

  /** Processor time so far in seconds, of all threads, those that ended too. */
  cpuSeconds(): number {
    return statOf(this.#folder).cpuSeconds;
  }

  /** The part of it that the JVM's compilers took, in seconds. */
  compilerCpuSeconds(): number {
    const threads = readdirSync(`${this.#folder}/task`).map((id) => threadOf(`${this.#folder}/task/${id}`));
    return threads
      .filter(({ name }) => /^C[12] Compiler/.test(name))
      .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  }

  /** Resident memory now, in bytes. */
  residentBytes(): number {
    return this.#status('VmRSS');
  }

  /** The most resident memory that it ever had, in bytes. */
  peakResidentBytes(): number {
    return this.#status('VmHWM');
  }

  /** Whether it has a file in its memory, by a part of the file's path. */
  maps(file: string): boolean {
    return readFileSync(`${this.#folder}/maps`, 'utf8').includes(file);
  }

  #status(field: string): number {
    const status = readFileSync(`${this.#folder}/status`, 'utf8');
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kibibytes === undefined) throw new Error(`${this.#folder} has no ${field}`);
    return 1024 * Number(kibibytes);
  }
}

/** The one process that this process started and whose command line holds the text. */
export function childProcess(text: string): ObservedProcess {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = children.filter((pid) => commandLine(pid).includes(text));
  const [pid] = found;
  if (pid === undefined || found.length > 1)
    throw new Error(`expected one process with ${text}, found ${found.length}`);
  return new ObservedProcess(pid);
}

/** The command line of a process, its parts ended by NUL; empty when it has ended. */
export function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It ended meanwhile.
  }
}

function threadOf(folder: string): { name: string; cpuSeconds: number } {
  try {
    return statOf(folder);
  } catch {
    return { name: '', cpuSeconds: 0 }; // It ended meanwhile.
  }
}

function statOf(folder: string): { name: string; cpuSeconds: number } {
  const stat = readFileSync(`${folder}/stat`, 'utf8');
  // The name stands in parentheses and may hold anything; what follows it is fields 3 and on.
  const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
  const fields = stat.slice(close + 2).split(' ');
  return {
    name: stat.slice(open + 1, close),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}
