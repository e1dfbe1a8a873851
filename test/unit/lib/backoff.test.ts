import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../lib/backoff.ts';

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

describe('the back-off', () => {
  it('doubles from the first wait to the limit', () => {
    expect(waits(new Backoff(800, 30_000, () => 0), 8)).toEqual([
      800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('spreads each wait by chance, but not over the limit', () => {
    expect(waits(new Backoff(800, 30_000, () => 0.5), 7)).toEqual([
      1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000,
    ]);
  });

  it('starts over when it worked again', () => {
    const backoff = new Backoff(800, 30_000, () => 0);
    waits(backoff, 5);
    backoff.reset();
    expect(backoff.next()).toBe(800);
  });

  it('stays at the limit however often it failed', () => {
    expect(waits(new Backoff(800, 30_000, () => 0), 5_000).at(-1)).toBe(30_000);
  });
});
