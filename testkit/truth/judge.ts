import type { HotStreakersBoard } from '../../api/boards/types.ts';
import type { SeasonResult } from '../../contract/results.ts';
import { SLOT_MILLIS } from '../../contract/stats.ts';
import type { PlannedBoard } from '../../plan/boards.ts';
import { topicRanks } from '../../plan/layout.ts';
import { inFieldOrder } from '../oracle/boards.ts';
import type { CalendarSeason } from '../oracle/calendar.ts';
import {
  byValue,
  type CountedEvent,
  type Counting,
  countedEvents,
  type EventRecord,
  expectedRows,
  findSeason,
  type Row,
  type ScoreName,
  type SeasonBoard,
  scoreOf,
  seasonRows,
} from '../oracle/oracle.ts';
import { GREATEST, type Measure, type Places, Season, SUM } from './prefixes.ts';
import type { SeenAnswer, SeenFrame, SeenRecord } from './watchers.ts';

/** The events topic, each partition's records in their order. */
export type PartitionedEvents = EventRecord[][];

/** A board that was seen and is of no moment, or that came when it should not. */
export interface Falsehood {
  what: string;
  seen: unknown;
}

/** What the oracle cannot know of a Query board. */
export interface QueryTruth {
  compute: (events: CountedEvent[]) => Row[];
  measure: Measure;
  /** The season that an event of this time counts in. */
  findSeason: (time: number) => CalendarSeason;
  /** The value whose board an event counts on; undefined where boards have none. */
  pickValue?: (event: CountedEvent) => string | undefined;
  /** How long after its end a season is frozen, in milliseconds; undefined: never. */
  latestArrival?: number;
}

/** What events come to by a board's score, and the sign that makes it a total that never falls. */
const SCORES: Record<ScoreName, Pick<Measure, 'amount' | 'fold'> & { sign: number }> = {
  Sum: { amount: ({ score }) => score, fold: SUM, sign: 1 },
  Count: { amount: () => 1, fold: SUM, sign: 1 },
  Best: { amount: ({ score }) => score, fold: GREATEST, sign: 1 },
  Lowest: { amount: ({ score }) => -score, fold: GREATEST, sign: -1 },
  // It falls, so that it says nothing of what was read.
  Latest: { amount: () => 0, fold: SUM, sign: 0 },
};

function createMeasure(board: SeasonBoard): Measure {
  const { amount, fold, sign } = SCORES[scoreOf(board)];
  const totalColumn = board.type === 'TeamMvps' ? 'team_total' : 'total_score';
  return {
    amount,
    fold,
    total: (row) => (sign === 0 ? 0 : sign * Number(row[totalColumn])),
    ...(board.type === 'TopPlayers'
      ? { holder: ({ user }: CountedEvent) => user, holderColumn: 'user_id' }
      : { holder: ({ team }: CountedEvent) => team, holderColumn: 'team_id' }),
    lastEventColumn: 'last_event_at',
  };
}

/** The records of a board's topic that are the board of no prefix of the events. */
export function falseRecords(
  board: PlannedBoard,
  records: SeenRecord[],
  events: PartitionedEvents,
  counting: Counting,
  query?: QueryTruth,
): Falsehood[] {
  if (board.source.type === 'HotStreakers')
    return falseInstants(board, board.source, records, events, counting);
  const truth = board.source.type === 'Query' ? query : seasonTruth(board.source, counting);
  if (!truth) throw new Error(`what ${board.name} should hold, its test says`);
  const byKey = Map.groupBy(records, recordKey);
  return [...byKey.values()].flatMap((ofKey) => falseInSeason(board, truth, ofKey, events));
}

function seasonTruth(source: SeasonBoard, { latestArrival }: Counting): QueryTruth {
  const size = topicRanks(source);
  return {
    compute: (played) => seasonRows({ ...source, size }, played),
    measure: createMeasure(source),
    findSeason: (time) => findSeason(source, time),
    pickValue: (event) => byValue(source, [event])[0]?.[0].value,
    ...(latestArrival !== undefined && { latestArrival }),
  };
}

/** What records of the same season and value have in common. */
function recordKey({ season, boardValue }: { season: number; boardValue?: string | undefined }): string {
  return JSON.stringify([season, boardValue]);
}

/** Of records with one key. */
function falseInSeason(
  board: PlannedBoard,
  {
    compute,
    measure,
    findSeason,
    pickValue = () => undefined,
    latestArrival = Number.POSITIVE_INFINITY,
  }: QueryTruth,
  records: SeenRecord[],
  events: PartitionedEvents,
): Falsehood[] {
  const { season, boardValue } = records[0]!;
  const played = events.map((partition) =>
    countedEvents(partition).filter((event) => {
      const { start, end } = findSeason(event.time);
      return start === season && event.producedAt < end + latestArrival && pickValue(event) === boardValue;
    }),
  );
  const all = new Season(played, measure);
  let places: Places = played.map(() => 0);
  return records.flatMap(({ value, at }) => {
    const rows = rowsIn(value);
    const found = all.find(rows, (some) => compute(some).map(plain), places);
    if (found) places = found;
    return found ? [] : [{ what: `a record of ${board.name}`, seen: { at, season, boardValue, value } }];
  });
}

