import { describe, expect, it } from 'vitest';
import { Progress } from '../../../injector/progress.ts';

describe('Progress', () => {
  it('is not ready before the first acknowledgement, and says what it waits for', () => {
    const progress = new Progress(0);
    expect(progress.unreadiness(0)).toBe('waiting for the first event');
    progress.waiting('topic scores: it does not exist');
    expect(progress.unreadiness(0)).toBe('waiting for topic scores: it does not exist');
    progress.accept(1, 10);
    progress.acknowledge();
    expect(progress.unreadiness(20)).toBeUndefined();
  });

  it('stays ready however long a slow game has nothing to send', () => {
    const progress = new Progress(0);
    progress.accept(1, 0);
    progress.acknowledge();
    expect(progress.unreadiness(10 * 60_000)).toBeUndefined();
  });

  it('is not ready while a batch has been waiting for more than 30 s', () => {
    const progress = new Progress(0);
    progress.accept(1, 0);
    progress.acknowledge();
    progress.accept(5, 1000);
    expect(progress.unreadiness(31_000)).toBeUndefined();
    expect(progress.unreadiness(32_000)).toBe('no acknowledgement for 31 s');
    expect(progress.pending).toBe(5);
    progress.acknowledge();
    expect(progress.unreadiness(32_000)).toBeUndefined();
    expect(progress.pending).toBe(0);
  });

  it('reports rate and newest error since the last report, and totals since the start', () => {
    const progress = new Progress(0);
    progress.accept(100, 0);
    progress.acknowledge();
    progress.fail('first');
    progress.fail('second');
    expect(progress.report(5000)).toEqual({
      state: 'sending',
      eventsPerSecond: 20,
      total: 100,
      errors: 2,
      error: 'second',
    });
    progress.accept(50, 6000);
    expect(progress.report(10_000)).toEqual({
      state: 'no acknowledgement for 4 s',
      eventsPerSecond: 0,
      total: 100,
      errors: 2,
    });
  });
});
