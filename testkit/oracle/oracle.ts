import type { TotalsBoard } from '../../api/boards/shared-fields.ts';
import type { HotStreakersBoard, Leaderboard } from '../../api/boards/types.ts';
import { millis } from '../../api/duration.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { EVENT_TIME, type EventField, LONGEST_TEXT, ROBOT_PREFIX } from '../../contract/event.ts';
import { type CalendarSeason, calendarSeason } from './calendar.ts';

/** A record of the events topic, as it is there. */
export interface EventRecord {
  value: string | null;
  /** Kafka's timestamp of the record, epoch milliseconds. */
  producedAt: number;
}

/** A board whose totals run within a season. */
export type SeasonBoard = Extract<Leaderboard, TotalsBoard>;

export type Row = Record<string, string | number | null>;

/** What a board's `of` makes of an event; null: nothing that counts. */
export type PointsOf = (event: CountedEvent) => number | null;

/** The value whose board an event counts on, of a column that is no field of an event; null: it has none. */
export type ValueOf = (event: CountedEvent) => string | null;

/** What the oracle cannot know of a board with SQL of its own, or by a column of its own. */
export interface OwnColumns {
  pointsOf?: PointsOf | undefined;
  pickValue?: ValueOf | undefined;
  /** Whether a sum takes points below 0. */
  corrections?: boolean | undefined;
}

/** An event that counts. */
export interface CountedEvent {
  user: string;
  team: string;
  teamName: string | null;
  score: number;
  time: number;
  producedAt: number;
}

/**
 * The events of a topic that count, by the design's definition: with ids, a time, and a score from 0 up, or
 * with corrections, of either sign.
 */
export function countedEvents(
  records: EventRecord[],
  { corrections = false, decimals = 0 }: Pick<Counting, 'corrections' | 'decimals'> = {},
): CountedEvent[] {
  return records.flatMap((record) => counted(record, corrections, decimals) ?? []);
}

export function isPerson({ user }: CountedEvent): boolean {
  return !user.startsWith(ROBOT_PREFIX);
}

/** What a resource says of which events count. */
export interface Counting {
  /** How late one may reach Kafka, of the event's time, to count in streaks; milliseconds. */
  maxLateness: number;
  /** How late, of the end of its season, to count in that; undefined: there is no limit. */
  latestArrival?: number;
  /** Whether negative scores lower totals. */
  corrections?: boolean;
  /** How many decimals scores have; the oracle computes with integers, in units of the last one. */
  decimals?: number;
}

export function parseCounting({ spec: { events } }: GameAnalytics): Counting {
  const { maxLateness, latestArrival, negativeScores, scoreDecimals } = events;
  return {
    maxLateness: millis(maxLateness),
    ...(latestArrival !== undefined && { latestArrival: millis(latestArrival) }),
    corrections: negativeScores === 'Correct',
    decimals: scoreDecimals,
  };
}

/** How many records do not count, by why. */
export function notCounted(records: EventRecord[], corrections = false): Record<string, number> {
  const reasons = records.flatMap(({ value }) => reasonOf(fieldsOf(value), corrections) ?? []);
  return Object.fromEntries(
    [...groupBy(reasons, (reason) => reason)].map(([id, { length }]) => [id, length]),
  );
}

type Fields = Partial<Record<EventField, unknown>>;

/** Why a message does not count: the first thing that is wrong with it. Nothing when it does. */
function reasonOf(fields: Fields | undefined, corrections: boolean, decimals = 0): string | undefined {
  if (!fields) return 'malformed';
  for (const [id, reason] of [
    [text(fields.user_id), 'no_user'],
    [text(fields.team_id), 'no_team'],
  ] as const) {
    if (!id) return reason;
    if (Array.from(id).length > LONGEST_TEXT) return 'id_too_long';
  }
  const time = integer(fields.event_time_millis);
  if (time === null) return 'no_time';
  if (time < EVENT_TIME.least || time >= EVENT_TIME.below) return 'time_out_of_range';
  const score = units(fields.score, decimals);
  if (score === null) return 'no_score';
  const isInRange = Number.isSafeInteger(score) && (score >= 0 || corrections);
  return isInRange ? undefined : 'score_out_of_range';
}

