import { Temporal } from 'temporal-polyfill';
import { type Calendar, WEEK_DAYS, ZONE_RULES } from '../../contract/calendar.ts';

/** A season of a calendar, in epoch milliseconds. */
export interface CalendarSeason {
  start: number;
  end: number;
}

/**
 * The season of an instant, by Temporal. Beyond the years of zone rules, the zone's offset at their edge
 * holds.
 */
export function calendarSeason(
  { every, weekStart = 'Monday', timeZone }: Calendar,
  instant: number,
): CalendarSeason {
  const zoned = toZoned(instant, timeZone);
  const date = zoned.toPlainDate();
  const first = {
    Day: date,
    Week: date.subtract({ days: (date.dayOfWeek - WEEK_DAYS.indexOf(weekStart) + 7) % 7 }),
    Month: date.with({ day: 1 }),
  }[every];
  const next = first.add({ Day: { days: 1 }, Week: { weeks: 1 }, Month: { months: 1 } }[every]);
  return { start: midnight(first, timeZone), end: midnight(next, timeZone) };
}

function toZoned(instant: number, timeZone: string): Temporal.ZonedDateTime {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  return instant >= ZONE_RULES.from && instant < ZONE_RULES.until
    ? zoned
    : zoned.withTimeZone(offsetAtEdge(instant, timeZone));
}

function midnight(date: Temporal.PlainDate, timeZone: string): number {
  const start = date.toZonedDateTime(timeZone).epochMilliseconds;
  return start >= ZONE_RULES.from && start < ZONE_RULES.until
    ? start
    : date.toZonedDateTime(offsetAtEdge(start, timeZone)).epochMilliseconds;
}

function offsetAtEdge(instant: number, timeZone: string): string {
  const edge = instant < ZONE_RULES.from ? ZONE_RULES.from : ZONE_RULES.until;
  return Temporal.Instant.fromEpochMilliseconds(edge).toZonedDateTimeISO(timeZone).offset;
}
