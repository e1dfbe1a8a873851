import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../../api/status.ts';
import { type Notice, noticesOf } from '../../../../operator/pipeline/notices.ts';
import { type Verdicts, withVerdicts } from '../../../../operator/pipeline/status.ts';
import { fails, holds } from '../../../../operator/pipeline/verdict.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds, 123));
const RUNNING: Verdicts = { Ready: holds('Ready', 'live'), JobRunning: holds('Running', 'runs') };
const FAILED: Verdicts = { Ready: fails('Failed', 'JobRunning: x'), JobRunning: fails('Failed', 'x') };
const CONFLICT: Verdicts = {
  ...RUNNING,
  FieldConflict: holds('FieldManagerConflict', 'kubectl had changed it'),
};

const first = withVerdicts([], RUNNING, 1, at(1));
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
    const same = withVerdicts(first, { ...RUNNING, Ready: holds('Ready', 'other words') }, 2, at(2));
    expect(find(same, 'Ready')).toMatchObject({
      message: 'other words',
      lastTransitionTime: '2026-01-01T00:00:01Z',
    });
    const flipped = withVerdicts(same, FAILED, 2, at(3));
    expect(find(flipped, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:00:03Z');
  });

  it('that are left out stay as they were', () => {
    const after = withVerdicts(first, { Ready: fails('InvalidSpec', 'no') }, 2, at(2));
    expect(find(after, 'JobRunning')).toEqual(find(first, 'JobRunning'));
  });

  it('remember a conflict until the spec changes', () => {
    const conflict = withVerdicts(first, CONFLICT, 1, at(2));
    const later = withVerdicts(conflict, RUNNING, 1, at(3));
    expect(find(later, 'FieldConflict')).toEqual(find(conflict, 'FieldConflict'));
    expect(find(withVerdicts(later, RUNNING, 2, at(4)), 'FieldConflict')).toBeUndefined();
  });

  it('never have a message that the schema refuses', () => {
    const [condition] = withVerdicts([], { Ready: fails('InvalidSpec', 'x'.repeat(50_000)) }, 1, at(1));
    expect(condition?.message.length).toBeLessThan(32_768);
  });
});

describe('events', () => {
  const told = (before: Condition[], verdicts: Verdicts): Notice[] =>
    noticesOf(before, withVerdicts(before, verdicts, 1, at(9)));
  const reasons = (notices: Notice[]) => notices.map(({ type, reason }) => `${type} ${reason}`);

  it('tell when a pipeline becomes ready, once', () => {
    expect(reasons(told([], RUNNING))).toEqual(['Normal Ready']);
    expect(told(first, RUNNING)).toEqual([]);
  });

  it('tell of a failure once, not again by the summary or with other words', () => {
    expect(reasons(told(first, FAILED))).toEqual(['Warning Failed']);
    const failed = withVerdicts(first, FAILED, 1, at(2));
    expect(told(failed, { ...FAILED, JobRunning: fails('Failed', 'y') })).toEqual([]);
  });

  it('tell of nothing that passes by itself', () => {
    const pending = { Ready: fails('Pending', ''), TopicsReady: fails('Pending', '') };
    expect(told(first, pending)).toEqual([]);
  });

  it('tell of each other conflict and each other mistake', () => {
    const conflict = withVerdicts(first, CONFLICT, 1, at(2));
    expect(told(conflict, CONFLICT)).toEqual([]);
    expect(
      reasons(
        told(conflict, { ...CONFLICT, FieldConflict: holds('FieldManagerConflict', 'argo had changed it') }),
      ),
    ).toEqual(['Warning FieldManagerConflict']);
    const invalid = withVerdicts(first, { Ready: fails('InvalidSpec', 'a') }, 1, at(2));
    expect(reasons(told(invalid, { Ready: fails('InvalidSpec', 'b') }))).toEqual(['Warning InvalidSpec']);
  });
});
