import { defineConfig } from 'vitest/config';

/** The tiers: unit needs nothing; pipeline starts real Kafka and Flink; browser a real Chromium before a whole pipeline. */
export default defineConfig({
  test: {
    // kafkajs sets timers with times that have passed; Node would warn of each.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
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
