import type { Column, Period } from '../../contract/board.ts';
import { MAX_EPOCH_MILLIS, MOST_SCORE_DECIMALS } from '../../contract/event.ts';
import type { Value } from '../boards/record.ts';

/** What stands for a value that is not there. */
const NOTHING = '–';

const NUMBER_FORMATS = {
  integer: numberFormats({ maximumFractionDigits: 0 }),
  factor: numberFormats({ minimumFractionDigits: 2, maximumFractionDigits: 2 }, '×'),
  percent: numberFormats({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
};

const DEFAULT_DECIMALS = 2;
/** By how many decimals they show. */
const DECIMAL_FORMATS = Array.from({ length: MOST_SCORE_DECIMALS + 1 }, (_, decimals) =>
  numberFormats({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
);

function numberFormats(options: Intl.NumberFormatOptions, unit = '') {
  const format = (more: Intl.NumberFormatOptions) => {
    const numbers = new Intl.NumberFormat('en', { ...options, ...more });
    return (value: number) => `${numbers.format(value)}${unit}`;
  };
  return {
    exact: format({}),
    compact: format({ notation: 'compact', maximumSignificantDigits: 3 }),
    // For numbers that are not exact, and can have 309 digits.
    huge: format({
      notation: 'scientific',
      minimumFractionDigits: Math.min(options.minimumFractionDigits ?? 0, 2),
      maximumFractionDigits: 2,
    }),
  };
}

/** A text that is no longer needs no compact form. */
const MAX_SHORT_LENGTH = 7;

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

/** A value as its cell shows it. */
export interface Cell {
  /** Thousands separated, ratios as percent. */
  text: string;
  /** The same in three digits, for where there is little room; undefined where the text is short. */
  compact: string | undefined;
  /** Of a time. */
  at: Timestamp | undefined;
}

/** @param decimals how many a `decimal` shows */
export function formatCell(type: Column['type'], value: Value, decimals = DEFAULT_DECIMALS): Cell {
  const plain = (text: string): Cell => ({ text, compact: undefined, at: undefined });
  if (value === undefined || INVISIBLE.test(String(value))) return plain(NOTHING);
  if (type === 'text' || typeof value === 'string') return plain(String(value));
  if (type === 'time') {
    if (Math.abs(value) > MAX_EPOCH_MILLIS) return plain(NOTHING);
    const at = timestamp(value, 'second');
    return { ...plain(at.text), at };
  }
  const { exact, compact, huge } = type === 'decimal' ? DECIMAL_FORMATS[decimals]! : NUMBER_FORMATS[type];
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return plain(huge(value));
  const text = exact(value);
  return { ...plain(text), compact: text.length > MAX_SHORT_LENGTH ? compact(value) : undefined };
}

/** A value in words. */
export function formatValue(type: Column['type'], value: Value, decimals?: number): string {
  return formatCell(type, value, decimals).text;
}

/** A share, 0..1, of which there is some: what would be shown as 0.0% is not nothing. */
export function formatShare(share: number | undefined): string {
  const least = 0.001;
  if (!share || share >= least) return formatValue('percent', share);
  return `<${formatValue('percent', least)}`;
}

/** Events per second: with a decimal where it matters. */
export function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return NOTHING;
  return RATE_FORMATS[perSecond < 10 ? 'small' : 'large'].format(perSecond);
}

/** A duration in seconds with one decimal, from milliseconds. */
export function formatSeconds(millis: number | undefined): string {
  return millis === undefined ? NOTHING : `${RATE_FORMATS.small.format(millis / 1000)} s`;
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

/**
 * Formats the beginnings of a board's seasons (epoch milliseconds) as people name the seasons: the day, the
 * week or the month of a calendar in its own time zone, and otherwise the moment.
 */
export function seasonFormat(period: Period): (startMillis: number) => Timestamp {
  if (period?.kind !== 'season' || !period.calendar) return (startMillis) => timestamp(startMillis, 'minute');
  const { every, timeZone } = period.calendar;
  const dates = new Intl.DateTimeFormat('en-GB', { ...DATES[every], timeZone });
  return (startMillis) => {
    const date = dates.format(startMillis);
    return { ...timestamp(startMillis, 'minute'), text: every === 'Week' ? `Week of ${date}` : date };
  };
}

const DATES = {
  Day: { weekday: 'short', day: 'numeric', month: 'short' },
  Week: { day: 'numeric', month: 'short' },
  Month: { month: 'long', year: 'numeric' },
} as const;