function counted(
  { value, producedAt }: EventRecord,
  corrections: boolean,
  decimals: number,
): CountedEvent | undefined {
  const fields = fieldsOf(value);
  if (reasonOf(fields, corrections, decimals)) return undefined;
  const [user, team] = [text(fields?.user_id), text(fields?.team_id)] as [string, string];
  const [score, time] = [units(fields?.score, decimals), integer(fields?.event_time_millis)] as [
    number,
    number,
  ];
  const teamName = cut(text(fields?.team_name));
  return { user, team, teamName, score, time, producedAt };
}

function parseObject(value: string | null): Record<string, unknown> | undefined {
  // Flink takes no number of so many digits.
  if (/\d{1001}/.test(value ?? '')) return undefined;
  try {
    const parsed = JSON.parse(value ?? 'null');
    return parsed && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The fields of an event, as Flink's JSON format finds them. Where a number belongs, an object hides the
 * fields after it, and an empty array the whole event.
 */
function fieldsOf(value: string | null): Fields | undefined {
  const parsed = parseObject(value);
  const fields = Object.entries(parsed ?? {});
  const odd = fields.findIndex(
    ([name, content]) => ['score', 'event_time_millis'].includes(name) && content instanceof Object,
  );
  if (odd === -1) return parsed;
  return Array.isArray(fields[odd]?.[1]) ? undefined : Object.fromEntries(fields.slice(0, odd));
}

function text(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Read as Flink's JSON format reads a BIGINT: a fraction loses its decimals, digits in quotes are a number.
 */
function integer(value: unknown): number | null {
  const digits = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value);
  const number = typeof value === 'number' || digits ? Math.trunc(Number(value)) : Number.NaN;
  return Math.abs(number) < 2 ** 63 ? number : null;
}

/** A score in units of its last decimal; half a unit is rounded away from zero. */
function units(value: unknown, decimals: number): number | null {
  if (decimals === 0) return integer(value);
  return typeof value === 'number' ? Math.sign(value) * Math.round(Math.abs(value) * 10 ** decimals) : null;
}

/** What of a row is made of scores. */
const OF_SCORES = ['total_score', 'player_total', 'team_total', 'short_term_avg', 'long_term_avg'];

/** A row whose numbers are in units of scores' last decimal, with decimals. */
function inDecimals(row: Row, board: Leaderboard, decimals: number): Row {
  if (decimals === 0 || ('score' in board && board.score === 'Count')) return row;
  const entries = Object.entries(row).map(([name, value]) =>
    OF_SCORES.includes(name) ? [name, Number(value) / 10 ** decimals] : [name, value],
  );
  return Object.fromEntries(entries);
}

/**
 * Every row a board's topic should hold in the end: of season boards the rows of all seasons, of boards drawn
 * at instants those of every instant up to `untilMillis` (the watermark: up to there all windows are closed).
 */
export function expectedRows(
  board: Leaderboard,
  records: EventRecord[],
  counting: Counting,
  until: number,
  own?: Omit<OwnColumns, 'corrections'>,
): Row[] {
  const { decimals = 0 } = counting;
  return rowsInUnits(board, records, counting, until, own).map((row) => inDecimals(row, board, decimals));
}

function rowsInUnits(
  board: Leaderboard,
  records: EventRecord[],
  counting: Counting,
  until: number,
  own?: Omit<OwnColumns, 'corrections'>,
): Row[] {
  const { maxLateness, latestArrival, corrections } = counting;
  const isCounted = 'people' in board && board.people ? isPerson : () => true;
  const events = countedEvents(records, counting).filter(isCounted);
  switch (board.type) {
    case 'TopTeams':
    case 'TopPlayers':
    case 'TeamMvps':
      return seasonRows(board, events, latestArrival, { ...own, corrections });
    case 'HotStreakers':
      return hotStreakers(board, events, maxLateness, until);
    case 'Query':
      throw new Error('what a Query board should hold, its test says');
  }
}

/** The rows of all seasons of a board of totals; of one by value, those of all values. */
export function seasonRows(
  board: SeasonBoard,
  events: CountedEvent[],
  latestArrival?: number,
  { pointsOf, pickValue, corrections = false }: OwnColumns = {},
): Row[] {
  const inTime = events.filter(
    ({ time, producedAt }) =>
      producedAt < findSeason(board, time).end + (latestArrival ?? Number.POSITIVE_INFINITY),
  );
  const seasons = groupBy(inTime, ({ time }) => findSeason(board, time).start);
  return [...seasons].flatMap(([season_start, played]) =>
    byValue(board, played, pickValue).flatMap(([value, ofValue]) =>
      RANKINGS[board.type](pointsOf ? withPoints(board, ofValue, pointsOf, corrections) : ofValue, board)
        .slice(0, board.size)
        .map((row, index) => ({ season_start, ...value, rnk: index + 1, ...row })),
    ),
  );
}

/** Events by the value whose board they count on; all of them where there are no values. */
export function byValue(
  board: SeasonBoard,
  events: CountedEvent[],
  pickValue?: ValueOf,
): [value: { value?: string }, events: CountedEvent[]][] {
  if (!('by' in board) || board.by === undefined) return [[{}, events]];
  const ofEvent = pickValue ?? OWN_VALUES[board.by as EventField];
  const groups = groupBy(events, (event) => cut(ofEvent(event)) || null);
  return [...groups].flatMap(([value, own]) => (value === null ? [] : [[{ value }, own]]));
}

const OWN_VALUES: Record<EventField, ValueOf> = {
  user_id: ({ user }) => user,
  team_id: ({ team }) => team,
  team_name: ({ teamName }) => teamName,
  score: ({ score }) => String(score),
  event_time_millis: ({ time }) => String(time),
};

/** The characters of a text that are kept. */
function cut(text: string | null): string | null {
  return text && Array.from(text).slice(0, LONGEST_TEXT).join('');
}

/** The season of a board that an event of this time counts in; one for all has no end. */
export function findSeason({ calendar, seasonMillis }: SeasonBoard, time: number): CalendarSeason {
  if (calendar) return calendarSeason(calendar, time);
  if (!seasonMillis) return { start: 0, end: Number.POSITIVE_INFINITY };
  const start = time - (time % seasonMillis);
  return { start, end: start + seasonMillis };
}

/** The events that have points, with these in place of their scores. */
function withPoints(
  board: SeasonBoard,
  events: CountedEvent[],
  pointsOf: PointsOf,
  corrections: boolean,
): CountedEvent[] {
  return events.flatMap((event) => {
    const points = pointsOf(event);
    const isRefused =
      points === null ||
      !Number.isSafeInteger(points) ||
      (points < 0 && scoreOf(board) === 'Sum' && !corrections);
    return isRefused ? [] : [{ ...event, score: points }];
  });
}

export type ScoreName = keyof typeof SCORES;

export function scoreOf(board: SeasonBoard): ScoreName {
  return ('score' in board && board.score) || 'Sum';
}

/** What a score makes of the events of a player or a team, and whether the greatest is the first. */
const SCORES = {
  Sum: { compute: total, sign: 1 },
  Best: { compute: (events: CountedEvent[]) => Math.max(...events.map(({ score }) => score)), sign: 1 },
  Lowest: { compute: (events: CountedEvent[]) => Math.min(...events.map(({ score }) => score)), sign: -1 },
  Latest: { compute: latest, sign: 1 },
  Count: { compute: (events: CountedEvent[]) => events.length, sign: 1 },
};

/** The score of the newest event; of several, the greatest. */
function latest(events: CountedEvent[]): number {
  const newest = Math.max(...events.map(newness));
  return Math.max(...events.filter((event) => newness(event) === newest).map(({ score }) => score));
}

const RANKINGS = { TopTeams: topTeams, TopPlayers: topPlayers, TeamMvps: teamMvps };

function topTeams(events: CountedEvent[], board: SeasonBoard): Row[] {
  return ranked(events, 'team_id', ({ team }) => team, board);
}

function topPlayers(events: CountedEvent[], board: SeasonBoard): Row[] {
  return ranked(events, 'user_id', ({ user }) => user, board);
}

type ScoreRow = Row & { total_score: number };

function ranked(
  events: CountedEvent[],
  column: 'user_id' | 'team_id',
  holder: (event: CountedEvent) => string,
  board?: SeasonBoard,
): ScoreRow[] {
  const { compute, sign } = SCORES[board ? scoreOf(board) : 'Sum'];
  const isFirstToReach = board && 'ties' in board && board.ties === 'FirstToReach';
  return [...groupBy(events, holder)]
    .map(
      ([id, played]): ScoreRow => ({
        [column]: id,
        team_name: newestName(played),
        total_score: compute(played),
        ...(isFirstToReach && { reached_at: reachedAt(played, compute) }),
        last_event_at: lastEventAt(played),
      }),
    )
    .sort(
      (a, b) =>
        sign * (b.total_score - a.total_score) ||
        Number(a.reached_at ?? 0) - Number(b.reached_at ?? 0) ||
        compareBytes(String(a[column]), String(b[column])),
    );
}

/** When events, in the order in which they happened, first made the score that they make together. */
function reachedAt(events: CountedEvent[], compute: (events: CountedEvent[]) => number): number {
  const score = compute(events);
  const times = [...new Set(events.map(newness))].sort((a, b) => a - b);
  return times.find((time) => compute(events.filter((event) => newness(event) <= time)) === score)!;
}

function teamMvps(events: CountedEvent[], board: SeasonBoard): Row[] {
  const minimumEvents = 'minimumEvents' in board ? board.minimumEvents : 1;
  return [...groupBy(events, ({ team }) => team)]
    .filter(([, played]) => played.length >= minimumEvents)
    .map(([team_id, played]) => {
      const [best] = ranked(played, 'user_id', ({ user }) => user) as [ScoreRow & { user_id: string }];
      const team_total = total(played);
      return {
        user_id: best.user_id,
        team_id,
        team_name: newestName(played),
        player_total: best.total_score,
        team_total,
        // Where the others brought their team down, the best has more than all together.
        contrib_ratio: team_total > 0 ? Math.min(best.total_score / team_total, 1) : 0,
        last_event_at: lastEventAt(played),
      };
    })
    .sort(
      (a, b) =>
        shareSteps(b.contrib_ratio) - shareSteps(a.contrib_ratio) ||
        b.player_total - a.player_total ||
        compareBytes(a.team_id, b.team_id),
    );
}

/**
 * Shares compare in steps of 2^-62, which tell apart all that a DOUBLE can hold from a tenth of a percent up.
 */
function shareSteps(share: number): number {
  return Math.floor(share * 2 ** 62);
}

interface Moment {
  instant: number;
  user: string;
  teamName: string | null;
  short: number;
  long: number;
  hotness: number;
}

function hotStreakers(
  board: HotStreakersBoard,
  events: CountedEvent[],
  maxLateness: number,
  until: number,
): Row[] {
  const timely = events
    .map((event) => ({ ...event, time: Math.min(event.time, event.producedAt) }))
    .filter((event) => event.time > event.producedAt - maxLateness && event.score >= 0);
  const moments = momentsOf(board, timely, until);
  const instants = instantsOf(moments, board, until);
  return instants.flatMap((instant) => {
    const remembered = moments.filter(
      (m) => m.instant > instant - board.memoryMillis && m.instant <= instant,
    );
    return [...groupBy(remembered, ({ user }) => user)]
      .map(([user_id, own]) => ({
        user_id,
        ...peak(own),
      }))
      .sort((a, b) => b.peak_hotness - a.peak_hotness || compareBytes(a.user_id, b.user_id))
      .slice(0, board.size)
      .map((row, index) => ({ as_of: instant, rnk: index + 1, ...row }));
  });
}

/** Each player's hotness at each instant at which it has one: at which it played within the short window. */
function momentsOf(board: HotStreakersBoard, events: CountedEvent[], until: number): Moment[] {
  const byPlayer = groupBy(events, ({ user }) => user);
  return [...byPlayer].flatMap(([user, played]) => {
    const instants = new Set(
      played.flatMap(({ time }) => following(time, board.everyMillis, board.shortWindowMillis)),
    );
    return [...instants]
      .filter((instant) => instant <= until)
      .flatMap((instant) => {
        const longOnes = played.filter(
          ({ time }) => time >= instant - board.longWindowMillis && time < instant,
        );
        const shortOnes = longOnes.filter(({ time }) => time >= instant - board.shortWindowMillis);
        const [short, long] = [average(shortOnes), average(longOnes)];
        if (long === 0) return [];
        return [
          {
            instant,
            user,
            teamName: newestName(shortOnes),
            short,
            long,
            hotness: short / long,
          },
        ];
      });
  });
}

/** The multiples of `step` that a time's window of this length reaches. */
function following(time: number, step: number, length: number): number[] {
  const first = time - (time % step) + step;
  return Array.from({ length: length / step }, (_, i) => first + i * step);
}

function instantsOf(moments: Moment[], board: HotStreakersBoard, until: number): number[] {
  const all = moments.flatMap(({ instant }) =>
    Array.from({ length: board.memoryMillis / board.everyMillis }, (_, i) => instant + i * board.everyMillis),
  );
  return [...new Set(all)].filter((instant) => instant <= until).sort((a, b) => a - b);
}

/** The hottest moment, of equal ones the latest. */
function peak(moments: Moment[]) {
  const [best] = [...moments].sort((a, b) => b.hotness - a.hotness || b.instant - a.instant) as [Moment];
  return {
    team_name: best.teamName,
    short_term_avg: best.short,
    long_term_avg: best.long,
    peak_hotness: best.hotness,
    peak_at: best.instant,
  };
}

function average(events: CountedEvent[]): number {
  return total(events) / events.length;
}

/** No further from 0 than a score can be. */
function total(events: CountedEvent[]): number {
  const sum = events.reduce((sum, { score }) => sum + score, 0);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(sum, Number.MAX_SAFE_INTEGER));
}

/**
 * The name that the newest event with one has; of several, the greatest. An event is no newer than its
 * record.
 */
function newestName(events: CountedEvent[]): string | null {
  const named = events.flatMap(({ teamName: name, time, producedAt }) =>
    name === null ? [] : [{ name, at: Math.min(time, producedAt) }],
  );
  const [newest] = named.sort((a, b) => b.at - a.at || compareBytes(b.name, a.name));
  return newest?.name ?? null;
}

/** When an event happened. It is no newer than its record. */
function newness({ time, producedAt }: CountedEvent): number {
  return Math.min(time, producedAt);
}

function lastEventAt(events: CountedEvent[]): number {
  return Math.max(...events.map(({ producedAt }) => producedAt));
}

/** Order of UTF-8 bytes, which is Flink's order of strings. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function groupBy<T, K>(items: T[], key: (item: T) => K): Map<K, T[]> {
  return Map.groupBy(items, key);
}
