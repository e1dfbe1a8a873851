import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../../api/status.ts';
import type { ResourceEvent } from '../../../../lib/kubernetes.ts';
import {
  type ConditionStates,
  conditionEvents,
  conditionFalse,
  conditionTrue,
  updateConditions,
} from '../../../../operator/controller/status.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds, 123));
const RUNNING: ConditionStates = {
  Ready: conditionTrue('Ready', 'live'),
  JobRunning: conditionTrue('Running', 'runs'),
};
const FAILED: ConditionStates = {
  Ready: conditionFalse('Failed', 'JobRunning: x'),
  JobRunning: conditionFalse('Failed', 'x'),
};
const CONFLICT: ConditionStates = {
  ...RUNNING,
  FieldConflict: conditionTrue('FieldManagerConflict', 'kubectl had changed it'),
};

const first = updateConditions([], RUNNING, 1, at(1));
const find = (conditions: Condition[], type: string) =>
  conditions.find((condition) => condition.type === type);

describe('conditions', () => {
  it('carry the generation that they describe, and begin at once', () => {
    expect(find(first, 'Ready')).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: 'live',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:01Z',
    });
  });

  it('have a transition time that moves only when the status flips', () => {
    const same = updateConditions(
      first,
      { ...RUNNING, Ready: conditionTrue('Ready', 'other words') },
      2,
      at(2),
    );
    expect(find(same, 'Ready')).toMatchObject({
      message: 'other words',
      lastTransitionTime: '2026-01-01T00:00:01Z',
    });
    const flipped = updateConditions(same, FAILED, 2, at(3));
    expect(find(flipped, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:00:03Z');
  });

  it('that are left out stay as they were', () => {
    const after = updateConditions(first, { Ready: conditionFalse('InvalidSpec', 'no') }, 2, at(2));
    expect(find(after, 'JobRunning')).toEqual(find(first, 'JobRunning'));
  });

  it('remember a conflict until the spec changes', () => {
    const conflict = updateConditions(first, CONFLICT, 1, at(2));
    const later = updateConditions(conflict, RUNNING, 1, at(3));
    expect(find(later, 'FieldConflict')).toEqual(find(conflict, 'FieldConflict'));
    expect(find(updateConditions(later, RUNNING, 2, at(4)), 'FieldConflict')).toBeUndefined();
  });

  it('never have a message that the schema refuses', () => {
    const [condition] = updateConditions(
      [],
      { Ready: conditionFalse('InvalidSpec', 'x'.repeat(50_000)) },
      1,
      at(1),
    );
    expect(condition?.message.length).toBeLessThan(32_768);
  });
});

describe('events', () => {
  const told = (before: Condition[], states: ConditionStates): ResourceEvent[] =>
    conditionEvents(before, updateConditions(before, states, 1, at(9)));
  const reasons = (notices: ResourceEvent[]) => notices.map(({ type, reason }) => `${type} ${reason}`);

  it('tell when a pipeline becomes ready, once', () => {
    expect(reasons(told([], RUNNING))).toEqual(['Normal Ready']);
    expect(told(first, RUNNING)).toEqual([]);
  });

  it('tell of a failure once, not again by the summary or with other words', () => {
    expect(reasons(told(first, FAILED))).toEqual(['Warning Failed']);
    const failed = updateConditions(first, FAILED, 1, at(2));
    expect(told(failed, { ...FAILED, JobRunning: conditionFalse('Failed', 'y') })).toEqual([]);
  });

  it('tell of nothing that passes by itself', () => {
    const pending = {
      Ready: conditionFalse('Progressing', ''),
      TopicsReady: conditionFalse('Progressing', ''),
    };
    expect(told(first, pending)).toEqual([]);
  });

  it('do not fail on a condition that stays with a reason of an earlier version', () => {
    const former = first.map((condition) =>
      condition.type === 'JobRunning' ? { ...condition, reason: 'Former' } : condition,
    );
    const invalid = { Ready: conditionFalse('InvalidSpec', 'a') };
    expect(reasons(told(former, invalid))).toEqual(['Warning InvalidSpec']);
    expect(reasons(told(former, { JobRunning: conditionFalse('Failed', 'x') }))).toEqual(['Warning Failed']);
  });

  it('tell of each other conflict and each other mistake', () => {
    const conflict = updateConditions(first, CONFLICT, 1, at(2));
    expect(told(conflict, CONFLICT)).toEqual([]);
    expect(
      reasons(
        told(conflict, {
          ...CONFLICT,
          FieldConflict: conditionTrue('FieldManagerConflict', 'argo had changed it'),
        }),
      ),
    ).toEqual(['Warning FieldManagerConflict']);
    const invalid = updateConditions(first, { Ready: conditionFalse('InvalidSpec', 'a') }, 1, at(2));
    expect(reasons(told(invalid, { Ready: conditionFalse('InvalidSpec', 'b') }))).toEqual([
      'Warning InvalidSpec',
    ]);
  });
});
