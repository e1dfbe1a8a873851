import { type Logger, pino } from 'pino';
import type { Registry } from 'prom-client';

/** A log that keeps its lines, parsed, for a test to read. */
export function keptLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'trace', base: null, timestamp: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  return { log, lines };
}

/**
 * What Prometheus would read: the value of every series, by its name and labels as they are written there.
 */
export async function series(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}
