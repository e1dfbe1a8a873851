import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../../../dashboard/web/timestamp.ts';

const MOMENT = Date.UTC(2026, 10, 22, 19, 52, 0, 123);

describe('a moment in a query', () => {
  it.each([
    ['epoch milliseconds', String(MOMENT)],
    ['ISO 8601 in UTC', '2026-11-22T19:52:00.123Z'],
    ['ISO 8601 east of UTC', '2026-11-22T21:22:00.123+01:30'],
    ['ISO 8601 west of UTC', '2026-11-22T14:52:00.123-05:00'],
    ['a zone whose + was not escaped', '2026-11-22T20:52:00.123 01:00'],
  ])('can be %s', (_, text) => {
    expect(parseTimestamp(text)).toBe(MOMENT);
  });

  it.each([
    ['without seconds', '2026-11-22T19:52Z', Date.UTC(2026, 10, 22, 19, 52)],
    ['the epoch', '0', 0],
  ])('can be %s', (_, text, millis) => {
    expect(parseTimestamp(text)).toBe(millis);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'yesterday'],
    ['a time without a zone', '2026-11-22T19:52:00'],
    ['a date', '2026-11-22'],
    ['a day that does not exist', '2026-02-30T00:00:00Z'],
    ['a negative number', '-1'],
    ['a fraction', '1.5'],
    ['a number as code has it', '1e12'],
    ['two moments', ['1', '2']],
  ])('cannot be %s', (_, text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});
