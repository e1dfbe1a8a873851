import { defineConfig } from 'vitest/config';
import { IdleFirst } from './test/support/idle-first.ts';

/** The tiers: unit needs nothing; operator starts a real Kubernetes API server; pipeline real Kafka and Flink; browser a real Chromium before a whole pipeline. */
export default defineConfig({
  test: {
    // kafkajs sets timers with times that have passed; Node would warn of each.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    sequence: { sequencer: IdleFirst },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'operator',
          include: ['test/operator/**/*.test.ts'],
          // One API server for all files, each in namespaces of its own.
          globalSetup: 'test/support/control-plane/shared.ts',
          // One of them stands idle for twelve minutes.
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      tier('images', 'test/images/**/*.test.ts'),
      tier('pipeline', 'test/pipeline/**/*.test.ts'),
      tier('browser', 'test/browser/**/*.test.ts'),
    ],
  },
});

/** A tier that starts JVMs: one file at a time, with time for a slow machine. */
function tier(name: string, include: string) {
  return {
    test: { name, include: [include], fileParallelism: false, testTimeout: 240_000, hookTimeout: 240_000 },
  };
}
