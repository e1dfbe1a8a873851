import { z } from 'zod';

const TO_THE_MINUTE = -1;

const isoTimestamp = z.union([
  z.iso.datetime({ offset: true }),
  z.iso.datetime({ offset: true, precision: TO_THE_MINUTE }),
]);
const EPOCH_MILLIS = /^\d{1,16}$/;

/** In a query, `+` stands for a space: the sign of a zone arrives as one. */
const ZONE_WITHOUT_SIGN = / (?=\d\d:\d\d$)/;

/** What to say of a timestamp that is none. */
export const INVALID_TIMESTAMP =
  'at must be epoch milliseconds, or ISO 8601 with a zone, such as 2026-11-22T19:52:00Z';

/**
 * Reads a timestamp from a URL's query.
 *
 * @returns epoch milliseconds; undefined when it is none
 */
export function parseTimestamp(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  if (EPOCH_MILLIS.test(text)) return Number(text);
  const iso = isoTimestamp.safeParse(text.replace(ZONE_WITHOUT_SIGN, '+'));
  return iso.success ? Date.parse(iso.data) : undefined;
}

/** A time as the API has it: ISO 8601 in UTC. */
export function iso(millis: number): string;
export function iso(millis: number | undefined): string | undefined;
export function iso(millis: number | undefined): string | undefined {
  return millis === undefined ? undefined : new Date(millis).toISOString();
}
