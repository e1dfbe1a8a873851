import type { GameAnalytics } from '../api/gameanalytics.ts';
import { LAST_EVENT, SEASON_START, VALUE } from '../contract/board.ts';
import { TEAM_FIELDS } from '../contract/event.ts';
import { type PlannedBoard, planBoard } from './boards.ts';
import { layOut, type StatementSlot } from './layout.ts';
import { type EventScan, eventTables, groupPrefix, planScan, planSink, type Sink, sinkTable } from './sql.ts';
import { template } from './sql-template.ts';

/**
 * What a SQL session over the pipeline begins with, as a script: a catalog with the events and each board as
 * views (docs/cli.md), and the tables that they are of. Queries of them end where the topics end.
 *
 * @param bootstrapServers of a listener without authentication
 */
export function sessionScript(resource: GameAnalytics, bootstrapServers: string): string {
  const open = withoutAuthentication(resource);
  const scan = { ...planScan(open, bootstrapServers, 1), isSession: true, group: sessionGroup(resource) };
  const boards = sessionBoards(resource);
  return SESSION({
    ...scan,
    name: resource.metadata.name,
    events: eventTables(scan),
    boards: layOut(open).slots.flatMap((slot, i) =>
      sessionSinks(open, slot, i).map((sink) => ({
        table: sinkTable(sink, scan.kafka),
        views: sessionViews(sink, scan, boards.get(slot.board.name)!),
      })),
    ),
  });
}

interface SessionSink extends Sink {
  isHistory: boolean;
}

/** A board's topic, and its history's when it keeps one: that has the same records. */
function sessionSinks(resource: GameAnalytics, slot: StatementSlot, index: number): SessionSink[] {
  const sink = planSink(resource, slot, index);
  const board = { ...sink, isHistory: false };
  const { historyTopic: topic } = planBoard(resource, resource.spec.leaderboards[index]!);
  return topic === undefined
    ? [board]
    : [board, { ...sink, name: `${sink.name}_history`, topic, isHistory: true }];
}

/** A session connects to a listener that asks for no sign-in. */
export function withoutAuthentication(resource: GameAnalytics): GameAnalytics {
  const { authentication: _, ...kafka } = resource.spec.kafka;
  return { ...resource, spec: { ...resource.spec, kafka } };
}

/** The consumer group of sessions over a resource's topics. */
export function sessionGroup(resource: GameAnalytics): string {
  return `${groupPrefix(resource)}-session`;
}

/** A board as a session has it. */
interface SessionBoard {
  /** Its name in snake case, with an ending if that is taken. */
  view: string;
  /** How many ranks it has: its topic may have more. */
  size: number;
}

function sessionBoards({ spec }: GameAnalytics): Map<string, SessionBoard> {
  const taken = new Set(['events', 'valid_events']);
  const all = (view: string) => ['', '_seasons', '_history'].map((suffix) => `${view}${suffix}`);
  return new Map(
    spec.leaderboards.map(({ name, size }) => {
      let view = name.replaceAll('-', '_');
      while (all(view).some((other) => taken.has(other))) view = `${view}_board`;
      for (const other of all(view)) taken.add(other);
      return [name, { view, size }];
    }),
  );
}

function sessionViews(
  { name, topic, board, isHistory }: SessionSink,
  { kafka, mapping }: EventScan,
  { view, size }: SessionBoard,
): string {
  const { period, by, rowColumns } = board;
  const records = `${name}_records`;
  const newest = `${name}_newest`;
  return (isHistory ? SESSION_HISTORY : SESSION_BOARD)({
    name,
    topic,
    kafka,
    digest: board.digest,
    size,
    records,
    newest,
    isHistory,
    deletions: `${name}_deletions`,
    source: isHistory ? records : newest,
    view: isHistory ? `${view}_history` : view,
    seasonsView: `${view}_seasons`,
    by,
    asOf: period?.kind === 'instant',
    hasSeasons: hasSeasons(board),
    keyFields: [SEASON_START, ...(by ? [VALUE] : [])].join(';'),
    rowColumns: rowColumns.map((column) => column.name),
    columns: rowColumns
      .filter((column) => mapping.hasTeams || !TEAM_FIELDS.includes(column.name))
      .map((column) => ({
        name: column.name,
        isTime: column.shown?.type === 'time' || column.name === LAST_EVENT,
      })),
  }).trim();
}

function hasSeasons({ source, period }: PlannedBoard): boolean {
  if (period?.kind !== 'season') return false;
  return source.type === 'Query' || period.lengthMillis !== undefined || period.calendar !== undefined;
}

const SESSION = template('session/script');
const SESSION_BOARD = template('session/board');
const SESSION_HISTORY = template('session/history');
