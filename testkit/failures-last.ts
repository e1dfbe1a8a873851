import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

const MOST_CHARACTERS = 1_000;

/** Says at the end once more what failed, and why: of a long log, readers of CI get the last lines. */
export default class FailuresLast implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const { children } of modules) {
      for (const suite of children.allSuites()) print(suite, suite.errors());
      for (const test of children.allTests('failed')) print(test, test.result().errors ?? []);
    }
  }
}

function print({ module, fullName }: TestSuite | TestCase, errors: readonly { message: string }[]) {
  for (const { message } of errors)
    process.stderr.write(
      `failed: ${module.relativeModuleId} ${fullName}: ${message.slice(0, MOST_CHARACTERS)}\n`,
    );
}
