import { z } from 'zod';
import { longestSeasonMillis } from '../contract/calendar.ts';
import {
  completeCalendar,
  DEFAULT_SEASON,
  IS_TIME_ZONE,
  longestMillis,
  timeZone,
  weekStart,
} from './boards/shared-fields.ts';
import { BOARD_TYPES, type Leaderboard } from './boards/types.ts';
import { dashboard } from './dashboard.ts';
import { celSeconds, millis } from './duration.ts';
import { EVENT_FIELD_NAMES, events, hasCorrections, hasTeams, isVisible, namingColumns } from './events.ts';
import { flink } from './flink.ts';
import { injector } from './injector.ts';
import { kafka } from './kafka.ts';
import { leaderboard } from './leaderboard.ts';
import { NAME_PATTERN, ownName } from './object-name.ts';
import { ONE_VALUE } from './one-value.ts';
import { players } from './players.ts';
import { results } from './results.ts';
import { namesAreUnique, withRules } from './rule.ts';
import { status } from './status.ts';

export const GROUP = 'gameanalytics.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'GameAnalytics';
export const API_VERSION = `${GROUP}/${VERSION}`;

const DEFAULT_LEADERBOARDS = BOARD_TYPES.flatMap((type) => {
  if (!type.default) return [];
  const { name, title } = type.default;
  return [{ name, type: type.name, ...(title && { title }) }];
});

const WITHOUT_SEASON = BOARD_TYPES.filter(({ fields }) => !('season' in fields)).map(
  ({ name }) => `'${name}'`,
);
const CALENDAR_SECONDS = (['Day', 'Week', 'Month'] as const)
  .map((every) => `'${every}': ${longestSeasonMillis({ every }) / 1_000}`)
  .join(', ');
const LENGTH_SECONDS = celSeconds(`(has(b.season) ? b.season : '${DEFAULT_SEASON}')`);
const SEASON_SECONDS = `has(b.calendar) ? {${CALENDAR_SECONDS}}[b.calendar.every] : ${LENGTH_SECONDS}`;
const IS_ENDLESS = "(has(b.season) && b.season == 'none')";
const LONGEST_SEASON = `(has(self.flink) && has(self.flink.state)) || self.leaderboards.all(b, b.type in [${WITHOUT_SEASON.join(', ')}] || ${IS_ENDLESS} || 2 * (${SEASON_SECONDS}) <= ${celSeconds('self.events.retention')})`;

const TEAM_TYPES = BOARD_TYPES.filter(({ ranksTeams }) => ranksTeams).map(({ name }) => name);

const BY_WHAT = 'by must be a column of the events that is text, a whole number or BOOLEAN';

interface Spec {
  events: z.output<typeof events>;
  leaderboards: Leaderboard[];
  injector?: object | undefined;
}

/** The boards of which a replay of the kept events cannot make the open season and the last one whole. */
export function beyondRetention({ events, leaderboards }: Spec): Leaderboard[] {
  return leaderboards.filter(
    (board) => 'seasonMillis' in board && 2 * (longestMillis(board) ?? 0) > millis(events.retention),
  );
}

/** Whether the columns of the records are those of the registry's newest schema, which is not read yet. */
export function needsSchema({ events, injector }: Pick<Spec, 'events' | 'injector'>): boolean {
  return events.format === 'avro-confluent' && events.columns === undefined && injector === undefined;
}

/** The boards by a column that there is not, or whose values are no names, as far as columns are known. */
function boardsByNoColumn({ events, leaderboards, injector }: Spec): Leaderboard[] {
  const columns = namingColumns(events);
  const isUnknown = needsSchema({ events, injector });
  return leaderboards.filter(
    (board) =>
      'by' in board &&
      board.by !== undefined &&
      !columns.includes(board.by) &&
      !(isUnknown && isVisible(board.by)),
  );
}

/** What is wrong with boards by value; undefined: nothing, as far as the columns are known. */
export function byProblem(spec: Spec): string | undefined {
  return boardsByNoColumn(spec).length === 0 ? undefined : explainBy(spec);
}

