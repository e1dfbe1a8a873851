import { type ConditionalBoard, longestMillis } from '../api/boards/shared-fields.ts';
import { BOARD_TYPES, getBoardType, type Leaderboard } from '../api/boards/types.ts';
import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { DEFAULT_KEEP_SEASONS, type Period, SEASON_START, VALUE } from '../contract/board.ts';
import { type Calendar, endOffsets, firstWeekDay, localOffsets, startOffsets } from '../contract/calendar.ts';
import { maxRecordBytes, type PlannedBoard, planBoard } from './boards.ts';
import { CONTRACT_SQL } from './contract-sql.ts';
import { planEventMapping } from './event-mapping.ts';
import { connectorOptions } from './kafka-access.ts';
import { type Layout, layOut, type StatementSlot } from './layout.ts';
import { registryOptions } from './schema-registry.ts';
import { template } from './sql-template.ts';
import { eventsTopic, statsTopic } from './topics.ts';

/**
 * The pipeline's Flink SQL script: settings, the events, one sink per board, and one statement set that fills
 * them all.
 *
 * @param layout in which order the statements stand, and which events each reads
 * @throws RangeError when a number of the resource is none
 */
export function sqlScript(
  resource: GameAnalytics,
  bootstrapServers: string,
  layout: Layout = layOut(resource),
): string {
  const { name } = resource.metadata;
  const scans = [...new Set(layout.slots.map(({ scan }) => scan))].map((scan) =>
    planScan(resource, bootstrapServers, scan),
  );
  const first = scans[0]!;
  const sinks = layout.slots.map((slot, i) => planSink(resource, slot, i));
  return SCRIPT({
    name,
    mapping: first.mapping,
    uidFormat: `${layout.generation}-<id>_<transformation>`,
    stateTtl: `${stateTtlMillis(resource)} ms`,
    events: scans.flatMap((scan) => [eventTables(scan), ...calendarViews(layout, scan)]),
    statsTables: statsTables(resource, first),
    stats: STATS({
      ...planStats(resource, first),
      seasons: first.latestArrivalMillis > 0 ? distinctSeasons(layout) : [],
    }).trim(),
    boards: sinks.map((sink) => ({
      table: sinkTable(sink, first.kafka),
      insert: insert(sink, first, totalsTtlMillis(resource, sink.slot.board)),
    })),
  });
}

/** A scan of the events, as the templates take it. */
export type EventScan = ReturnType<typeof planScan>;

/** The scan of a resource's events with that number. */
export function planScan(resource: GameAnalytics, bootstrapServers: string, scan: number) {
  const { events, flink } = resource.spec;
  return {
    scan,
    isSession: false,
    isPeek: false,
    kafka: connectorOptions(resource, bootstrapServers),
    mapping: planEventMapping(events),
    isCsv: events.format === 'csv',
    isOwnTopic: events.topic !== undefined,
    registry: registryOptions(resource),
    deduplicateMillis: optionalMillis(events.deduplicate),
    maxLatenessMillis: millis(events.maxLateness),
    /** 0: seasons are never frozen. */
    latestArrivalMillis: optionalMillis(events.latestArrival),
    parallelism: flink.parallelism,
    ...eventViews(scan),
    topic: eventsTopic(resource),
    group: scanGroup(resource, scan),
  };
}

/**
 * How the names of all consumer groups of a resource's job begin. A dot is in no resource's name, so no other
 * resource's groups begin so.
 */
export function groupPrefix({ metadata }: GameAnalytics): string {
  return `${metadata.name}.flink`;
}

/** The consumer group of a scan of the events, in which the job commits offsets at each checkpoint. */
export function scanGroup(resource: GameAnalytics, scan: number): string {
  return `${groupPrefix(resource)}${scan === 1 ? '' : `-${scan}`}`;
}

/** The consumer groups in which the job reads what it counts: the events, and all messages. */
export function countingGroups(resource: GameAnalytics): [events: string, messages: string] {
  return [scanGroup(resource, 1), `${groupPrefix(resource)}-stats`];
}

function eventViews(scan: number) {
  const suffix = scan === 1 ? '' : `_${scan}`;
  return {
    rawEvents: `raw_events${suffix}`,
    decodedEvents: `decoded_events${suffix}`,
    identifiedEvents: `identified_events${suffix}`,
    validEvents: `valid_events${suffix}`,
  };
}

/** The definitions of the tables of the statistics: what they count, and where they are written. */
export function statsTables(resource: GameAnalytics, scan: EventScan): string {
  return STATS_TABLES(planStats(resource, scan));
}

