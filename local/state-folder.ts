import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from './user-error.ts';

const LEAST_FREE_BYTES = 1024 ** 3;

/** Makes the folder a pipeline lives under, refuses one that another run holds, and returns what gives it free again. */
export async function openStateFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new UserError(
      `The state folder ${folder} cannot be made: ${error.message}. Choose another with --state-dir.`,
    );
  });
  await checkDisk(folder);
  const unlock = await lock(join(folder, 'run.pid'), folder);
  // Logs are of one run.
  await rm(join(folder, 'logs'), { recursive: true, force: true });
  await mkdir(join(folder, 'logs'));
  return unlock;
}

async function checkDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < LEAST_FREE_BYTES)
    throw new UserError(
      `The disk of ${folder} has less than 1 GiB free. Free some (make clean-state drops old runs), or choose another with --state-dir.`,
    );
}

async function lock(file: string, folder: string): Promise<() => Promise<void>> {
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  if (holder && isAlive(holder))
    throw new UserError(
      `Another run (process ${holder}) uses ${folder}. Stop it, or choose another folder with --state-dir.`,
    );
  await writeFile(file, String(process.pid));
  return () => rm(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