/** A record's rows with their fields in the order of their names. */
function rowsIn(value: string | null): Row[] {
  const rows = value === null ? [] : (JSON.parse(value).rows as Row[]);
  return rows.map(plain).sort((a, b) => Number(a.rnk) - Number(b.rnk));
}

function plain({ season_start: _, as_of: __, value: ___, ...row }: Row): Row {
  return inFieldOrder(row);
}

/**
 * Boards of instants depend on nothing but the events that came in time, so all of them are known in the end.
 */
function falseInstants(
  board: PlannedBoard,
  source: HotStreakersBoard,
  records: SeenRecord[],
  events: PartitionedEvents,
  counting: Counting,
): Falsehood[] {
  const instants = records.map(({ value }) => Number(JSON.parse(value ?? '{}').as_of));
  const all = expectedRows(
    { ...source, size: topicRanks(source) },
    events.flat(),
    counting,
    Math.max(...instants),
  );
  const expected = Map.groupBy(all, ({ as_of }) => Number(as_of));
  return records.flatMap(({ value, at }, i) => {
    const right = JSON.stringify((expected.get(instants[i]!) ?? []).map(plain));
    return JSON.stringify(rowsIn(value)) === right
      ? []
      : [{ what: `a record of ${board.name}`, seen: { at, value } }];
  });
}

/** A board as a reader of the topic has it, and as the dashboard must show it. */
interface Known {
  /** Start of the season, or the instant; epoch milliseconds. */
  period: number;
  rows: Row[];
}

function knownBoards(board: PlannedBoard, records: SeenRecord[]): Known[] {
  return records.flatMap(({ season, value }) =>
    value === null
      ? []
      : [
          {
            period: board.period?.kind === 'instant' ? Number(JSON.parse(value).as_of) : season,
            rows: rowsIn(value).filter(({ rnk }) => Number(rnk) <= board.size),
          },
        ],
  );
}

/**
 * Answers of the API that are no board of the topic, or of an earlier season than one that was answered
 * before.
 */
export function falseAnswers(board: PlannedBoard, records: SeenRecord[], answers: SeenAnswer[]): Falsehood[] {
  const own = answers.filter(({ path }) => path.split('?')[0] === `/api/boards/${board.name}`);
  const byValue = Map.groupBy(own, ({ path }) => new URLSearchParams(path.split('?')[1]).get('by'));
  return [...byValue].flatMap(([value, ofValue]) =>
    falseAnswersOf(
      board,
      records.filter(({ boardValue = null }) => boardValue === value),
      ofValue,
    ),
  );
}

function falseAnswersOf(board: PlannedBoard, records: SeenRecord[], answers: SeenAnswer[]): Falsehood[] {
  // The dashboard does not know how long a query's seasons are, so it does not say which one it shows.
  const hasPeriod =
    board.period?.kind === 'instant' || (board.period?.lengthMillis ?? board.period?.calendar) !== undefined;
  const known = new Set(
    knownBoards(board, records).map(({ period, rows }) => key(hasPeriod ? period : 0, rows, board)),
  );
  let newest = Number.NEGATIVE_INFINITY;
  return answers.flatMap((answer) => {
    const { path, status, body } = answer;
    if (status === 404 && (path.endsWith('season=last') || !hasPlayed(board, records, answer))) return [];
    const period = Date.parse(body.season?.start ?? body.asOf ?? '1970-01-01');
    const rows = (body.rows ?? []).map(({ rank, ...row }) => ({ ...row, rnk: rank }) as Row);
    if (rows.length === 0 && newest === Number.NEGATIVE_INFINITY) return [];
    const isBackward = !path.includes('season=last') && period < newest;
    if (!path.includes('season=last')) newest = Math.max(newest, period);
    const isKnown = known.has(key(period, rows, board));
    return isKnown && isOverWhenItSays(answer) && !isBackward
      ? []
      : [{ what: `an answer to ${path}`, seen: answer }];
  });
}

/** Within this time, in milliseconds, the dashboard has read what a watcher of the topic has. */
const READ_MILLIS = 10_000;

/** Whether a board had records of the season of an answer, of which the answer must know. */
function hasPlayed({ source, by }: PlannedBoard, records: SeenRecord[], { at }: SeenAnswer): boolean {
  if (!by) return true;
  const { start } = findSeason(source as SeasonBoard, at);
  return records.some((record) => record.season === start && record.at < at - READ_MILLIS);
}

/** Results that are not what the topic of their board has in the end, or that say two things by one id. */
export function falseResults(
  board: PlannedBoard,
  records: SeenRecord[],
  results: SeasonResult[],
): Falsehood[] {
  const last = new Map(records.map((record) => [recordKey(record), record]));
  const own = results.filter(({ data }) => data.board === board.name);
  const contents = Map.groupBy(own, ({ id }) => id);
  return own.flatMap((result) => {
    const { season, value, rows } = result.data;
    const record = last.get(recordKey({ season: Date.parse(season.start), boardValue: value }));
    const [final] = record ? knownBoards(board, [record]) : [];
    const told = rows.map(({ rank, ...row }) => plain({ ...row, rnk: rank } as Row));
    const isFinal = final !== undefined && JSON.stringify(final.rows) === JSON.stringify(told);
    return isFinal && contents.get(result.id)!.length === 1
      ? []
      : [{ what: `a result of ${board.name}`, seen: { result, final } }];
  });
}

