import { describe, expect, it } from 'vitest';
import { combine, type Problem } from '../../../../operator/controller/apply.ts';
import { conditionFalse } from '../../../../operator/controller/status.ts';

describe('of several steps', () => {
  const problem = (component: Problem['component'], message: string): Problem => ({
    component,
    condition: conditionFalse('ApplyFailed', message),
  });
  const wait = (component: Problem['component'], message: string): Problem => ({
    component,
    condition: conditionFalse('Progressing', message),
  });

  it('the first problem of each component speaks, and all conflicts are kept', () => {
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

  it('a failure speaks for its component, although an earlier object takes its time', () => {
    expect(
      combine([
        { conflicts: [], problems: [wait('users', '1'), wait('users', '2'), wait('topics', '3')] },
        { conflicts: [], problems: [problem('users', '4'), problem('users', '5')] },
      ]).problems,
    ).toEqual([problem('users', '4'), wait('topics', '3')]);
  });
});
