import { expect, it } from 'vitest';
import { combine, type Problem } from '../../../../operator/controller/apply.ts';
import { conditionFalse } from '../../../../operator/controller/status.ts';

it('of each component, the first problem of all steps speaks; all conflicts are kept', () => {
  const problem = (component: Problem['component'], message: string): Problem => ({
    component,
    condition: conditionFalse('ApplyFailed', message),
  });
  const conflict = (manager: string) => ({ manager, field: 'spec', object: 'Service a' });
  expect(
    combine([
      { conflicts: [conflict('a')], problems: [problem('users', '1'), problem('topics', '2')] },
      { conflicts: [conflict('b')], problems: [problem('topics', '3'), problem('flink', '4')] },
    ]),
  ).toEqual({
    conflicts: [conflict('a'), conflict('b')],
    problems: [problem('users', '1'), problem('topics', '2'), problem('flink', '4')],
  });
});
