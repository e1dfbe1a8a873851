import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { toYaml } from '../../cli/yaml.ts';
import type { KubernetesObject } from '../../plan/objects.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** An earlier revision of this project, which plans the job that the present one is measured against. */
export interface FormerRevision {
  /** As git knows it. */
  name: string;
  /** Where its files are. */
  folder: string;
}

/** Puts the files of a revision into a new folder; they run with the packages that are installed here. */
export async function checkOut(name: string, folder: string): Promise<FormerRevision> {
  await mkdir(folder);
  const archive = join(folder, 'revision.tar');
  // After --end-of-options nothing that a name may begin with is an option.
  await run('git', ['archive', '--output', archive, '--end-of-options', name], { cwd: PROJECT });
  await run('tar', ['-xf', archive, '-C', folder]);
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return { name, folder };
}

/** The objects that a revision plans for a resource of this name and spec. */
export async function render(
  { folder }: FormerRevision,
  name: string,
  spec: object,
  bootstrapServers: string,
): Promise<KubernetesObject[]> {
  const file = join(folder, 'bench.yaml');
  const head = { apiVersion: API_VERSION, kind: KIND, metadata: { name } };
  await writeFile(file, toYaml({ ...head, spec: { kafka: { cluster: 'none' }, ...spec } }));
  const options = ['render', file, '--bootstrap', bootstrapServers];
  const { stdout } = await run(process.execPath, ['cli/main.ts', ...options], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  });
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