const RATE_MILLIS = 60_000;
/** The rate of a pipeline that lags more is not shown. */
const LAG_MILLIS = 40_000;

/** Answers of /api/stats with counts that the events never had, where every message is an event. */
export function falseStats(events: PartitionedEvents, answers: SeenAnswer[]): Falsehood[] {
  const slotOf = (millis: number) => millis - (millis % SLOT_MILLIS);
  const counts = new Map<number, number>();
  for (const { producedAt } of events.flat())
    counts.set(slotOf(producedAt), (counts.get(slotOf(producedAt)) ?? 0) + 1);

  return answers
    .filter(({ path }) => path === '/api/stats')
    .flatMap((answer) => {
      const { body, at } = answer;
      const { slots = [], eventsPerSecond: rate = null } = body;
      const first = Date.parse(slots[0]?.start ?? '');
      const rates = Array.from({ length: LAG_MILLIS / SLOT_MILLIS }, (_, back) => {
        const end = slotOf(at) - back * SLOT_MILLIS;
        const start = Math.max(end - RATE_MILLIS, first);
        let sum = 0;
        for (let slot = start; slot < end; slot += SLOT_MILLIS) sum += counts.get(slot) ?? 0;
        return sum / ((end - start) / 1000);
      });
      const isRate = rate === null || slots.length === 0 || rates.some((one) => Math.abs(one - rate) < 1e-6);
      const isMalformed =
        body.totals?.undecodableMessages !== 0 || slots.some((slot) => slot.undecodableMessages);
      const isTooMuch = slots.some(({ start, events }) => events > (counts.get(Date.parse(start)) ?? 0));
      return isRate && !isMalformed && !isTooMuch
        ? []
        : [
            {
              what: `statistics: ${[!isRate && 'rate', isMalformed && 'malformed', isTooMuch && 'too much']}`,
              seen: { at, rate, rates, body },
            },
          ];
    });
}

/** Whether it was so at a moment between the question and the answer. */
function isOverWhenItSays({ body: { season }, askedAt, at }: SeenAnswer): boolean {
  if (!season) return true;
  const end = Date.parse(season.end);
  return season.over ? at >= end : askedAt < end;
}

/** What rows say, in the columns that are shown. Times are numbers in a topic, and text in the API. */
function key(period: number, rows: Row[], { columns, identity }: PlannedBoard): string {
  const names = [...new Set(['rnk', ...identity, ...columns.map(({ name }) => name)])];
  const times = columns.flatMap(({ name, type }) => (type === 'time' ? [name] : []));
  const cell = (row: Row, name: string) =>
    times.includes(name) ? new Date(row[name] as string | number).getTime() : (row[name] ?? null);
  return JSON.stringify([period, rows.map((row) => names.map((name) => cell(row, name)))]);
}

const ROW = /<tr id="[^"]*"[^>]*>([\s\S]*?)<\/tr>/g;
const CELL = /<th scope="row" class="rank">(\d+)<\/th>|<td class="who"><div>([\s\S]*?)<\/div><\/td>/g;

/**
 * Frames whose ranks and holders are no board of the topic, or go back behind one that the socket had before.
 */
export function falseFrames(board: PlannedBoard, records: SeenRecord[], frames: SeenFrame[]): Falsehood[] {
  const known = knownBoards(board, records).map(({ rows }) =>
    JSON.stringify(rows.map((row) => holdersOf(board, row))),
  );
  let newest = 0;
  return frames
    .filter((frame) => frame.board === board.name && frame.html.includes('<tbody>'))
    .flatMap((frame) => {
      const shown = JSON.stringify([...frame.html.matchAll(ROW)].map(([, row = '']) => shownHolders(row)));
      // Of a board by value, the socket tells of whichever value its page shows.
      const index = known.indexOf(shown, board.by ? 0 : newest);
      if (index >= 0) newest = index;
      return index >= 0 ? [] : [{ what: `a frame of ${board.name}`, seen: frame }];
    });
}

function holdersOf({ columns }: PlannedBoard, row: Row): string[] {
  const others = columns.findIndex(({ type }) => type !== 'text');
  return [
    String(row.rnk),
    ...columns.slice(0, others < 0 ? undefined : others).map(({ name }) => String(row[name] ?? '–')),
  ];
}

function shownHolders(row: string): string[] {
  return [...row.matchAll(CELL)].flatMap(([, rank, who]) =>
    rank ? [rank] : [...(who ?? '').matchAll(/<bdi>(.*?)<\/bdi>/g)].map(([, text = '']) => unescaped(text)),
  );
}

function unescaped(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#x27': "'", amp: '&' };
  return html.replace(/&(lt|gt|quot|#x27|amp);/g, (_, name: string) => entities[name] ?? '');
}
