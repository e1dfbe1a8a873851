import { z } from 'zod';
import { type EventTraits, MAX_EPOCH_MILLIS, ROBOT_PREFIX, VIOLATIONS, type Violation } from './event.ts';

/*
 * The pipeline's statistics. The job writes one record per slot to the topic <name>-pipeline-stats, the
 * dashboard reads them. The table, the INSERT, the parser, the API and docs/topics.md are made from what is
 * declared here.
 */

/** A slot is this long, by Kafka's time of the records. */
export const SLOT_MILLIS = 5000;

/** The key of a record: when its slot began, in epoch milliseconds. */
export const SLOT_START = 'slot_start';

/**
 * What the job counts: events, invalid ones, messages (not decoded), players and teams of windows, and, where
 * an id counts once, its copies, and where seasons are frozen, what came after that.
 */
export const STATS_SOURCES = ['events', 'invalid', 'messages', 'windows', 'duplicates', 'frozen'] as const;
export type StatsSource = (typeof STATS_SOURCES)[number];

interface Counter {
  /** Field of a record. */
  column: string;
  /**
   * The sources that it is the sum of: those whose query in sql/pipeline-stats.sql.hbs has a column of this
   * name.
   */
  sources: readonly StatsSource[];
  /** Whether the counts of several slots add up. Players who are active in two slots do not. */
  addsUp: boolean;
  description: string;
}

/** What is counted in each slot, by its name in the HTTP API. */
export const COUNTERS = {
  events: {
    column: 'events',
    sources: ['events'],
    addsUp: true,
    description: 'Events, by Kafka’s time of the record.',
  },
  lateEvents: {
    column: 'late_events',
    sources: ['events'],
    addsUp: true,
    description: 'Events that reached Kafka more than `events.maxLateness` after they happened.',
  },
  robotEvents: {
    column: 'robot_events',
    sources: ['events'],
    addsUp: true,
    description: `Events of the simulated game’s robots (\`${ROBOT_PREFIX}…\`).`,
  },
  uncountedEvents: {
    column: 'uncounted_events',
    sources: ['invalid'],
    addsUp: true,
    description: 'Invalid events: without what an event needs.',
  },
  undecodableMessages: {
    column: 'undecodable_messages',
    sources: ['events', 'messages'],
    addsUp: true,
    description:
      'Malformed messages: no event in them, or more than one object or array. Exact once a checkpoint of the job has read past the slot.',
  },
  activePlayers: {
    column: 'active_players',
    sources: ['windows'],
    addsUp: false,
    description: 'Players with a timely event that happened in the slot. Known once the windows close.',
  },
  activeTeams: {
    column: 'active_teams',
    sources: ['windows'],
    addsUp: false,
    description: 'Teams with a timely event that happened in the slot. Known once the windows close.',
  },
} as const satisfies Record<string, Counter>;

export type CounterName = keyof typeof COUNTERS;

export const COUNTER_NAMES = Object.keys(COUNTERS) as CounterName[];

/** Counters of which there are totals. */
export type TotalName = {
  [Name in CounterName]: (typeof COUNTERS)[Name]['addsUp'] extends true ? Name : never;
}[CounterName];

export const TOTAL_NAMES = COUNTER_NAMES.filter((name): name is TotalName => COUNTERS[name].addsUp);

/** A value for each counter. */
export function eachCounter<T>(value: (name: CounterName) => T): Record<CounterName, T> {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, value(name)])) as Record<CounterName, T>;
}

/** A value for each counter of which there are totals. */
export function eachTotal<T>(value: (name: TotalName) => T): Record<TotalName, T> {
  return Object.fromEntries(TOTAL_NAMES.map((name) => [name, value(name)])) as Record<TotalName, T>;
}

/** Why something in the topic of the events is not counted. */
interface Reason {
  /** Names it in the HTTP API and in metrics. */
  id: string;
  /** The same in words. */
  text: string;
  /** Where it is found. */
  source: StatsSource;
  /** The fields of a record that have how many there are, and an example. */
  countColumn: string;
  exampleColumn: string;
  /** Only jobs of events that have this write these fields. */
  onlyWith?: keyof EventTraits | undefined;
}

/** The reason of messages without an event. */
export const MALFORMED = 'malformed';

/** The reason of valid events whose id was counted already. */
export const DUPLICATE: Reason = {
  id: 'duplicate',
  text: 'an event with the same id was counted less than events.deduplicate before',
  source: 'duplicates',
  countColumn: 'duplicate_events',
  exampleColumn: 'example_duplicate',
};

/** The reason of valid events that came too late for a season. */
export const FROZEN: Reason = {
  id: 'frozen',
  text: 'a season they happened in was frozen when they reached Kafka, events.latestArrival after its end',
  source: 'frozen',
  countColumn: 'frozen_events',
  exampleColumn: 'example_frozen',
};

