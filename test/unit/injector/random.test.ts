import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdSource } from '../../../injector/ids.ts';
import { Random } from '../../../injector/random.ts';

describe('Random', () => {
  it('gives the same numbers for the same seed and others for its neighbor', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (seed) => {
        const draw = (from: number) => {
          const random = new Random(from);
          return Array.from({ length: 20 }, () => random.uint32());
        };
        expect(draw(seed)).toEqual(draw(seed));
        expect(draw(seed)).not.toEqual(draw(seed + 1));
      }),
    );
  });

  it('draws evenly', () => {
    const random = new Random(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.integer(0, 9)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('waits exponentially: as long as the mean on average, longer than it in 37 % of cases', () => {
    const random = new Random(2);
    const waits = Array.from({ length: 100_000 }, () => random.exponential(5));
    expect(waits.reduce((sum, wait) => sum + wait) / waits.length).toBeCloseTo(5, 1);
    expect(waits.filter((wait) => wait > 5).length / waits.length).toBeCloseTo(Math.exp(-1), 2);
    expect(waits.every((wait) => wait >= 0 && Number.isFinite(wait))).toBe(true);
  });
});

describe('IdSource', () => {
  it('does not repeat an id in many', () => {
    const ids = new IdSource(new Random(3));
    const seen = new Set<string>();
    for (let i = 0; i < 200_000; i++) seen.add(ids.next('USR'));
    expect(seen.size).toBe(200_000);
  });
});