function planStats(resource: GameAnalytics, scan: EventScan) {
  return {
    ...scan,
    topic: statsTopic(resource),
    eventsTopic: eventsTopic(resource),
    group: countingGroups(resource)[1],
  };
}

function optionalMillis(duration: string | undefined): number {
  return duration === undefined ? 0 : millis(duration);
}

/** The seasons that boards have, as the SQL computes their ends: each once, in an order of their own. */
export function distinctSeasons({ slots }: Layout): object[] {
  const seasons = slots.flatMap(({ board, removed }) => {
    if (removed || !('seasonMillis' in board) || longestMillis(board) === undefined) return [];
    const { calendar, seasonMillis } = board;
    return [{ calendar, seasonMillis }];
  });
  const distinct = new Map(seasons.map((season) => [JSON.stringify(season), season]));
  const ordered = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, season]) => season);
  return ordered.map((season) => ({
    ...season,
    ...(season.calendar && calendarArithmetic(season.calendar)),
  }));
}

/** The definition of a scan's table and its views. */
export function eventTables(scan: EventScan): string {
  return EVENTS(scan);
}

/** The views of a scan with the seasons of the calendars that its boards have. */
function calendarViews({ slots }: Layout, { scan, validEvents, latestArrivalMillis }: EventScan): string[] {
  const calendars = slots.flatMap(({ board, ...slot }) =>
    slot.scan === scan && 'calendar' in board && board.calendar ? [board.calendar] : [],
  );
  const views = new Map(calendars.map((calendar) => [calendarView(validEvents, calendar), calendar]));
  return [...views].map(([name, calendar]) =>
    CALENDAR({
      name,
      validEvents,
      latestArrivalMillis,
      calendar,
      timeZone: calendar.timeZone,
      ...calendarArithmetic(calendar),
    }),
  );
}

/** What the SQL computes the start and the end of a calendar's season by. */
function calendarArithmetic(calendar: Calendar) {
  return {
    isMonth: calendar.every === 'Month',
    firstMillis: calendar.every === 'Week' ? firstWeekDay(calendar) * DAY : 0,
    lengthMillis: calendar.every === 'Week' ? 7 * DAY : DAY,
    offsets: localOffsets(calendar.timeZone),
    startOffsets: startOffsets(calendar),
    endOffsets: endOffsets(calendar),
  };
}

const DAY = millis('1d');

function calendarView(validEvents: string, { every, weekStart, timeZone }: Calendar): string {
  return [validEvents, every, ...(weekStart ? [weekStart] : []), timeZone].join('_');
}

/** A table that a statement fills. */
export interface Sink {
  name: string;
  topic: string;
  board: PlannedBoard;
  slot: StatementSlot;
}

/** A board's topic; that of a board that is gone leads to nothing. */
export function planSink(resource: GameAnalytics, slot: StatementSlot, index: number): Sink {
  const board = planBoard(resource, slot.board);
  return { name: slot.removed ? `removed_${index + 1}` : board.name, topic: board.topic, board, slot };
}

/** The definition of the table. */
export function sinkTable({ name, topic, board, slot }: Sink, kafka: Record<string, string>): string {
  const asOf = board.period?.kind === 'instant';
  const connector = asOf ? 'kafka' : 'upsert-kafka';
  const { rowColumns, by } = board;
  const maxBytes = maxRecordBytes(board);
  return (slot.removed ? REMOVED : BOARD)({
    name,
    topic,
    kafka,
    by,
    asOf,
    connector,
    rowColumns,
    maxBytes,
  });
}

function insert({ name, board, slot }: Sink, scan: EventScan, ttlMillis: number): string {
  const { period, digest, by, rowColumns } = board;
  const template = period?.kind === 'instant' ? INSTANT_INSERT : BOARD_INSERT;
  return template({
    name,
    digest,
    by,
    size: slot.board.size,
    hasSeasons: period?.kind === 'season',
    columns: selectColumns(board),
    // Text that a query makes may be of any length; ids and names of events are bounded.
    cells: rowColumns.map(({ name, type, isOfScores }) => ({
      name,
      unitsInOne: isOfScores && scan.mapping.scoreDecimals > 0 ? 10 ** scan.mapping.scoreDecimals : undefined,
      isText: slot.board.type === 'Query' && type === 'STRING',
    })),
    select: select(slot, period, scan, ttlMillis),
  }).trim();
}

