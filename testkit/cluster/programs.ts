import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cacheFolder } from '../../local/process/jars.ts';
import type { Report } from '../../local/process/report.ts';

import { goBuild } from './go-build.ts';

/**
 * The programs of a control plane, and Helm; each from a Go module of modules/, whose go.mod has its version.
 */
const PROGRAMS = {
  etcd: { module: 'etcd', main: 'go.etcd.io/etcd/server/v3' },
  'kube-apiserver': { module: 'kubernetes', main: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': { module: 'kubernetes', main: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  kubectl: { module: 'kubernetes', main: 'k8s.io/kubernetes/cmd/kubectl' },
  helm: { module: 'helm', main: 'helm.sh/helm/v4/cmd/helm' },
} as const;

export type Program = keyof typeof PROGRAMS;

/** Path of each program. */
export type Programs = Record<Program, string>;

const MODULES = fileURLToPath(new URL('./modules/', import.meta.url));

/** Builds the programs that are not there yet, which takes minutes the first time. */
export async function buildPrograms(report: Report): Promise<Programs> {
  const programs: Partial<Programs> = {};
  // One by one: Go already builds with every core.
  for (const name of Object.keys(PROGRAMS) as Program[]) programs[name] = await findProgram(name, report);
  return programs as Programs;
}

/**
 * A program's path: in the folder of KUBEBUILDER_ASSETS, where that has it, or else in the cache, built now
 * if need be.
 */
async function findProgram(name: Program, report: Report): Promise<string> {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given && existsSync(join(given, name))) return join(given, name);
  const folder = await programsFolder();
  const program = join(folder, name);
  if (!existsSync(program)) await build(name, program, report);
  return program;
}

/**
 * Built in a temporary folder and renamed when complete: an interrupted build leaves nothing, and two at once
 * do no harm.
 */
async function build(name: Program, program: string, report: Report): Promise<void> {
  const { module, main } = PROGRAMS[name];
  const partial = `${program}.${process.pid}`;
  await mkdir(join(program, '..'), { recursive: true });
  try {
    await goBuild({ name, folder: join(MODULES, module), main, output: partial, report });
    await rename(partial, program);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Another version of any module is another folder. */
async function programsFolder(): Promise<string> {
  const hash = createHash('sha256');
  for (const module of new Set(Object.values(PROGRAMS).map((program) => program.module)))
    for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULES, module, file)));
  return join(cacheFolder(), `control-plane-${hash.digest('hex').slice(0, 12)}`);
}
