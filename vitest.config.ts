import { defineConfig } from 'vitest/config';
import { QUICK_START } from './local/process/java.ts';

const IDLE = 'test/operator/idle.test.ts';
/** They need no cluster, only Flink's planner. */
const SQL = ['test/pipeline/explain.test.ts', 'test/pipeline/validate-sql.test.ts'];

/** The tiers, which test/README.md describes. */
export default defineConfig({
  test: {
    // kafkajs sets timers with times that have passed; Node would warn of each.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    // Of the unit tests alone: the other tiers run programs as processes, where it is not seen.
    coverage: {
      include: ['{api,cli,contract,dashboard,injector,kafka,lib,local,operator,plan,results}/**/*.ts'],
      reporter: ['text-summary'],
      reportsDirectory: 'test-output/coverage',
      thresholds: { statements: 74, branches: 74, functions: 74, lines: 74 },
    },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      onApiServer('operator', { include: ['test/operator/**/*.test.ts'], exclude: [IDLE], maxWorkers: 2 }),
      onApiServer('idle', { include: [IDLE] }),
      tier('sql', SQL),
      tier('images', ['test/images/**/*.test.ts']),
      tier('pipeline', ['test/pipeline/**/*.test.ts'], SQL),
      tier('browser', ['test/browser/**/*.test.ts']),
    ],
  },
});

/** A tier with one API server for all files, each in namespaces of its own. */
function onApiServer(name: string, files: { include: string[]; exclude?: string[]; maxWorkers?: number }) {
  const globalSetup = 'testkit/cluster/shared.ts';
  return { test: { name, ...files, globalSetup, testTimeout: 120_000, hookTimeout: 120_000 } };
}

/** A tier that starts JVMs, none of which lives long: one file at a time, with time for a slow machine. */
function tier(name: string, include: string[], exclude: string[] = []) {
  return {
    test: {
      name,
      include,
      exclude,
      env: { JAVA_TOOL_OPTIONS: QUICK_START.join(' ') },
      fileParallelism: false,
      testTimeout: 240_000,
      hookTimeout: 240_000,
    },
  };
}
