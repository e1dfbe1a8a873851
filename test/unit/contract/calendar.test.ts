import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Calendar,
  calendar,
  endOffsets,
  isTimeZone,
  localOffsets,
  longestSeasonMillis,
  type Step,
  seasonEnd,
  seasonStart,
  startOffsets,
  WEEK_DAYS,
  ZONE_RULES,
} from '../../../contract/calendar.ts';
import { EVENT_TIME } from '../../../contract/event.ts';
import { calendarSeason } from '../../../testkit/oracle/calendar.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONES = Intl.supportedValuesOf('timeZone');

const seasons = (calendar: Calendar, instant: number) => ({
  start: seasonStart(calendar, instant),
  end: seasonEnd(calendar, instant),
});

/** Calendars of all shapes; many are of zones whose clocks change. */
function calendars(): fc.Arbitrary<Calendar> {
  const timeZone = fc.oneof(
    fc.constantFrom(...ZONES),
    fc.constantFrom(...ZONES.filter((zone) => localOffsets(zone).length > 1)),
  );
  return fc.oneof(
    fc.record({ every: fc.constantFrom('Day' as const, 'Month' as const), timeZone }),
    fc.record({ every: fc.constant('Week' as const), timeZone, weekStart: fc.constantFrom(...WEEK_DAYS) }),
  );
}

/** Instants of all years, many around a change of the zone's clock. */
function calendarsAndInstants(): fc.Arbitrary<[Calendar, number]> {
  return calendars().chain((calendar) => {
    const changes = localOffsets(calendar.timeZone).slice(1);
    const near = fc.integer({ min: -3 * DAY, max: 3 * DAY });
    const edges = [ZONE_RULES.from, ZONE_RULES.until, ...changes.map(({ from }) => from)];
    return fc.tuple(
      fc.constant(calendar),
      fc.oneof(
        fc.integer({ min: EVENT_TIME.least, max: EVENT_TIME.below - 1 }),
        fc.integer({ min: ZONE_RULES.from, max: ZONE_RULES.until }),
        fc.tuple(fc.constantFrom(...edges), near).map(([edge, distance]) => edge + distance),
        fc.constantFrom(...edges).map((edge) => seasonStart(calendar, edge)),
        fc.constantFrom(...edges).map((edge) => seasonEnd(calendar, edge) - 1),
      ),
    );
  });
}

function valueAt(steps: Step[], instant: number): number {
  return steps.findLast(({ from }) => from <= instant)!.value;
}

