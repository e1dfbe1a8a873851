import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Starts the twelve idle minutes before all other tests, which then run beside them. */
export class IdleFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isIdle = ({ moduleId }: TestSpecification) => moduleId.endsWith('/operator/idle.test.ts');
    return [...sorted.filter(isIdle), ...sorted.filter((file) => !isIdle(file))];
  }
}