function selectColumns({ source, period, by, rowColumns }: PlannedBoard): string[] {
  if (source.type === 'Query') return source.columns.map(({ name }) => name);
  return [
    ...(period?.kind === 'season' ? [SEASON_START] : []),
    ...(by ? [VALUE] : []),
    ...rowColumns.map(({ name }) => name),
  ];
}

/**
 * How long state is kept unchanged: as long as the totals of every board need it, and ids of events in
 * addition for as long as they count once.
 */
function stateTtlMillis(resource: GameAnalytics): number {
  const { leaderboards, events } = resource.spec;
  const longest = Math.max(...leaderboards.map((board) => totalsTtlMillis(resource, board)));
  return Math.min(FOR_EVER_MILLIS, longest + optionalMillis(events.deduplicate));
}

/**
 * How long an unchanged total of a board is kept: as long as its season is readable, so that what is shown is
 * exact however late an event comes and however long the job was away. No event of a frozen season is read
 * later than Kafka keeps it, and what it adds to is no older than the season. Another hour is for clocks.
 * Forever where there is one season only, and where nothing is known of the seasons.
 */
function totalsTtlMillis({ spec }: GameAnalytics, board: Leaderboard): number {
  if (board.type === 'Query') return FOR_EVER_MILLIS;
  if (!('seasonMillis' in board)) return HOUR;
  const longest = longestMillis(board);
  if (longest === undefined) return FOR_EVER_MILLIS;
  const readable = (keptSeasons(spec.leaderboards, board) + 1) * longest;
  const { latestArrival, retention } = spec.events;
  if (latestArrival === undefined) return readable + HOUR;
  const counts = longest + millis(latestArrival);
  return Math.max(counts, Math.min(readable, counts + millis(retention))) + HOUR;
}

/** Statements do not say how many seasons are kept: that changes what is readable, not what is computed. */
function keptSeasons(leaderboards: Leaderboard[], { name }: Leaderboard): number {
  const board = leaderboards.find((one) => one.name === name);
  return (board && 'keepSeasons' in board ? board.keepSeasons : undefined) ?? DEFAULT_KEEP_SEASONS;
}

const HOUR = millis('1h');

/**
 * A hundred years: with no time at all (0) state would have another form, and a job could not restore the
 * state of the other.
 */
const FOR_EVER_MILLIS = millis('36500d');

function select(
  { board, scan }: StatementSlot,
  period: Period,
  { mapping, maxLatenessMillis }: EventScan,
  ttlMillis: number,
): string {
  const views = eventViews(scan);
  if (board.type === 'Query') return queried(board.query, views.validEvents);
  const calendar = 'calendar' in board ? board.calendar : undefined;
  const validEvents = calendar ? calendarView(views.validEvents, calendar) : views.validEvents;
  const more = getBoardType(board).templateValues?.(board, mapping);
  const by = 'by' in board ? board.by : undefined;
  const values = {
    ...board,
    ...more,
    by,
    calendar,
    validEvents,
    mapping,
    maxLatenessMillis,
    ttlMillis,
    latestArrivalMillis: period?.kind === 'season' ? period.latestArrivalMillis : undefined,
    condition: condition(board),
  };
  return SELECTS.get(board.type)!(values).trim();
}

/**
 * What events must fulfil to count for a board. A comment may end what the resource says; the new line ends
 * the comment.
 */
function condition({ where, people }: ConditionalBoard): string | undefined {
  if (!people) return where;
  const isPerson = `NOT (${CONTRACT_SQL['is-robot']})`;
  return where === undefined ? isPerson : `${isPerson} AND (\n${where.trim()}\n)`;
}

/**
 * A query names the events of the first scan; in another, that name stands for the scan's own. A comment may
 * end a query; the new line ends the comment.
 */
function queried(query: string, events: string): string {
  if (events === 'valid_events') return query.trim();
  return `WITH valid_events AS (SELECT * FROM ${events})\nSELECT * FROM (\n${query.trim()}\n)`;
}

const SCRIPT = template('script');
const EVENTS = template('events');
const CALENDAR = template('calendar');
const STATS_TABLES = template('pipeline-stats-tables');
const STATS = template('pipeline-stats');
const BOARD = template('board');
const BOARD_INSERT = template('board-insert');
const INSTANT_INSERT = template('instant-insert');
const REMOVED = template('removed');
const SELECTS = new Map(
  BOARD_TYPES.flatMap(({ name, template: select }) => (select ? [[name, template(select)] as const] : [])),
);
