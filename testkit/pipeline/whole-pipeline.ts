import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { writeSecret } from '../../local/kafka/secrets.ts';
import { type Pipeline, startPipeline } from '../../local/pipeline.ts';

/** Where tests leave what helps to understand a failure. */
export const OUTPUT = new URL('../../test-output/', import.meta.url).pathname;

/**
 * Starts a whole pipeline, as `make run` does, in a folder of its own.
 *
 * @param cleanup stops it and removes the folder, also when it is still starting or never came up; its logs
 * are kept
 * @param secrets those that a user makes, by name: the content of each key
 */
export async function startWholePipeline(
  resource: GameAnalytics,
  cleanup: AsyncDisposableStack,
  secrets: Record<string, Record<string, string>> = {},
): Promise<Pipeline> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gameanalytics-test-'));
  cleanup.defer(() => rm(stateDir, { recursive: true, force: true }));
  cleanup.defer(() => cp(join(stateDir, 'logs'), join(OUTPUT, 'logs'), { recursive: true, force: true }));
  for (const [name, content] of Object.entries(secrets)) await writeSecret(stateDir, name, content);

  const stop = new AbortController();
  const starting = startPipeline(resource, {
    stateDir,
    ports: { kafka: 0, flink: 0, dashboard: 0 },
    report: (sentence) => void process.stderr.write(`  [pipeline] ${sentence}\n`),
    signal: stop.signal,
  });
  cleanup.defer(async () => {
    stop.abort();
    const pipeline = await starting.catch(() => undefined);
    await pipeline?.stop();
  });
  return starting;
}

/** Kills the process that serves `url`, as the kernel would; its supervisor restarts it. */
export function killServer({ apps }: Pipeline, url: string): void {
  const replica = apps.flatMap(({ replicas }) => replicas).find((replica) => replica.url === url);
  if (!replica) throw new Error(`nothing serves ${url}`);
  replica.process.restart();
}
