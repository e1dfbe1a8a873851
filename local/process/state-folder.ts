import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserError } from './user-error.ts';

const run = promisify(execFile);

const LEAST_FREE_BYTES = 1024 ** 3;

/** The file that says who holds a folder. */
const LOCK = 'run.pid';

/**
 * Makes the folder a pipeline lives under, refuses one that another run holds, and returns what gives it free
 * again.
 */
export async function openStateFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new UserError(
      `The state folder ${folder} cannot be made: ${error.message}. Choose another with --state-dir.`,
    );
  });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < LEAST_FREE_BYTES)
    throw new UserError(
      `The disk of ${folder} has less than 1 GiB free. Free some (make clean-state drops old runs), or choose another with --state-dir.`,
    );
  const unlock = await lock(join(folder, LOCK), folder);
  // Logs are of one run.
  await rm(join(folder, 'logs'), { recursive: true, force: true });
  await mkdir(join(folder, 'logs'));
  return unlock;
}

/** The folder of a pipeline for which nobody names another; it is in that of the process. */
export function defaultStateFolder(name: string): string {
  return join('.gameanalytics', name);
}

/** Whether a run holds the folder. */
export function isInUse(folder: string): Promise<boolean> {
  return isHeld(join(folder, LOCK));
}

/**
 * Who holds a folder. A process is known by its start too, because its number may come to stand for another.
 */
interface Holder {
  pid: number;
  /** Empty where the system does not tell. */
  started: string;
}

async function lock(file: string, folder: string): Promise<() => Promise<void>> {
  const own = `${file}.${randomUUID()}`;
  const content = JSON.stringify({
    pid: process.pid,
    started: await readStartTime(process.pid),
  } satisfies Holder);
  await writeFile(own, content);
  try {
    // Only one process gets it, however many ask at once.
    while (!(await linked(own, file))) {
      const holder = await readHolder(file);
      if (holder && (await isThere(holder)))
        throw new UserError(
          `Another run (process ${holder.pid}) uses ${folder}. Stop it, or choose another folder with --state-dir.`,
        );
      await removeStale(file, own);
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(file, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(file: string, own: string): Promise<void> {
  // One process at a time, so that none removes the lock of the next holder.
  const turn = `${file}.turn`;
  if (await linked(own, turn)) {
    if (!(await isHeld(file))) await rm(file, { force: true });
    await rm(turn, { force: true });
  } else if (await isHeld(turn)) await sleep(10);
  else await rm(turn, { force: true });
}

async function isHeld(file: string): Promise<boolean> {
  const holder = await readHolder(file);
  return holder !== undefined && (await isThere(holder));
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const { pid, started } = JSON.parse(await readFile(file, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

async function isThere({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (await readStartTime(pid)) === started;
}

async function readStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything. The start is the 22nd field (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return run('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  }
}
