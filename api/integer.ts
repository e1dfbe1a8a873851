import { z } from 'zod';

/**
 * A field that holds a whole number. Not zod's own int(): that one, met by a fraction, silences the rules of
 * everything around it, and one run should report every problem.
 */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  return z
    .number()
    .min(least)
    .max(most)
    .refine(Number.isInteger, 'must be a whole number')
    .meta({ type: 'integer' });
}
