import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = ['--disable-warning=TimeoutNegativeWarning', 'dashboard/main.ts'];

/** The dashboard as it runs in a pod. */
export interface DashboardProcess {
  url: string;
  process: ChildProcess;
}

/**
 * Starts the dashboard with these boards; resolves when it answers. The caller kills it.
 *
 * @param settings more of its environment
 */
export async function startDashboard(
  bootstrapServers: string,
  boards: object[],
  settings: Record<string, string> = {},
): Promise<DashboardProcess> {
  const port = await freePort();
  const env = {
    ...process.env,
    KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
    DASHBOARD_BOARDS: JSON.stringify(boards),
    STATS_TOPIC: 'stats',
    JOB_GROUPS: 'flink',
    EVENTS_TOPIC: 'events',
    LOG_LEVEL: 'fatal',
    PORT: String(port),
    ...settings,
  };
  const dashboard = spawn(process.execPath, MAIN, { cwd: PROJECT, env, stdio: 'inherit' });
  const url = `http://${LOOPBACK}:${port}`;
  await vi.waitFor(() => fetch(`${url}/healthz`), { timeout: 180_000, interval: 100 });
  return { url, process: dashboard };
}
