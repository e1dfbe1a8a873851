import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PerKeyRateLimiter } from '../../../operator/queue/per-key-rate-limiter.ts';
import { TokenBucket } from '../../../operator/queue/token-bucket.ts';

describe('TokenBucket', () => {
  it('lets a burst through, then makes each wait for its own token', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3, now: () => 0 });
    expect([1, 2, 3, 4, 5].map(() => bucket.take())).toEqual([0, 0, 0, 100, 200]);
  });

  it('fills again with time, never above its burst', () => {
    let now = 0;
    const bucket = new TokenBucket({ perSecond: 10, burst: 3, now: () => now });
    for (let i = 0; i < 5; i++) bucket.take();
    now = 250;
    expect(bucket.take()).toBeCloseTo(50);
    now = 1_000_000;
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([0, 0, 0, 100]);
  });

  it('never lets through more than the burst and the rate allow, whenever it is asked', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(gaps, (millis) => {
        let now = 0;
        const bucket = new TokenBucket({ perSecond: 10, burst: 5, now: () => now });
        const passes = millis.map((gap) => {
          now += gap;
          return now + bucket.take();
        });
        passes.forEach((at, i) => {
          expect(i + 1).toBeLessThanOrEqual(5 + at / 100 + 1e-6);
        });
      }),
    );
  });
});

describe('PerKeyRateLimiter', () => {
  it('doubles from 5 ms to 1000 s for each failure in a row, and starts over when the key succeeds', () => {
    let now = 0;
    const rateLimiter = new PerKeyRateLimiter(() => now);
    const waits = Array.from({ length: 20 }, () => {
      now += 1000;
      return rateLimiter.next('a');
    });
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits.slice(-3)).toEqual([655_360, 1_000_000, 1_000_000]);
    expect(rateLimiter.next('b')).toBe(5);
    rateLimiter.forget('a');
    expect(rateLimiter.next('a')).toBe(5);
  });

  it('spreads keys that fail together: 100 at once, then 10 a second', () => {
    const rateLimiter = new PerKeyRateLimiter(() => 0);
    const waits = Array.from({ length: 130 }, (_, i) => rateLimiter.next(`key-${i}`));
    expect(new Set(waits.slice(0, 100))).toEqual(new Set([5]));
    expect(waits.slice(100, 103)).toEqual([100, 200, 300]);
    expect(waits.at(-1)).toBe(3000);
  });

  it('still knows its longest wait after thousands of failures', () => {
    let now = 0;
    const rateLimiter = new PerKeyRateLimiter(() => now);
    for (let i = 0; i < 3000; i++) {
      now += 1000;
      rateLimiter.next('a');
    }
    expect(rateLimiter.next('a')).toBe(1_000_000);
  });
});
