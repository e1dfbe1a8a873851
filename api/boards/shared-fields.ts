import { z } from 'zod';
import { DEFAULT_KEEP_SEASONS, type Period } from '../../contract/board.ts';
import {
  type Calendar,
  isTimeZone,
  longestSeasonMillis,
  WEEK_DAYS,
  ZONE_RULES,
} from '../../contract/calendar.ts';
import { EVENT_FIELDS, ROBOT_PREFIX } from '../../contract/event.ts';
import { celSeconds, millis } from '../duration.ts';
import { integer } from '../integer.ts';
import { isSingleCondition } from '../query.ts';
import type { Rule } from '../rule.ts';
import type { CommonBoard, TypeField, Values } from './board-type.ts';

/* Fields that several types of board have. */

/** What a condition or a query can read, in the words of its description. */
export const EVENT_COLUMNS = `${eventColumns()}; event_time TIMESTAMP_LTZ(3)`;

function eventColumns(): string {
  const byType = Map.groupBy(Object.entries(EVENT_FIELDS), ([, { type }]) => type);
  return [...byType].map(([type, fields]) => `${fields.map(([name]) => name).join(', ')} ${type}`).join('; ');
}

/** How a message about SQL ends that does not stay inside the statement it is put into. */
export const STAYS_INSIDE =
  'with its quotes, comments and parentheses closed; semicolons, double quotes, hints, // comments and E strings are not allowed';

/** A board of events that can be chosen by a condition. */
export interface ConditionalBoard extends CommonBoard {
  /** SQL that an event must fulfil to count; it stays inside parentheses on lines of their own. */
  where?: string;
  /** Whether events of robots do not count. Not set: they do. */
  people?: true;
}

const where: TypeField<z.ZodString> = {
  schema: z.string().min(1).max(2000),
  description: `a SQL condition on the events that count for this board, such as user_id NOT LIKE '${ROBOT_PREFIX}%'. Its columns are those of the view valid_events (${EVENT_COLUMNS}). Default: every valid event counts.`,
  rules: [{ message: `where must be one condition ${STAYS_INSIDE}`, holds: isSingleCondition }],
};

const people: TypeField<z.ZodBoolean> = {
  schema: z.boolean(),
  description: `whether only events of people count for this board, of those that fulfil where: not those of the simulated game’s robots (user_id ${ROBOT_PREFIX}…). A board that differs from another one by nothing but this, its name, title and history shares a panel of the page with it, and the page has a switch. Default false.`,
};

export const conditionFields = { where, people };

/** A board whose totals run within a season. */
export interface TotalsBoard extends ConditionalBoard {
  /** Length of a season; null, as layouts note it in JSON: one season forever, or those of the calendar. */
  seasonMillis: number | null;
  calendar?: Calendar;
  /** How many seasons that are over stay readable; not set: the default. */
  keepSeasons?: number;
}

const season: TypeField<z.ZodString> = {
  schema: z
    .string()
    .max(7)
    .regex(/^(none|[0-9]{1,6}[smhd])$/, 'must be none, or a duration such as 30m, 1h or 7d'),
  description:
    'How long totals run before they start over, from 1m to 30d: seasons begin at multiples of it since 1970-01-01T00:00Z, and an event counts in the season it happened in. none: totals run forever. Default 1h.',
  rules: [
    {
      cel: `self.season == 'none' || (${celSeconds('self.season')} >= 60 && ${celSeconds('self.season')} <= 2592000)`,
      message: 'season must be none, or from 1m to 30d',
      holds: (text) => text === 'none' || inRange(millis(text), '1m', '30d'),
    },
  ],
};

export const DEFAULT_SEASON = '1h';

export const weekStart = z.enum(WEEK_DAYS);

export const timeZone = z
  .string()
  .max(64)
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'must be a time zone of the IANA database, such as Europe/Berlin');

export const IS_TIME_ZONE: Rule<string> = {
  message: 'must be a time zone of the IANA database, such as Europe/Berlin',
  holds: isTimeZone,
};

const calendarSchema = z.strictObject({
  every: z.enum(['Day', 'Week', 'Month']).describe('How long a season is.'),
  weekStart: weekStart.optional().describe('The first day of a week. Default: that of spec.weekStart.'),
  timeZone: timeZone
    .optional()
    .describe('The time zone whose midnights the seasons begin at. Default: that of spec.timeZone.'),
});

const ZONE_YEARS = [ZONE_RULES.from, ZONE_RULES.until - 1].map((time) => new Date(time).getUTCFullYear());

const calendar: TypeField<typeof calendarSchema> = {
  schema: calendarSchema,
  description: `seasons that are days, weeks or months of a time zone, in place of \`season\`. They begin at its midnights, so that a day may have 23 or 25 hours. Rules of time zones hold from ${ZONE_YEARS.join(' to ')}.`,
  rules: [
    {
      message: `timeZone ${IS_TIME_ZONE.message}`,
      holds: ({ timeZone }) => timeZone === undefined || isTimeZone(timeZone),
    },
  ],
};

const keepSeasons: TypeField<z.ZodNumber> = {
  schema: integer(1, 100),
  description: `how many seasons that are over stay readable, in the board’s topic and in the HTTP API. Default ${DEFAULT_KEEP_SEASONS}.`,
};

export const seasonFields = { season, calendar, keepSeasons };

/** The seasons of a board. What its calendar leaves out, the spec's defaults complete. */
export function resolveSeason({ season, calendar, keepSeasons }: Values<typeof seasonFields>): Seasons {
  const kept = keepSeasons === undefined ? {} : { keepSeasons };
  if (calendar) return { seasonMillis: null, calendar: calendar as Calendar, ...kept };
  return { seasonMillis: season === 'none' ? null : millis(season ?? DEFAULT_SEASON), ...kept };
}

type Seasons = Pick<TotalsBoard, 'seasonMillis' | 'calendar' | 'keepSeasons'>;

/** A calendar with what it leaves out as the spec has it, and without what means nothing to it. */
export function completeCalendar(
  { every, timeZone, weekStart }: z.output<typeof calendarSchema>,
  defaults: Required<Pick<Calendar, 'timeZone' | 'weekStart'>>,
): Calendar {
  return {
    every,
    timeZone: timeZone ?? defaults.timeZone,
    ...(every === 'Week' && { weekStart: weekStart ?? defaults.weekStart }),
  };
}

export function seasonPeriod({ seasonMillis, calendar }: Seasons): Period {
  return { kind: 'season', lengthMillis: seasonMillis ?? undefined, ...(calendar && { calendar }) };
}

/** The length of a board's longest season; undefined: one season forever. */
export function longestMillis({ seasonMillis, calendar }: Seasons): number | undefined {
  return calendar ? longestSeasonMillis(calendar) : (seasonMillis ?? undefined);
}

/** A heading made of a name: top-teams and top_teams become "Top Teams". */
export function inWords(name: string): string {
  return name
    .split(/[-_]/)
    .filter(Boolean)
    .map((word) => word[0]?.toUpperCase() + word.slice(1))
    .join(' ');
}

export function inRange(value: number, least: string, most: string): boolean {
  return value >= millis(least) && value <= millis(most);
}
