import type { Leaderboard, QueryBoard } from '../../api/boards/types.ts';
import { hasCorrections } from '../../api/events.ts';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { Problem } from '../../api/parse.ts';
import { planEventMapping } from '../../plan/event-mapping.ts';
import { sqlScript } from '../../plan/sql.ts';
import { type FlinkCause, type Place, parseCause } from '../flink/error.ts';
import { advised, rankKey } from './advice.ts';
import { SqlError, type SqlGateway, type SqlSession, SqlTimeout } from './gateway.ts';
import { placeWithin } from './place.ts';
import { splitScript } from './statements.ts';

/**
 * What Flink says of a resource's SQL. A path names the board, and the place in its query where there is one.
 */
export interface Explained {
  /** What Flink refuses, or would write into the wrong columns. */
  problems: Problem[];
  /** What works, and is slow. */
  warnings: Problem[];
}

/**
 * Has Flink plan every statement of a resource's pipeline, each by itself and none of them run. No Kafka is
 * needed.
 */
export async function explainResource(gateway: SqlGateway, resource: GameAnalytics): Promise<Explained> {
  const unreadable = await explainMapping(gateway, resource);
  if (unreadable.length > 0) return { problems: unreadable, warnings: [] };
  const { preparation, inserts } = splitScript(sqlScript(resource, NO_KAFKA));
  const session = await preparedSession(gateway, resource, preparation);
  // Without its settings and tables nothing of it can be planned.
  if ('message' in session) return { problems: [{ path: 'spec', ...session }], warnings: [] };
  const found: Explained = { problems: [], warnings: fallingTotals(resource) };
  for (const { insert, subject } of ownSqlFirst(resource, inserts)) {
    try {
      const { problems, warnings } = await explainInsert(session, subject, insert);
      found.problems.push(...problems);
      found.warnings.push(...warnings);
    } catch (error) {
      if (!(error instanceof SqlTimeout)) throw error;
      found.problems.push({ path: subject.path, message: error.message });
      // Flink keeps planning it, and the next statements would wait for that.
      break;
    }
  }
  return found;
}

async function explainMapping(gateway: SqlGateway, resource: GameAnalytics): Promise<Problem[]> {
  const { events } = resource.spec;
  if (!events.columns && !events.fields) return [];
  const { columns, fields } = planEventMapping(events);
  const session = await gateway.openSession(ONLY_PLANNED);
  const declared = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ');
  await session.execute(
    `CREATE TEMPORARY TABLE records (${declared}) WITH (
      'connector' = 'kafka', 'topic' = 'none', 'properties.bootstrap.servers' = '${NO_KAFKA}',
      'scan.startup.mode' = 'earliest-offset', 'format' = 'json')`,
  );
  const problems: Problem[] = [];
  for (const { sql, from } of fields) {
    const statement = `EXPLAIN SELECT\n${sql}\nFROM records`;
    const cause = await session.execute(statement).then(() => undefined, refusal);
    const own = events.fields?.[from] ?? '';
    const place = cause?.place && placeWithin(statement, cause.place, own);
    const path = `spec.events.fields.${from}`;
    if (cause) problems.push({ path: withPlace(path, place), message: cause.message });
  }
  return problems;
}

function withPlace(path: string, place: Place | undefined): string {
  return place ? `${path}, line ${place.line}, column ${place.column}` : path;
}

/** Planning asks no broker. */
const NO_KAFKA = 'kafka:9092';

/** Of code that never runs no method is too long: to cut up the long ones takes a sixth of the planning. */
export const ONLY_PLANNED = { 'table.generated-code.max-length': '1000000' };

async function preparedSession(
  gateway: SqlGateway,
  resource: GameAnalytics,
  preparation: string[],
): Promise<SqlSession | FlinkCause> {
  try {
    const session = await gateway.openSession({ ...tableOptions(resource), ...ONLY_PLANNED });
    for (const statement of preparation) await session.execute(statement);
    return session;
  } catch (error) {
    return refusal(error);
  }
}

function tableOptions({ spec }: GameAnalytics): Record<string, string> {
  const options = Object.entries(spec.flink.configuration);
  return Object.fromEntries(options.filter(([key]) => key.startsWith('table.')));
}

function refusal(error: unknown): FlinkCause {
  if (error instanceof SqlError) return parseCause(error.message);
  throw error;
}

/** What a statement fills: a table, and the board that it is of. */
interface Subject {
  table: string;
  board: Leaderboard | undefined;
  /** Of the board in the resource. */
  index: number;
  /** Names the board, and the field that has its SQL where it is one. */
  path: string;
  /** Whether a sum of scores can fall. */
  sumsFall: boolean;
}

/**
 * What a user wrote, before what every pipeline has: the first statement that Flink plans also takes the time
 * that it needs to load its planner, so a query that does not end must not be blamed on another one.
 */
function ownSqlFirst(resource: GameAnalytics, inserts: string[]): { insert: string; subject: Subject }[] {
  const all = inserts.map((insert) => ({ insert, subject: findSubject(resource, insert) }));
  return [...all.filter(({ subject }) => subject.board), ...all.filter(({ subject }) => !subject.board)];
}