describe('a season of a calendar', () => {
  it.each<[string, Calendar, string, string, string, number]>([
    [
      'a day',
      { every: 'Day', timeZone: 'UTC' },
      '2026-01-01T12:00Z',
      '2026-01-01T00:00Z',
      '2026-01-02T00:00Z',
      24,
    ],
    [
      'a day that ends an hour later',
      { every: 'Day', timeZone: 'Europe/Berlin' },
      '2026-10-25T22:30Z',
      '2026-10-24T22:00Z',
      '2026-10-25T23:00Z',
      25,
    ],
    [
      'a day whose midnight does not exist',
      { every: 'Day', timeZone: 'Asia/Beirut' },
      '2026-03-29T12:00Z',
      '2026-03-28T22:00Z',
      '2026-03-29T21:00Z',
      23,
    ],
    [
      'a day with two midnights',
      { every: 'Day', timeZone: 'Atlantic/Azores' },
      '2026-10-25T00:30Z',
      '2026-10-25T00:00Z',
      '2026-10-26T01:00Z',
      25,
    ],
    [
      'a day of 24 and a half hours',
      { every: 'Day', timeZone: 'Australia/Lord_Howe' },
      '2026-04-05T00:00Z',
      '2026-04-04T13:00Z',
      '2026-04-05T13:30Z',
      24.5,
    ],
    [
      'a day in a zone of 45 minutes',
      { every: 'Day', timeZone: 'Asia/Kathmandu' },
      '2026-07-01T18:14Z',
      '2026-06-30T18:15Z',
      '2026-07-01T18:15Z',
      24,
    ],
    [
      'a week of 167 hours',
      { every: 'Week', timeZone: 'America/New_York' },
      '2026-03-08T12:00Z',
      '2026-03-02T05:00Z',
      '2026-03-09T04:00Z',
      167,
    ],
    [
      'a week of 169 hours',
      { every: 'Week', weekStart: 'Sunday', timeZone: 'America/New_York' },
      '2026-11-04T12:00Z',
      '2026-11-01T04:00Z',
      '2026-11-08T05:00Z',
      169,
    ],
    [
      'a February of a leap year',
      { every: 'Month', timeZone: 'Asia/Tokyo' },
      '2028-02-29T14:59Z',
      '2028-01-31T15:00Z',
      '2028-02-29T15:00Z',
      29 * 24,
    ],
    [
      'the last month of a year',
      { every: 'Month', timeZone: 'Pacific/Auckland' },
      '2026-12-31T10:59Z',
      '2026-11-30T11:00Z',
      '2026-12-31T11:00Z',
      31 * 24,
    ],
  ])('may be %s', (_, calendar, at, start, end, hours) => {
    const season = seasons(calendar, Date.parse(at));
    expect(season).toEqual({ start: Date.parse(start), end: Date.parse(end) });
    expect((season.end - season.start) / HOUR).toBe(hours);
  });

  it('is what Temporal says, of any zone, week, instant and change of the clock', () => {
    fc.assert(
      fc.property(calendarsAndInstants(), ([calendar, instant]) => {
        expect(seasons(calendar, instant)).toEqual(calendarSeason(calendar, instant));
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds its instant, and follows the one before', () => {
    fc.assert(
      fc.property(calendarsAndInstants(), ([calendar, instant]) => {
        const { start, end } = seasons(calendar, instant);
        expect(start).toBeLessThanOrEqual(instant);
        expect(end).toBeGreaterThan(instant);
        expect(seasons(calendar, start)).toEqual({ start, end });
        expect(seasonEnd(calendar, start - 1)).toBe(start);
        expect(end - start).toBeLessThanOrEqual(longestSeasonMillis(calendar));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the clock of a zone', () => {
  it('changes when Temporal says, in 40 years of all zones', () => {
    for (const timeZone of ZONES) {
      const calendar = { every: 'Day' as const, timeZone };
      const around = localOffsets(timeZone)
        .slice(1)
        .flatMap(({ from }) => [from - 1, from, seasonEnd(calendar, from)]);
      for (const instant of around)
        expect(seasons(calendar, instant)).toEqual(calendarSeason(calendar, instant));
    }
  });

  it('is never set back so far that a season is longer than the longest', () => {
    for (const timeZone of ZONES)
      for (const every of ['Day', 'Week', 'Month'] as const)
        for (const { from } of localOffsets(timeZone).slice(1)) {
          const { start, end } = seasons({ every, timeZone }, from);
          expect(end - start, `${every} ${timeZone}`).toBeLessThanOrEqual(longestSeasonMillis({ every }));
        }
  });

  it('gives the start and the end of a season by arithmetic, as the SQL computes them', () => {
    fc.assert(
      fc.property(calendarsAndInstants(), ([calendar, instant]) => {
        const local = instant + valueAt(localOffsets(calendar.timeZone), instant);
        const utc = { ...calendar, timeZone: 'UTC' };
        const start = seasonStart(utc, local) - valueAt(startOffsets(calendar), instant);
        expect(start).toBe(seasonStart(calendar, instant));
        const end = seasonEnd(utc, local) - valueAt(endOffsets(calendar), instant);
        expect(end).toBe(seasonEnd(calendar, instant));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is known by the names of the IANA database', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
      expect(isTimeZone(name)).toBe(true);
    for (const name of ['', '+05:30', 'Europe/Berlinn', "UTC'", 'Mars/Phobos', ' UTC'])
      expect(isTimeZone(name)).toBe(false);
    expect(calendar.safeParse({ every: 'Day', timeZone: 'Mars/Phobos' }).success).toBe(false);
  });
});