function explainBy(spec: Spec): string {
  const names = boardsByNoColumn(spec).map(({ name }) => name);
  return `${BY_WHAT}, of ${names.join(', ')}: there is ${namingColumns(spec.events).join(', ')}; others of a record are named in events.columns`;
}

const spec = withRules(
  z.strictObject({
    kafka: kafka.describe('The Kafka cluster that carries events and boards.'),
    events: events.prefault({}).describe('Where the game’s events are.'),
    leaderboards: z
      .array(leaderboard)
      .min(1)
      .max(16)
      .prefault(DEFAULT_LEADERBOARDS)
      // One value: merged by name, a list that is applied server-side would be added to the default one.
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .describe('The leaderboards, in the order the dashboard shows them.'),
    timeZone: withRules(timeZone, [IS_TIME_ZONE])
      .default('UTC')
      .describe('The time zone of calendars that name none, of the IANA database, such as Europe/Berlin.'),
    weekStart: weekStart.default('Monday').describe('The first day of a week, of calendars that name none.'),
    flink: flink.prefault({}).describe('The Flink job that computes the leaderboards.'),
    injector: injector
      .optional()
      .meta(ONE_VALUE)
      .describe('A simulated game that produces events. Unset: the events come from a real one.'),
    dashboard: dashboard.prefault({}).describe('The page that shows the leaderboards.'),
    results: results
      .optional()
      .meta(ONE_VALUE)
      .describe(
        'The final board of each season, written once to the topic <name>-results. Unset: there are none. Needs events.latestArrival.',
      ),
    players: players
      .optional()
      .meta(ONE_VALUE)
      .describe(
        'Players can be hidden or erased, by records of the topic <name>-players. Unset: there is no such topic.',
      ),
    paused: z.boolean().default(false).describe('Leaves everything as it is until set back to false.'),
  }),
  [
    {
      cel: LONGEST_SEASON,
      message:
        'without flink.state, retention must be at least twice the longest season (season, calendar), so that a restart can replay the open and the last one',
      field: 'events.retention',
      holds: (spec) => spec.flink.state !== undefined || beyondRetention(spec).length === 0,
    },
    {
      cel: 'self.leaderboards.all(a, self.leaderboards.exists_one(b, a.name == b.name))',
      message: 'the names of leaderboards must be unique',
      field: 'leaderboards',
      holds: ({ leaderboards }) => namesAreUnique(leaderboards),
    },
    {
      // It would have the right to write to any topic of the Kafka, and would mix its events with those of a
      // real game.
      cel: '!has(self.events.topic) || !has(self.injector) || self.injector.allowOwnTopic',
      message: 'an injector writes to a topic of your own (events.topic) only with allowOwnTopic: true',
      field: 'injector',
      holds: ({ events, injector }) => !events.topic || !injector || injector.allowOwnTopic,
    },
    {
      cel: "!has(self.injector) || self.events.format != 'csv'",
      message: 'an injector writes JSON or Avro: it needs events.format json or avro-confluent',
      field: 'injector',
      holds: ({ events, injector }) => !injector || events.format !== 'csv',
    },
    {
      cel: `!has(self.events.fields) || has(self.events.fields.teamId) || self.leaderboards.all(b, !(b.type in [${TEAM_TYPES.map((type) => `'${type}'`).join(', ')}]))`,
      message: `without events.fields.teamId the game has no teams: name leaderboards of other types than ${TEAM_TYPES.join(' and ')}`,
      field: 'leaderboards',
      holds: ({ events, leaderboards }) =>
        hasTeams(events) || leaderboards.every(({ type }) => !TEAM_TYPES.includes(type)),
    },
    {
      cel: `self.leaderboards.all(b, !has(b.by) || b.by in [${EVENT_FIELD_NAMES.map((name) => `'${name}'`).join(', ')}] || (has(self.events.columns) ? self.events.columns.exists(c, c.name == b.by) : self.events.format == 'avro-confluent' && !has(self.injector)))`,
      message: BY_WHAT,
      explain: explainBy,
      field: 'leaderboards',
      holds: (spec) => byProblem(spec) === undefined,
    },
    {
      cel: "self.events.negativeScores != 'Correct' || self.leaderboards.all(b, !has(b.ties) || b.ties != 'FirstToReach' || (has(b.score) && b.score != 'Sum'))",
      message:
        'with events.negativeScores: Correct, ties: FirstToReach is not for a Sum: one that can fall may be reached more than once',
      field: 'leaderboards',
      holds: ({ events, leaderboards }) =>
        !hasCorrections(events) ||
        leaderboards.every((board) => !('ties' in board) || !board.ties || board.score !== undefined),
    },
    {
      cel: '!has(self.results) || has(self.events.latestArrival)',
      message: 'results need events.latestArrival: without it no season is ever final',
      field: 'results',
      holds: ({ events, results }) => !results || events.latestArrival !== undefined,
    },
    {
      // Both would be the same topic.
      cel: "!has(self.results) || self.leaderboards.all(b, b.name != 'results')",
      message: 'with results, no leaderboard can have the name results',
      field: 'leaderboards',
      holds: ({ leaderboards, results }) => !results || leaderboards.every(({ name }) => name !== 'results'),
    },
    {
      // Both would be the same topic.
      cel: "!has(self.players) || self.leaderboards.all(b, b.name != 'players')",
      message: 'with players, no leaderboard can have the name players',
      field: 'leaderboards',
      holds: ({ leaderboards, players }) => !players || leaderboards.every(({ name }) => name !== 'players'),
    },
    {
      // Both would be the same topic.
      cel: "self.leaderboards.all(a, !a.history || !self.leaderboards.exists(b, b.name == a.name + '-history'))",
      message: 'a leaderboard must not have the name of another’s history, <name>-history',
      field: 'leaderboards',
      holds: ({ leaderboards }) =>
        leaderboards.every((a) => !a.history || leaderboards.every((b) => b.name !== `${a.name}-history`)),
    },
  ],
).transform((spec) => ({
  ...spec,
  leaderboards: spec.leaderboards.map((board): Leaderboard => {
    if (!('calendar' in board) || !board.calendar) return board;
    return { ...board, calendar: completeCalendar(board.calendar, spec) };
  }),
}));

