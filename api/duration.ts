import { z } from 'zod';
import { type Rule, withRules } from './rule.ts';

const UNIT_MILLIS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What a duration looks like: a whole number and one unit, as in 10s, 5m, 1h, 7d. */
export const DURATION_PATTERN = /^[0-9]{1,6}[smhd]$/;

/**
 * A field that holds a duration such as `10s`, `5m`, `1h` or `7d`; with bounds, one that lies between them.
 */
export function duration(description: string, least?: string, most?: string) {
  const text = z
    .string()
    .max(7)
    .regex(DURATION_PATTERN, 'must be a whole number and a unit: s, m, h or d (for example 10s, 5m, 1h, 7d)')
    .describe(description);
  return least && most ? withRules(text, [between(least, most)]) : text;
}

function between(least: string, most: string): Rule<string> {
  return {
    cel: `${celSeconds('self')} >= ${millis(least) / 1000} && ${celSeconds('self')} <= ${millis(most) / 1000}`,
    message: `must be from ${least} to ${most}`,
    holds: (text) => millis(text) >= millis(least) && millis(text) <= millis(most),
  };
}

/** The length of a duration in milliseconds; throws a RangeError when the text is not one. */
export function millis(text: string): number {
  if (!DURATION_PATTERN.test(text)) throw new RangeError(`not a duration: ${text}`);
  return Number(text.slice(0, -1)) * UNIT_MILLIS[text.slice(-1) as keyof typeof UNIT_MILLIS];
}

/**
 * CEL for the same length in seconds: `seconds('self.season')`. The API server's own duration() knows no
 * days.
 */
export function celSeconds(expression: string): string {
  const last = `size(${expression}) - 1`;
  return `int(${expression}.substring(0, ${last})) * {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[${expression}.substring(${last})]`;
}
