import { z } from 'zod';
import type { Period } from '../../contract/board.ts';
import { EVENT_FIELDS, ROBOT_PREFIX } from '../../contract/event.ts';
import { celSeconds, millis } from '../duration.ts';
import { isSingleCondition } from '../query.ts';
import type { CommonBoard, TypeField } from './board-type.ts';

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
}

export const where: TypeField<z.ZodString> = {
  schema: z.string().min(1).max(2000),
  description: `a SQL condition on the events that count for this board, such as user_id NOT LIKE '${ROBOT_PREFIX}%'. Its columns are those of the view valid_events (${EVENT_COLUMNS}). Default: every valid event counts.`,
  rules: [{ message: `where must be one condition ${STAYS_INSIDE}`, holds: isSingleCondition }],
};

/** A board whose totals run within a season. */
export interface TotalsBoard extends ConditionalBoard {
  /** Length of a season; null: one season forever. */
  seasonMillis: number | null;
}

export const season: TypeField<z.ZodString> = {
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

/** The length of a season; null: one season forever. */
export function seasonMillis({ season }: { season?: string | undefined }): number | null {
  return season === 'none' ? null : millis(season ?? DEFAULT_SEASON);
}

export function seasonPeriod({ seasonMillis }: TotalsBoard): Period {
  return { kind: 'season', lengthMillis: seasonMillis };
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
