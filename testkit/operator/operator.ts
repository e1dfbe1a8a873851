import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { createMetrics, type Metrics } from '../../operator/metrics.ts';
import { runOperator } from '../../operator/operator.ts';
import type { Settings } from '../../operator/settings.ts';

/** An operator in this process. */
export interface TestOperator {
  metrics: Metrics;
  /** Every line of its log, as text. */
  log: string[];
  /** Stops it as SIGTERM would. */
  stop(): Promise<void>;
}

/** The images that an operator of a test hands on. */
export const APP_IMAGE = 'app:1';
export const FLINK_IMAGE = 'flink:1';

let operators = 0;

/**
 * Starts an operator in this process, as `operator/main.ts` does.
 *
 * @param namespace the one it looks after, which has its Lease too
 */
export function startOperator(
  config: KubeConfig,
  namespace: string,
  settings: Partial<Settings> = {},
): TestOperator {
  const stopping = new AbortController();
  const metrics = createMetrics();
  const log: string[] = [];
  operators += 1;
  const running = runOperator(
    {
      watchNamespace: namespace,
      leaseNamespace: namespace,
      leaseName: 'gameanalytics-operator',
      identity: `operator-${operators}`,
      appImage: APP_IMAGE,
      flinkImage: FLINK_IMAGE,
      host: '127.0.0.1',
      port: 0,
      workers: 4,
      upgradeTimeoutMillis: 60_000,
      logLevel: 'info',
      ...settings,
    },
    {
      config,
      metrics,
      signal: stopping.signal,
      log: pino({ level: settings.logLevel ?? 'info' }, { write: (line: string) => void log.push(line) }),
    },
  );
  // stop() reports a failure; until then it must not end the test process.
  running.catch(() => undefined);
  return {
    metrics,
    log,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