const metadata = z.looseObject({
  name: ownName(),
  namespace: z.string().max(63).optional(),
  uid: z.string().optional(),
});

/** A GameAnalytics resource. Its parsed form has every default filled in. */
export const gameAnalytics = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(KIND),
    metadata,
    spec: spec.describe('What the pipeline should be.'),
    status: status.optional().describe('What the operator last saw. Written by the operator.'),
  }),
  [
    {
      // Our parser holds this one by the schema above; metadata is not part of the CRD's.
      cel: `size(self.metadata.name) <= 40 && self.metadata.name.matches('${NAME_PATTERN.source}')`,
      message: 'the name must be at most 40 lower case letters, digits and -, beginning with a letter',
    },
    {
      // The job would read its own board, and the plan would manage a topic that is the user's.
      cel: "!has(self.spec.events.topic) || !self.spec.events.topic.startsWith(self.metadata.name + '-') || (self.spec.events.topic.substring(size(self.metadata.name) + 1) != 'pipeline-stats' && (!has(self.spec.results) || self.spec.events.topic.substring(size(self.metadata.name) + 1) != 'results') && (!has(self.spec.players) || self.spec.events.topic.substring(size(self.metadata.name) + 1) != 'players') && self.spec.leaderboards.all(b, self.spec.events.topic.substring(size(self.metadata.name) + 1) != b.name && (!b.history || self.spec.events.topic.substring(size(self.metadata.name) + 1) != b.name + '-history')))",
      message:
        'events.topic must not be another topic of the pipeline: <name>-pipeline-stats, <name>-results, <name>-players, <name>-<leaderboard> or its -history',
      field: 'spec.events.topic',
      holds: ({ metadata, spec }) =>
        ![
          'pipeline-stats',
          ...(spec.results ? ['results'] : []),
          ...(spec.players ? ['players'] : []),
          ...spec.leaderboards.flatMap(({ name, history }) => (history ? [name, `${name}-history`] : [name])),
        ].some((own) => spec.events.topic === `${metadata.name}-${own}`),
    },
  ],
);

export type GameAnalytics = z.output<typeof gameAnalytics>;
