import type { Column } from '../boards/definition.ts';
import type { Value } from '../boards/record.ts';

/** What stands for a value that is not there. */
const NOTHING = '–';

const DECIMAL = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const NUMBER_FORMATS: Record<Exclude<Column['type'], 'text'>, Pick<Intl.NumberFormat, 'format'>> = {
  integer: new Intl.NumberFormat('en', { maximumFractionDigits: 0 }),
  decimal: DECIMAL,
  factor: { format: (value) => `${DECIMAL.format(Number(value))}×` },
  time: { format: (value) => timestamp(Number(value), 'second').text },
  percent: new Intl.NumberFormat('en', {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  }),
};

const CLOCK = { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' } as const;
const TIMESTAMP_FORMATS = {
  second: new Intl.DateTimeFormat('en-GB', { ...CLOCK, second: '2-digit' }),
  minute: new Intl.DateTimeFormat('en-GB', { ...CLOCK, day: 'numeric', month: 'short' }),
};

const RATE_FORMATS = {
  small: new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  large: new Intl.NumberFormat('en', { maximumFractionDigits: 0 }),
};

/** Nothing an eye could see: controls, zero-width characters, spaces, marks without a letter. */
const INVISIBLE = /^[\p{C}\p{Z}\p{M}]*$/u;

/** A value as its column shows it: thousands separated, ratios as percent. */
export function formatValue(type: Column['type'], value: Value): string {
  if (value === null || INVISIBLE.test(String(value))) return NOTHING;
  return type === 'text' || typeof value === 'string' ? String(value) : NUMBER_FORMATS[type].format(value);
}

/** Events per second: with a decimal where it matters. */
export function formatRate(perSecond: number): string {
  return RATE_FORMATS[perSecond < 10 ? 'small' : 'large'].format(perSecond);
}

/** A duration in seconds with one decimal, from milliseconds. */
export function formatSeconds(millis: number | null): string {
  return millis === null ? NOTHING : `${RATE_FORMATS.small.format(millis / 1000)} s`;
}

/**
 * A moment for the page: exact for machines, short and in UTC for people without JavaScript. Relative wording
 * ("2 s ago") belongs to the browser, so that what is rendered here stays true however long it is kept.
 */
export interface Timestamp {
  millis: number;
  iso: string;
  text: string;
}

/** @param millis epoch milliseconds; `second` leaves out the date, for moments that are just now */
export function timestamp(millis: number, precision: 'second' | 'minute'): Timestamp {
  const date = new Date(millis);
  return { millis, iso: date.toISOString(), text: `${TIMESTAMP_FORMATS[precision].format(date)} UTC` };
}
