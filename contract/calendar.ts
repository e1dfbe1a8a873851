import { z } from 'zod';

/*
 * Seasons of a calendar: days, weeks and months of a time zone. The SQL, the dashboard and the resource's
 * rules have their boundaries from here.
 */

export const WEEK_DAYS = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;

export const calendar = z.strictObject({
  every: z.enum(['Day', 'Week', 'Month']),
  timeZone: z.string().refine(isTimeZone, 'must be a time zone, such as Europe/Berlin'),
  /** The first day of a week; only where seasons are weeks. */
  weekStart: z.enum(WEEK_DAYS).optional(),
});

export type Calendar = z.infer<typeof calendar>;

/** Whether it is the name of a time zone of the IANA database, such as Europe/Berlin. */
export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

const DAY = 86_400_000;
const HOUR = DAY / 24;

/**
 * From when until when the rules of time zones hold, in epoch milliseconds. The offset from UTC before is
 * that at the beginning, and after that at the end: nobody knows today's rules of times that far away.
 */
export const ZONE_RULES = { from: Date.UTC(2020, 0, 1), until: Date.UTC(2060, 0, 1) };

/** A value that holds from an instant on, until that of the next step; all in milliseconds. */
export interface Step {
  from: number;
  value: number;
}

/**
 * The offsets of a zone's local time from UTC, the first since ever. Where the clock is set back over a
 * midnight that it had already reached, the new offset holds only from when it reaches it again, so that no
 * day comes back.
 */
export function localOffsets(timeZone: string): Step[] {
  const known = OFFSETS.get(timeZone);
  if (known) return known;
  const steps = findOffsets(timeZone);
  OFFSETS.set(timeZone, steps);
  return steps;
}

const OFFSETS = new Map<string, Step[]>();

/** No zone changes its offset twice within it. */
const SCAN_STEP = 5 * DAY;

function findOffsets(timeZone: string): Step[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offsetAt = (instant: number) => parseOffset(format.format(instant));
  const steps = [{ from: Number.NEGATIVE_INFINITY, value: offsetAt(ZONE_RULES.from) }];
  for (let end = ZONE_RULES.from; end < ZONE_RULES.until; ) {
    const start = end;
    end = Math.min(start + SCAN_STEP, ZONE_RULES.until);
    const before = steps.at(-1)!.value;
    const value = offsetAt(end);
    if (value !== before)
      steps.push({ from: withoutDayAgain(findChange(start, end, offsetAt), before, value), value });
  }
  return steps;
}

/** `GMT+05:45`, or `GMT` alone, at the end of a date. */
function parseOffset(text: string): number {
  const [, sign, hours = '0', minutes = '0'] = /GMT(?:([+-])(\d+):(\d+))?$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * 60_000);
}

/** The first instant with the offset at the end; offsets change at whole seconds. */
function findChange(start: number, end: number, offsetAt: (instant: number) => number): number {
  const value = offsetAt(end);
  let [before, after] = [start / 1_000, end / 1_000];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle * 1_000) === value) after = middle;
    else before = middle;
  }
  return after * 1_000;
}

function withoutDayAgain(change: number, before: number, after: number): number {
  const reached = floorTo(DAY, change - 1 + before);
  return Math.max(change, reached - after);
}

function floorTo(length: number, time: number): number {
  return Math.floor(time / length) * length;
}

function valueAt(steps: Step[], instant: number): number {
  return steps.findLast(({ from }) => from <= instant)!.value;
}

/** How many days after the epoch's day, a Thursday, the first week begins. */
export function firstWeekDay({ weekStart = 'Monday' }: Calendar): number {
  return (WEEK_DAYS.indexOf(weekStart) - WEEK_DAYS.indexOf('Thursday') + 7) % 7;
}

/** The local time at which the season of a local time begins. Local times are milliseconds as of UTC. */
function floorLocal(calendar: Calendar, local: number): number {
  if (calendar.every === 'Day') return floorTo(DAY, local);
  if (calendar.every === 'Week') {
    const first = firstWeekDay(calendar) * DAY;
    return floorTo(7 * DAY, local - first) + first;
  }
  const date = new Date(local);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** The first local time of the next season. */
function nextLocal(calendar: Calendar, localStart: number): number {
  if (calendar.every !== 'Month') return localStart + (calendar.every === 'Day' ? DAY : 7 * DAY);
  const date = new Date(localStart);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** The first instant at which it is a local time, or later where the clock leaps over it. */
function toInstant(steps: Step[], local: number): number {
  const instantIn = ({ from, value }: Step) => Math.max(from, local - value);
  return instantIn(
    steps.find((step, i) => instantIn(step) < (steps[i + 1]?.from ?? Number.POSITIVE_INFINITY))!,
  );
}

/** When the season of an instant begins; epoch milliseconds both. */
export function seasonStart(calendar: Calendar, instant: number): number {
  const steps = localOffsets(calendar.timeZone);
  return toInstant(steps, floorLocal(calendar, instant + valueAt(steps, instant)));
}

/** When the season of an instant ends, which is when the next one begins; epoch milliseconds both. */
export function seasonEnd(calendar: Calendar, instant: number): number {
  const steps = localOffsets(calendar.timeZone);
  const local = floorLocal(calendar, instant + valueAt(steps, instant));
  return toInstant(steps, nextLocal(calendar, local));
}

/**
 * By how much the local time at which a season begins is ahead of the instant at which it does, for the
 * season of each instant. With it, the start of a season is arithmetic: the local time of the instant, cut to
 * its day, week or month, less this.
 */
export function startOffsets(calendar: Calendar): Step[] {
  const steps = localOffsets(calendar.timeZone);
  return offsetsBySeason(calendar, (start) => floorLocal(calendar, start + valueAt(steps, start)) - start);
}

/** The same of the end: that of the local time is the start's and a day, a week or a month. */
export function endOffsets(calendar: Calendar): Step[] {
  const steps = localOffsets(calendar.timeZone);
  return offsetsBySeason(calendar, (start) => {
    const local = floorLocal(calendar, start + valueAt(steps, start));
    return nextLocal(calendar, local) - seasonEnd(calendar, start);
  });
}

/** A value of each season, where it differs only around changes of the clock. */
function offsetsBySeason(calendar: Calendar, offsetOf: (start: number) => number): Step[] {
  const [first, ...changes] = localOffsets(calendar.timeZone);
  const starts = changes.flatMap(({ from }) => {
    const start = seasonStart(calendar, from);
    return [seasonStart(calendar, start - 1), start, seasonEnd(calendar, from)];
  });
  starts.sort((a, b) => a - b);
  const all = [first!, ...starts.map((from) => ({ from, value: offsetOf(from) }))];
  return all.filter(({ value }, i) => value !== all[i - 1]?.value);
}

/** The longest season, in milliseconds. Clocks are set back by at most three hours, in Antarctica/Casey. */
export function longestSeasonMillis({ every }: Pick<Calendar, 'every'>): number {
  return { Day: DAY, Week: 7 * DAY, Month: 31 * DAY }[every] + 3 * HOUR;
}
