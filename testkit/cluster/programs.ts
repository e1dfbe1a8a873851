import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cacheFolder } from '../../local/process/jars.ts';
import type { Report } from '../../local/process/report.ts';

import { goBuild } from './go-build.ts';

/** The main packages of a control plane's programs, and of Helm. */
const PROGRAMS = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  helm: 'helm.sh/helm/v4/cmd/helm',
} as const;

export type Program = keyof typeof PROGRAMS;

/** Path of each program. */
export type Programs = Record<Program, string>;

/** One Go module for all, so that what they share is compiled once. */
const MODULE = fileURLToPath(new URL('./programs/', import.meta.url));

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
  const partial = `${program}.${process.pid}`;
  await mkdir(join(program, '..'), { recursive: true });
  try {
    await goBuild({ name, folder: MODULE, main: PROGRAMS[name], output: partial, report });
    await rename(partial, program);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Another version of any of them is another folder. */
async function programsFolder(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULE, file)));
  return join(cacheFolder(), `control-plane-${hash.digest('hex').slice(0, 12)}`);
}
