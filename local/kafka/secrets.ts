import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodSpec } from '../../plan/objects.ts';
import { UserError } from '../process/user-error.ts';

/*
 * On this machine a Secret is a folder with a file for each of its keys, as the kubelet writes them.
 */

/** The folder that a Secret is, whether it is there or not. */
export function secretFolder(stateDir: string, secretName: string): string {
  return join(stateDir, 'secrets', secretName);
}

/** Writes a Secret that only this user may read. Each file is complete, or as it was. */
export async function writeSecret(
  stateDir: string,
  secretName: string,
  content: Record<string, string>,
): Promise<void> {
  const folder = secretFolder(stateDir, secretName);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [key, value] of Object.entries(content)) {
    const file = join(folder, key);
    await writeFile(`${file}.new`, value, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}

/**
 * The folders that stand for a pod's Secrets, by where its container has them.
 *
 * @throws UserError when one is not there
 */
export function secretFolders(stateDir: string, { containers, volumes = [] }: PodSpec): Map<string, string> {
  const mounts = containers[0]?.volumeMounts ?? [];
  return new Map(
    volumes.flatMap(({ name, secret }): [string, string][] => {
      const mount = mounts.find((mount) => mount.name === name);
      if (!secret || !mount) return [];
      const folder = secretFolder(stateDir, secret.secretName);
      if (existsSync(folder)) return [[mount.mountPath, folder]];
      throw new UserError(
        `The Secret ${secret.secretName} is a folder on this machine, and it is not there. Make ${folder}, with a file for each key: mkdir -p -m 700 ${folder}`,
      );
    }),
  );
}