/** The reasons, each of them counted by itself. An event has the first that applies. */
export const REASONS: Reason[] = [
  {
    id: MALFORMED,
    text: 'no event is in the message, or several objects or arrays one after the other',
    source: 'messages',
    countColumn: COUNTERS.undecodableMessages.column,
    exampleColumn: 'example_malformed',
  },
  ...[...Map.groupBy(VIOLATIONS, ({ reason }) => reason)].map(
    ([id, violations]): Reason => ({
      id,
      text: violations.map(reasonText).join(' or '),
      source: 'invalid',
      countColumn: `uncounted_${id}`,
      exampleColumn: `example_${id}`,
      onlyWith: violations[0]?.onlyWith,
    }),
  ),
  DUPLICATE,
  FROZEN,
];

/** In words that are true of every game: who reads the counts need not know which it is. */
function reasonText({ text, textWithCorrections }: Violation): string {
  return textWithCorrections === undefined
    ? text
    : `${text} (with events.negativeScores Correct: ${textWithCorrections})`;
}

/** The reasons of which events can be invalid. */
export const INVALID_REASONS = REASONS.filter(({ source }) => source === 'invalid');

/** A value for each reason, by its id. */
export function eachReason<T>(value: (reason: Reason) => T): Record<string, T> {
  return Object.fromEntries(REASONS.map((reason) => [reason.id, value(reason)]));
}

export const NEWEST_EVENT_TIME = 'When the newest event happened.';
export const UNCOUNTED_REASON = 'Why the newest invalid event is invalid; null when there is none.';

interface StatsColumn {
  name: string;
  /** Flink SQL type. */
  type: 'BIGINT' | 'STRING';
  description: string;
  sources: readonly StatsSource[];
  /**
   * How what the sources say of a slot is merged. `newest`: texts that begin with a time of 19 digits,
   * without it.
   */
  merge: 'sum' | 'greatest' | 'newest';
  /** Only jobs of events that have this write it. */
  onlyWith?: keyof EventTraits | undefined;
}

/** The fields of a record without its key. */
export const STATS_COLUMNS: StatsColumn[] = [
  ...COUNTER_NAMES.map((name): StatsColumn => {
    const { column, description, sources } = COUNTERS[name];
    return { name: column, type: 'BIGINT', description, sources, merge: 'sum' };
  }),
  // That of malformed messages is a counter.
  ...REASONS.filter(({ id }) => id !== MALFORMED).map(
    ({ countColumn, text, source, onlyWith }): StatsColumn => ({
      name: countColumn,
      type: 'BIGINT',
      description: `Events that do not count, because ${text}${onlyWith ? ' (jobs that read Avro)' : ''}.`,
      sources: [source],
      merge: 'sum',
      onlyWith,
    }),
  ),
  {
    name: 'newest_event_time',
    type: 'BIGINT',
    description: `${NEWEST_EVENT_TIME} In epoch milliseconds.`,
    sources: ['events'],
    merge: 'greatest',
  },
  {
    name: 'uncounted_reason',
    type: 'STRING',
    description: UNCOUNTED_REASON,
    sources: ['invalid'],
    merge: 'newest',
  },
  ...REASONS.map(
    ({ countColumn, exampleColumn, source, onlyWith }): StatsColumn => ({
      name: exampleColumn,
      type: 'STRING',
      description: `The newest of \`${countColumn}\`, masked${source === 'messages' ? ', if it is evident without decoding' : ''}; null when there is none.`,
      sources: [source],
      merge: 'newest',
      onlyWith,
    }),
  ),
];

/** The key of a record. */
export const statsKey = z.object({ [SLOT_START]: z.int().min(0).multipleOf(SLOT_MILLIS) });

// Messages and events are counted separately, so that their difference can be below zero until both have
// arrived.
const count = z.int().transform((value) => Math.max(value, 0));

const text = z
  .string()
  .max(200)
  .nullish()
  .transform((value) => value ?? undefined);

const counts = z
  .object(Object.fromEntries(COUNTER_NAMES.map((name) => [COUNTERS[name].column, count])))
  .transform((record) => eachCounter((name) => record[COUNTERS[name].column] ?? 0));

// Jobs from before the reasons were counted write none of these.
const reasonCounts = z
  .object(Object.fromEntries(REASONS.map(({ countColumn }) => [countColumn, count.nullish()])))
  .transform((record) => ({ reasons: eachReason(({ countColumn }) => record[countColumn] ?? 0) }));

const examples = z
  .object(Object.fromEntries(REASONS.map(({ exampleColumn }) => [exampleColumn, text])))
  .transform((record) => ({ examples: eachReason(({ exampleColumn }) => record[exampleColumn]) }));

const newest = z
  .object({
    newest_event_time: z.int().min(0).max(MAX_EPOCH_MILLIS).nullable(),
    // Jobs from before it existed write none.
    uncounted_reason: text,
  })
  .transform((record) => ({
    newestEventMillis: record.newest_event_time ?? undefined,
    uncountedReason: record.uncounted_reason,
  }));

/** The value of a record. */
export const statsValue = z.intersection(
  z.intersection(counts, newest),
  z.intersection(reasonCounts, examples),
);