function findSubject({ spec }: GameAnalytics, insert: string): Subject {
  const [, table = ''] = /\bINSERT INTO\s+`?([\w-]+)/.exec(insert) ?? [];
  const index = spec.leaderboards.findIndex(({ name }) => name === table);
  const board = spec.leaderboards[index];
  const path = board ? boardPath(board, index, onlyField(board)) : `the SQL of ${table}`;
  return { table, index, board, path, sumsFall: hasCorrections(spec.events) };
}

async function explainInsert(session: SqlSession, subject: Subject, insert: string): Promise<Explained> {
  const { board, index, path } = subject;
  const found = board?.type === 'Query' && (await explainQuery(session, board, subject));
  if (found && found.problems.length > 0) return found;
  const statement = `EXPLAIN ${insert}`;
  const plan = await session.execute(statement).then(String, refusal);
  if (typeof plan === 'string') return found || { problems: [], warnings: [] };
  const problem =
    plan.place && board ? placed(board, index, statement, plan) : { path, message: plan.message };
  return { problems: [problem], warnings: [] };
}

function boardPath(board: Leaderboard, index: number, field: string | undefined): string {
  return `spec.leaderboards[${index}]${field ? `.${field}` : ''} (${board.name})`;
}

function ownSql(board: Leaderboard): [field: string, text: string][] {
  if (board.type === 'Query') return [['query', board.query]];
  const { where, of } = { of: undefined, ...board };
  return Object.entries({ where, of }).flatMap(([field, text]) =>
    text === undefined ? [] : [[field, text]],
  );
}

function onlyField(board: Leaderboard): string | undefined {
  const [first, ...others] = ownSql(board);
  return others.length === 0 ? first?.[0] : undefined;
}

function placed(
  board: Leaderboard,
  index: number,
  statement: string,
  { place, message }: FlinkCause,
): Problem {
  const own = ownSql(board);
  for (const [field, text] of own) {
    const within = place && placeWithin(statement, place, text);
    if (!within) continue;
    return { path: withPlace(boardPath(board, index, field), within), message: advised(message, board) };
  }
  return { path: boardPath(board, index, onlyField(board)), message: advised(message, board) };
}

/**
 * What Flink says of a query for the columns of its board, with one row for each rank. The board is one
 * record, in which the planner sees no rows, so the query is planned into a table of its rows.
 */
async function explainQuery(
  session: SqlSession,
  board: QueryBoard,
  { table, index, path, sumsFall }: Subject,
): Promise<Explained> {
  const columns = board.columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ');
  await session.execute(
    `CREATE TEMPORARY TABLE \`rows_of_${table}\` (${columns}, PRIMARY KEY (${rankKey(board).join(', ')}) NOT ENFORCED) WITH (
      'connector' = 'upsert-kafka', 'topic' = 'none', 'properties.bootstrap.servers' = '${NO_KAFKA}',
      'key.format' = 'json', 'value.format' = 'json')`,
  );
  const statement = `EXPLAIN INSERT INTO \`rows_of_${table}\`\n${board.query.trim()}`;
  const plan = await session.execute(statement).then(String, refusal);
  const failed = typeof plan === 'string' ? undefined : plan;
  if (failed?.place) return { problems: [placed(board, index, statement, failed)], warnings: [] };
  const swapped = misplaced(board, await resultNames(session, board, `result_of_${table}`));
  if (swapped) return { problems: [{ path, message: swapped }], warnings: [] };
  if (failed) return { problems: [{ path, message: advised(failed.message, board) }], warnings: [] };
  return {
    problems: [],
    warnings: String(plan).includes(RETRACTING_RANK) ? [{ path, message: slowRank(sumsFall) }] : [],
  };
}

/** Flink’s name for a rank that keeps every row of its partition and sorts it for every change. */
const RETRACTING_RANK = 'Rank(strategy=[RetractStrategy]';

function slowRank(sumsFall: boolean): string {
  const sum = sumsFall ? 'SUM(score) of events WHERE score >= 0' : 'SUM(score)';
  return `its rank is slow with many players or teams, because Flink keeps all rows that it ranks and sorts them for every change. It is fast when ORDER BY has nothing but totals that only grow (${sum} or COUNT(*), descending, without a CAST inside) and, for ties, columns of the GROUP BY`;
}

/** What corrections cost the boards of totals, which their own SQL does not show. */
function fallingTotals({ spec }: GameAnalytics): Problem[] {
  const falling = spec.leaderboards.filter(
    (board) =>
      board.type === 'TeamMvps' ||
      ((board.type === 'TopTeams' || board.type === 'TopPlayers') && board.score === undefined),
  );
  if (!hasCorrections(spec.events) || falling.length === 0) return [];
  const names = falling.map(({ name }) => name).join(', ');
  const message = `with Correct, the totals of ${names} can fall. Their ranks take more CPU than those of totals that only grow, because a total that changes is taken out and sorted in again`;
  return [{ path: 'spec.events.negativeScores', message }];
}

/** Names of the columns that a query results in; none when two are the same, for then Flink does not tell. */
async function resultNames(session: SqlSession, { query }: QueryBoard, view: string): Promise<string[]> {
  try {
    await session.execute(`CREATE TEMPORARY VIEW \`${view}\` AS\n${query}\n`);
    return (await session.execute(`DESCRIBE \`${view}\``)).map(([column]) => String(column));
  } catch (error) {
    refusal(error);
    return [];
  }
}

/**
 * Flink fills the columns in the query's order, whatever their names. A column that results under the name of
 * another one of the board is taken for a mistake, which types alone need not show.
 */
function misplaced({ columns }: QueryBoard, names: string[]): string | undefined {
  if (names.length !== columns.length) return undefined;
  const wrong = names.findIndex(
    (name, i) => name !== columns[i]?.name && columns.some((column) => column.name === name),
  );
  if (wrong < 0) return undefined;
  return `its columns are in another order than the board’s: column ${wrong + 1} is ${names[wrong]}, and columns says ${columns[wrong]?.name}`;
}
