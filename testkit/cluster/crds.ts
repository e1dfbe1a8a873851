import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const CLOSED = join(PROJECT, 'testkit/cluster/crds');
/**
 * Where those who develop this project keep the CRDs of Strimzi's and Flink's operators, as they were
 * released.
 */
const REAL = resolve(PROJECT, '../shared/crds');

/**
 * The CRDs that we build on: as released, or closed schemas of the fields that we write and read, and no
 * others.
 */
export type CrdSet = 'real' | 'closed';

/** The real ones, where this machine has them. */
export function availableCrds(): CrdSet {
  return existsSync(REAL) ? 'real' : 'closed';
}

/** Paths of the manifests: our own CRD and, of a set, those of the kinds that we build on. */
export async function crdFiles(set: CrdSet): Promise<string[]> {
  return [join(PROJECT, 'crds/gameanalytics.yaml'), ...(await foreignCrds(set)).values()];
}

/**
 * Manifests of the CRDs that others install, by the CRD's name. Of the real ones only those that have a
 * closed one.
 */
export async function foreignCrds(set: CrdSet): Promise<Map<string, string>> {
  const closed = await manifests(CLOSED);
  if (set === 'closed') return closed;
  const real = await manifests(REAL);
  return new Map([...real].filter(([name]) => closed.has(name)));
}

async function manifests(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith('.yaml')) continue;
    const { metadata } = parse(await readFile(join(folder, file), 'utf8')) as { metadata: { name: string } };
    found.set(metadata.name, join(folder, file));
  }
  return found;
}

/** The released manifest of a CRD, by its name; only where the real ones are available. */
export async function realCrd(name: string): Promise<string> {
  const file = (await manifests(REAL)).get(name);
  if (!file) throw new Error(`there is no ${name} in ${REAL}`);
  return file;
}
