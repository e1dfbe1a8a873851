import { z } from 'zod';

const UNIT_MILLIS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What a duration looks like: a whole number and one unit, as in 10s, 5m, 1h, 7d. */
export const DURATION_PATTERN = /^[0-9]{1,6}[smhd]$/;

/** A field that holds a duration such as `10s`, `5m`, `1h` or `7d`. */
export function duration(description: string) {
  return z
    .string()
    .max(7)
    .regex(DURATION_PATTERN, 'must be a whole number and a unit: s, m, h or d (for example 10s, 5m, 1h, 7d)')
    .describe(description);
}

/** The length of a duration in milliseconds; throws a RangeError when the text is not one. */
export function millis(text: string): number {
  if (!DURATION_PATTERN.test(text)) throw new RangeError(`not a duration: ${text}`);
  return Number(text.slice(0, -1)) * UNIT_MILLIS[text.slice(-1) as keyof typeof UNIT_MILLIS];
}

/** CEL for the same length in seconds: `seconds('self.season')`. The API server's own duration() knows no days. */
export function celSeconds(expression: string): string {
  const last = `size(${expression}) - 1`;
  return `int(${expression}.substring(0, ${last})) * {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[${expression}.substring(${last})]`;
}
