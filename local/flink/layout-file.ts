import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LAYOUT_ANNOTATION, type Layout, readLayout } from '../../plan/layout.ts';
import type { FlinkDeployment } from '../../plan/objects.ts';

/** The layout of the job that ran last in a state folder, whose state is there; undefined when none did. */
export async function loadLayout(stateDir: string): Promise<Layout | undefined> {
  return readLayout(await readFile(file(stateDir), 'utf8').catch(() => undefined));
}

/** Saves a job's layout; before the job runs, so that no state exists whose layout is unknown. */
export async function saveLayout(stateDir: string, { metadata }: FlinkDeployment): Promise<void> {
  await mkdir(dirname(file(stateDir)), { recursive: true });
  await writeFile(file(stateDir), metadata.annotations?.[LAYOUT_ANNOTATION] ?? '');
}

function file(stateDir: string): string {
  return join(stateDir, 'flink', 'layout.json');
}
