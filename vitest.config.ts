import { defineConfig } from 'vitest/config';
import { QUICK_START } from './local/process/java.ts';

const IDLE = 'test/operator/idle.test.ts';
/** They need no cluster, only Flink's planner. */
const SQL = ['test/pipeline/explain.test.ts', 'test/pipeline/validate-sql.test.ts'];

/** For tests that wait for other programs, each step with a limit of its own, on a slow and busy machine. */
const PATIENCE = { testTimeout: 480_000, hookTimeout: 480_000 };

/** The tiers, which test/README.md describes. */
export default defineConfig({
  test: {
    // kafkajs sets timers with times that have passed; Node would warn of each.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    reporters: ['default', './testkit/failures-last.ts'],
    // Of the unit tests alone: the other tiers run programs as processes, where it is not seen.
    coverage: {
      include: [
        '{api,cli,contract,dashboard,injector,kafka,lib,local,operator,plan,registry,results,history,schema}/**/*.ts',
      ],
      reporter: ['text-summary'],
      reportsDirectory: 'test-output/coverage',
      thresholds: { statements: 74, branches: 74, functions: 74, lines: 74 },
    },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, maxWorkers: 2 } },
      onApiServer('operator', { include: ['test/operator/**/*.test.ts'], exclude: [IDLE], maxWorkers: 2 }),
      onApiServer('idle', { include: [IDLE] }),
      tier('sql', { include: SQL }),
      tier('images', { include: ['test/images/**/*.test.ts'] }),
      // Alone, each leaves a part of two cores unused, waiting for Flink.
      tier('pipeline', { include: ['test/pipeline/**/*.test.ts'], exclude: SQL, maxWorkers: 2 }),
      tier('browser', { include: ['test/browser/**/*.test.ts'] }),
    ],
  },
});

interface Files {
  include: string[];
  exclude?: string[];
  /** How many of them run at once. */
  maxWorkers?: number;
}

/** A tier with one API server for all files, each in namespaces of its own. */
function onApiServer(name: string, files: Files) {
  const globalSetup = 'testkit/cluster/shared.ts';
  return { test: { name, ...files, globalSetup, ...PATIENCE } };
}

/** A tier that starts JVMs. None lives long, and several share two cores: one thread collects the garbage. */
function tier(name: string, files: Files) {
  const env = { JAVA_TOOL_OPTIONS: [...QUICK_START, '-XX:+UseSerialGC'].join(' ') };
  return { test: { name, maxWorkers: 1, ...files, env, ...PATIENCE } };
}
