import { setTimeout as sleep } from 'node:timers/promises';
import type { FlinkCluster } from '../../local/flink/cluster.ts';

interface Checkpoints {
  latest: { restored: { external_path: string } | null };
}

/** What Flink says of the job's checkpoints. */
export async function checkpoints(flink: FlinkCluster): Promise<Checkpoints> {
  const job = await flink.job();
  const response = await fetch(`${flink.url}/jobs/${job?.id}/checkpoints`);
  return (await response.json()) as Checkpoints;
}

/** Resolves when the job runs after it was restored from a snapshot, and says what of. */
export async function restored(flink: FlinkCluster): Promise<'checkpoint' | 'savepoint'> {
  for (;;) {
    const job = await flink.job();
    const snapshot = job?.allTasksRunning ? (await checkpoints(flink)).latest.restored : null;
    if (snapshot) return snapshot.external_path.includes('/savepoint-') ? 'savepoint' : 'checkpoint';
    await sleep(250);
  }
}
