import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/**
 * The newest complete checkpoint or savepoint under a folder, as a path; undefined when there is none. Flink
 * writes a snapshot's _metadata last, so one that has it is whole.
 */
export async function newestSnapshot(folder: string): Promise<string | undefined> {
  if (!existsSync(folder)) return undefined;
  const files = await readdir(folder, { recursive: true });
  const metadata = files.filter((file) => file.endsWith('_metadata')).map((file) => join(folder, file));
  const found = await Promise.all(
    metadata.map(async (file) => ({ path: join(file, '..'), made: (await stat(file)).mtimeMs })),
  );
  return found.sort((a, b) => b.made - a.made)[0]?.path;
}

/**
 * Empties a folder but for the path that is kept, and what leads to it: of a job's checkpoints their shared
 * state stays too.
 */
export async function keepOnly(folder: string, kept: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    if (!`${kept}${sep}`.startsWith(path + sep)) await rm(path, { recursive: true, force: true });
  }
}
