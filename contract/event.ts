/*
 * An event, as a game writes it to the topic of the events and the job reads it. The source's table, the view
 * of the valid events, what makes one valid, the reasons of invalid ones and docs/events.md are made from
 * what is declared here.
 */

/**
 * The most characters (code points) of an id. Other texts are cut after as many, so that no row outgrows a
 * Kafka message.
 */
export const LONGEST_TEXT = 256;

/**
 * What JavaScript's `Date` can represent, in epoch milliseconds: a later time comes from a broken clock, and
 * could not be printed.
 */
export const MAX_EPOCH_MILLIS = 8.64e15;

/** The ids of the simulated game's robots begin with it. */
export const ROBOT_PREFIX = 'RBT';

interface Field {
  /** Flink SQL type. A value that is none is read as NULL. */
  type: 'STRING' | 'BIGINT';
  description: string;
}

/** The fields that the job reads. In the view of the valid events they are columns of the same names. */
export const EVENT_FIELDS = {
  user_id: {
    type: 'STRING',
    description: 'The player. Also the message’s key, which keeps its events in order.',
  },
  team_id: { type: 'STRING', description: 'The team that the player plays for.' },
  team_name: {
    type: 'STRING',
    description: `The team’s name, of which ${LONGEST_TEXT} characters are kept.`,
  },
  score: {
    type: 'BIGINT',
    description: 'What the player scored; decimals are dropped, but for those of `events.scoreDecimals`.',
  },
  event_time_millis: { type: 'BIGINT', description: 'When it happened, in epoch milliseconds.' },
} as const satisfies Record<string, Field>;

export type EventField = keyof typeof EVENT_FIELDS;

/** The fields as a program has them. */
export type EventFields = {
  readonly [Name in EventField]: (typeof EVENT_FIELDS)[Name]['type'] extends 'BIGINT' ? number : string;
};

/**
 * A score is none that JSON cannot carry exactly. By the lower bound the planner knows that totals only grow.
 */
export const SCORE = { least: 0, most: Number.MAX_SAFE_INTEGER };

/**
 * The most decimals of a score. The job adds up and ranks scores in units of the last decimal, as integers.
 * In the topics of boards, and all that is made of them, they are numbers with decimals. Those of up to 15
 * digits, which JSON's numbers have, are exact.
 */
export const MOST_SCORE_DECIMALS = 6;

/** The least score where negative ones correct totals, which then can fall. */
export const LEAST_CORRECTION = -SCORE.most;

/**
 * Milliseconds of the years from 1973 to 2286 have 12 or 13 digits; seconds, microseconds and nanoseconds do
 * not.
 */
export const EVENT_TIME = { least: 100_000_000_000, below: 10_000_000_000_000 };

/** Field of an event that only some games have: what names it, so that one that came twice counts once. */
export const EVENT_ID = 'event_id';

/** The fields that say of a team which it is. */
export const TEAM_FIELDS: readonly string[] = ['team_id', 'team_name'] satisfies EventField[];

/** What a game's events may have or not. */
export interface EventTraits {
  hasTeams: boolean;
  hasEventIds: boolean;
  /** Whether negative scores count, and correct totals. */
  hasCorrections: boolean;
  /** Whether the schemas of the records are in a registry. */
  hasSchemas: boolean;
}

/** Why an event is invalid. */
export interface Violation {
  /** Names the kind of reason in the API, in metrics, and in columns of the statistics. */
  reason: string;
  /** The reason in words. */
  text: string;
  /** The same of games with corrections, where it is another. */
  textWithCorrections?: string;
  /** Only jobs of events that have this count it. */
  onlyWith?: keyof EventTraits;
}

/** Of such a record nothing but the id of its schema can be read, so it is invalid before any check. */
export const UNKNOWN_SCHEMA: Violation = {
  reason: 'unknown_schema',
  text: 'the schema registry has no schema of the id that the record has',
  onlyWith: 'hasSchemas',
};

/** The values of a field that a valid event can have, and why others make it invalid. */
export type EventCheck = {
  field: EventField | typeof EVENT_ID;
  /** Only of events that have this. */
  onlyWith?: keyof EventTraits;
  missing: Violation;
  outOfBounds: Violation;
} & (
  | { longest: number }
  | { least: number; leastWithCorrections?: number; most: number }
  | { least: number; below: number }
);

/** What makes an event valid. An invalid event's reason is that of the first check that fails. */
export const EVENT_CHECKS: EventCheck[] = [
  id('user_id', 'no_user'),
  { ...id('team_id', 'no_team'), onlyWith: 'hasTeams' },
  { ...id(EVENT_ID, 'no_event_id'), onlyWith: 'hasEventIds' },
  {
    field: 'event_time_millis',
    ...EVENT_TIME,
    missing: { reason: 'no_time', text: 'event_time_millis is missing, or no number' },
    outOfBounds: {
      reason: 'time_out_of_range',
      text: 'event_time_millis is no time from 1973 to 2286 in milliseconds',
    },
  },
  {
    field: 'score',
    ...SCORE,
    leastWithCorrections: LEAST_CORRECTION,
    missing: { reason: 'no_score', text: 'score is missing, or no number' },
    outOfBounds: {
      reason: 'score_out_of_range',
      text: `score is not from ${SCORE.least} to ${SCORE.most}`,
      textWithCorrections: `score is not from ${LEAST_CORRECTION} to ${SCORE.most}`,
    },
  },
];

/** Why an event can be invalid. */
export const VIOLATIONS: Violation[] = [
  ...EVENT_CHECKS.flatMap(({ missing, outOfBounds }) => [missing, outOfBounds]),
  UNKNOWN_SCHEMA,
];

function id(field: EventCheck['field'], reason: string): EventCheck {
  return {
    field,
    longest: LONGEST_TEXT,
    missing: { reason, text: `${field} is missing, or no text` },
    outOfBounds: { reason: 'id_too_long', text: `${field} has more than ${LONGEST_TEXT} characters` },
  };
}
