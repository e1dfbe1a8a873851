import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis } from '../../../api/duration.ts';

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['999999d', 86_399_913_600_000],
  ])('%s is %d milliseconds', (text, expected) => {
    expect(millis(text)).toBe(expected);
  });

  it.each(['', 's', '10', '10 s', '-1s', '1.5h', '1w', '1h30m', '1000000s', '１s', '1s\n'])(
    '%j is none',
    (text) => {
      expect(() => millis(text)).toThrow(RangeError);
    },
  );

  it('is an exact number of milliseconds, whatever its length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999 }),
        fc.constantFrom('s', 'm', 'h', 'd'),
        (count, unit) => {
          expect(Number.isSafeInteger(millis(`${count}${unit}`))).toBe(true);
        },
      ),
    );
  });
});
