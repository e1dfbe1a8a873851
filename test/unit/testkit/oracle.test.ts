import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HotStreakersBoard, Leaderboard } from '../../../api/boards/types.ts';
import type { GameAnalytics } from '../../../api/gameanalytics.ts';
import { type BoardDefinition, boardDefinitions } from '../../../contract/board.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import { parseRecord } from '../../../dashboard/boards/record.ts';
import type { KafkaRecord } from '../../../kafka/topic-reader.ts';
import { dashboard } from '../../../plan/dashboard.ts';
import type { Deployment, KubernetesObject } from '../../../plan/objects.ts';
import {
  type Counting,
  expectedRows,
  notCounted,
  type PointsOf,
  type Row,
  type SeasonBoard,
} from '../../../testkit/oracle/oracle.ts';
import { resource } from '../../../testkit/resources/resource.ts';
import type { Message } from '../../../testkit/streams/events.ts';
import { recount } from '../../../testkit/streams/recount.ts';
import { type Play, streams } from '../../../testkit/streams/streams.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Begins within a season of ten minutes. */
const START = Date.UTC(2026, 0, 1, 12, 4);
const COUNTING: Counting = { maxLateness: 5 * SECOND };
const CORRECTED: Counting = { ...COUNTING, corrections: true };
/** Seasons that are frozen at different times, and never. */
const anyCounting = () =>
  fc.constantFrom(
    COUNTING,
    { ...COUNTING, latestArrival: SECOND },
    { ...COUNTING, latestArrival: 3 * MINUTE },
  );
const RUNS = { numRuns: 100 };
const LONG_KEPT = { events: { retention: '90d' } };

const generated = () => streams({ start: START });
const corrected = () => streams({ start: START, corrections: true });

const seasonBoards = (...types: SeasonBoard['type'][]) =>
  fc
    .record({
      type: fc.constantFrom(...types),
      size: sizes(),
      season: fc.constantFrom('1m', '10m', 'none'),
      minimumEvents: fc.constantFrom(1, 2, 5),
      score: fc.constantFrom('Sum', 'Best', 'Lowest', 'Latest', 'Count'),
      ties: fc.constantFrom('Id', 'FirstToReach'),
    })
    .map(({ minimumEvents, score, ties, ...fields }) => {
      if (fields.type === 'TeamMvps') return { ...fields, minimumEvents };
      return { ...fields, score, ...(score !== 'Latest' && { ties }) };
    })
    .map(boardOf<SeasonBoard>);

/** Windows of several shapes, the long one longer than the memory too. */
const streakBoards = () =>
  fc
    .record({
      type: fc.constant('HotStreakers'),
      size: sizes(),
      windows: fc.constantFrom(
        {},
        FORGETFUL,
        { shortWindow: '15s', longWindow: '30s', memory: '60s' },
        { shortWindow: '5s', longWindow: '2m', memory: '30s' },
      ),
    })
    .map(({ windows, ...fields }) => boardOf<HotStreakersBoard>({ ...fields, ...windows }));

const sizes = () => fc.constantFrom(1, 3, 10, 1000);

function boardOf<B extends Leaderboard>(fields: object): B {
  return gameOf(fields).spec.leaderboards[0] as B;
}

function gameOf(board: object): GameAnalytics {
  return resource({ leaderboards: [{ name: 'board', ...board }] });
}

const anyBoard = (): fc.Arbitrary<Leaderboard> =>
  fc.oneof(seasonBoards('TopTeams', 'TopPlayers', 'TeamMvps'), streakBoards());

/** The oracle's rows, by period and rank. */
function rowsOf(
  board: Leaderboard,
  messages: Message[],
  until = START + 30 * MINUTE,
  pointsOf?: PointsOf,
  counting: Counting = COUNTING,
): Row[] {
  const records = messages.map(({ value, timestamp }) => ({ value, producedAt: timestamp }));
  return inOrder(expectedRows(board, records, counting, until, { pointsOf }));
}

function inOrder(rows: Row[]): Row[] {
  return rows
    .toSorted((a, b) => periodOf(a) - periodOf(b) || Number(a.rnk) - Number(b.rnk))
    .toSorted(({ value: a = '' }, { value: b = '' }) => (a! < b! ? -1 : a! > b! ? 1 : 0));
}

function periodOf(row: Row): number {
  return Number(row.season_start ?? row.as_of);
}

describe('the oracle', () => {
  it.each([
    ['TopTeams', seasonBoards('TopTeams')],
    ['TopPlayers', seasonBoards('TopPlayers')],
    ['TeamMvps', seasonBoards('TeamMvps')],
    ['HotStreakers', streakBoards()],
  ])('agrees with a second count of %s', (_, anyOfType: fc.Arbitrary<Leaderboard>) => {
    const untils = fc.integer({ min: START, max: START + 10 * MINUTE });
    fc.assert(
      fc.property(
        anyOfType,
        generated(),
        untils,
        anyCounting(),
        (board, { messages, plays }, until, counting) => {
          const expected = inOrder(recount(board, plays, counting, until));
          expect(rowsOf(board, messages, until, undefined, counting)).toEqual(expected);
        },
      ),
      RUNS,
    );
  });

  it('agrees with a second count of the seasons of calendars, as the clock changes', () => {
    const change = Date.parse('2026-10-25T01:00Z');
    const around = streams({ start: change - 10 * MINUTE, maxSteps: 200 });
    const calendars = fc.record({
      every: fc.constantFrom('Day', 'Week', 'Month'),
      // Midnight in the Azores; before it in the others.
      timeZone: fc.constantFrom('Atlantic/Azores', 'Europe/Berlin', 'Asia/Kathmandu'),
    });
    const types = fc.constantFrom('TopTeams', 'TopPlayers', 'TeamMvps');
    const calendarBoards = fc
      .record({ type: types, calendar: calendars })
      .map((board) => resource({ leaderboards: [{ name: 'board', ...board }], ...LONG_KEPT }))
      .map(({ spec }) => spec.leaderboards[0] as SeasonBoard);
    fc.assert(
      fc.property(calendarBoards, around, anyCounting(), (board, { messages, plays }, counting) => {
        const expected = inOrder(recount(board, plays, counting, 0));
        expect(rowsOf(board, messages, 0, undefined, counting)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('agrees with a second count of values that are not the scores', () => {
    const values = fc.constantFrom(
      ({ score }: { score: number }) => (score % 3 === 0 ? null : (score % 100) - 20),
      ({ time }: { time: number }) => time % 1_000,
      () => null,
    );
    fc.assert(
      fc.property(seasonBoards('TopTeams', 'TopPlayers'), generated(), values, (board, stream, of) => {
        const expected = inOrder(recount(board, stream.plays, COUNTING, 0, of));
        expect(rowsOf(board, stream.messages, 0, of)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('agrees with a second count of the boards of each value', () => {
    const byValue = fc
      .tuple(seasonBoards('TopTeams', 'TopPlayers'), fc.constantFrom('team_name', 'team_id', 'score'))
      .map(([board, by]) => ({ ...board, by, maxValues: 1 }) as SeasonBoard);
    fc.assert(
      fc.property(byValue, generated(), (board, { messages, plays }) => {
        expect(rowsOf(board, messages, 0)).toEqual(inOrder(recount(board, plays, COUNTING, 0)));
      }),
      RUNS,
    );
  });

  it.each([
    // A sum that can fall has no time at which it was reached.
    [
      'boards of totals',
      seasonBoards('TopTeams', 'TopPlayers', 'TeamMvps').filter(
        (board) => !('ties' in board) || board.score !== undefined,
      ),
    ],
    ['HotStreakers', streakBoards()],
  ])('agrees with a second count of %s with corrections', (_, anyOfType: fc.Arbitrary<Leaderboard>) => {
    const values = fc.constantFrom(undefined, ({ score }: { score: number }) => (score % 100) - 20);
    fc.assert(
      fc.property(anyOfType, corrected(), values, (board, { messages, plays }, of) => {
        const ofBoard = 'score' in board ? of : undefined;
        const until = START + 10 * MINUTE;
        const expected = inOrder(recount(board, plays, CORRECTED, until, ofBoard));
        expect(rowsOf(board, messages, until, ofBoard, CORRECTED)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('does not mind in which order partitions are read', () => {
    const inTwoOrders = generated().chain(({ messages }) =>
      fc.tuple(fc.constant(messages), fc.shuffledSubarray(messages, { minLength: messages.length })),
    );
    fc.assert(
      fc.property(anyBoard(), inTwoOrders, (board, [messages, shuffled]) => {
        expect(rowsOf(board, shuffled)).toEqual(rowsOf(board, messages));
      }),
      RUNS,
    );
  });

  it('is blind to events that do not count', () => {
    fc.assert(
      fc.property(anyBoard(), generated(), (board, { messages, uncounted }) => {
        const spoiled = new Set(uncounted.map(({ message }) => message));
        const counted = messages.filter((message) => !spoiled.has(message));
        expect(rowsOf(board, messages)).toEqual(rowsOf(board, counted));
      }),
      RUNS,
    );
  });

  it.each([
    ['', generated(), false],
    [' with corrections', corrected(), true],
  ])('knows why they do not%s', (_, anyStream, corrections) => {
    fc.assert(
      fc.property(anyStream, ({ messages, uncounted }) => {
        const records = messages.map(({ value, timestamp }) => ({ value, producedAt: timestamp }));
        const reasons = Map.groupBy(uncounted, ({ reason }) => reason);
        const counts = [...reasons].map(([reason, { length }]) => [reason, length]);
        expect(notCounted(records, corrections)).toEqual(Object.fromEntries(counts));
      }),
      RUNS,
    );
  });

  it('ranks from 1 without gaps, and cuts a board at its size', () => {
    fc.assert(
      fc.property(anyBoard(), generated(), (board, { messages }) => {
        const whole = Map.groupBy(rowsOf({ ...board, size: 1000 }, messages), periodOf);
        const cut = Map.groupBy(rowsOf(board, messages), periodOf);
        expect([...cut.keys()]).toEqual([...whole.keys()]);
        for (const [period, rows] of whole) {
          expect(rows.map(({ rnk }) => rnk)).toEqual(rows.map((_, i) => i + 1));
          expect(cut.get(period)).toEqual(rows.slice(0, board.size));
        }
      }),
      RUNS,
    );
  });

  it.each([
    ['TopTeams', 'total_score'],
    ['TopPlayers', 'total_score'],
    ['TeamMvps', 'team_total'],
  ] as const)('counts every score of a season once in %s', (type, column) => {
    const whole = seasonBoards(type).map(
      ({ score: _, ...board }: SeasonBoard & { score?: string }) =>
        ({ ...board, size: 1000, minimumEvents: 1 }) as SeasonBoard,
    );
    fc.assert(
      fc.property(whole, generated(), (board, { messages, plays }) => {
        const rows = rowsOf(board, messages).map((row): SeasonScore => [periodOf(row), Number(row[column])]);
        expect(sumsBySeason(rows)).toEqual(sumsBySeason(plays.map((play) => scoreOf(play, board))));
      }),
      RUNS,
    );
  });
});

type SeasonScore = [season: number, score: number];

function scoreOf({ time, score }: Play, { seasonMillis }: SeasonBoard): SeasonScore {
  return [seasonMillis ? Math.floor(time / seasonMillis) * seasonMillis : 0, score];
}

function sumsBySeason(scores: SeasonScore[]): Map<number, bigint> {
  const sums = new Map<number, bigint>();
  for (const [season, score] of scores) sums.set(season, (sums.get(season) ?? 0n) + BigInt(score));
  return sums;
}

/** A board of instants with these windows grows shorter again and again. */
const FORGETFUL = { shortWindow: '5s', longWindow: '10s', memory: '5s' };

/** A board as the job writes it, and as the dashboard gets it: it may show fewer ranks than there are. */
function planned(type: Leaderboard['type']): { board: Leaderboard; definition: BoardDefinition } {
  const fields = type === 'HotStreakers' ? FORGETFUL : { season: '1m' };
  const board = boardOf({ type, size: 16, ...fields });
  return { board, definition: definitionOf(gameOf({ type, size: 5, ...fields })) };
}

function definitionOf(game: GameAnalytics): BoardDefinition {
  const environment = { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' };
  const deployment = dashboard(game, environment).find(isDeployment);
  const env = deployment?.spec.template.spec.containers[0]?.env;
  const json = env?.find(({ name }) => name === 'DASHBOARD_BOARDS')?.value;
  return boardDefinitions.parse(JSON.parse(json ?? ''))[0]!;
}

function isDeployment(object: KubernetesObject): object is Deployment {
  return object.kind === 'Deployment';
}

/** A period's board as the job writes it. */
function recordOf({ digest }: BoardDefinition, rows: Row[]): KafkaRecord {
  const { season_start = 0, as_of } = rows[0]!;
  return {
    key: Buffer.from(JSON.stringify({ season_start })),
    value: Buffer.from(JSON.stringify({ season_start, digest, as_of, rows })),
    timestampMillis: START,
  };
}

/** What a dashboard shows that has read these boards from the topic, in this order. */
function shown(definition: BoardDefinition, log: Row[][], now: number) {
  const board = new Board(definition);
  for (const rows of log) expect(board.apply(recordOf(definition, rows), now)).not.toBe('malformed');
  return board.view(now).rows;
}

/** What it should show: the newest of the periods that have begun. */
function newest(definition: BoardDefinition, rows: Row[], now: number) {
  const begun = byPeriod(rows).filter(([row]) => periodOf(row!) <= now);
  if (begun.length === 0) return [];
  const record = parseRecord(definition, recordOf(definition, begun.at(-1)!));
  return typeof record === 'object' ? record.rows : record;
}

/** The boards of all periods, in their order. */
function byPeriod(rows: Row[]): Row[][] {
  return [...Map.groupBy(rows, periodOf).values()].sort(([a], [b]) => periodOf(a!) - periodOf(b!));
}

/** Where a stream is cut into mini-batches: numbers of events. The last batch ends with the stream. */
function cuts(): fc.Arbitrary<(length: number) => number[]> {
  return fc.array(fc.nat(1_000), { maxLength: 8 }).map((places) => (length) => {
    const inside = places.map((place) => place % (length + 1));
    return [...new Set([...inside, length])].sort((a, b) => a - b);
  });
}

/** The boards that a sink writes from state to state: at the end of each mini-batch those that it changed. */
function changes(states: Row[][]): Row[][] {
  return states.slice(1).flatMap((state, i) => {
    const before = new Set(byPeriod(states[i]!).map((rows) => JSON.stringify(rows)));
    return byPeriod(state).filter((rows) => !before.has(JSON.stringify(rows)));
  });
}

describe('a dashboard shows what the oracle says', () => {
  const nows = fc.integer({ min: START, max: START + 5 * MINUTE });

  it.each(['TopTeams', 'TopPlayers', 'TeamMvps'] as const)('of %s, however they are written', (type) => {
    const { board, definition } = planned(type);
    fc.assert(
      fc.property(generated(), cuts(), nows, ({ messages }, cut, now) => {
        const states = cut(messages.length).map((end) => rowsOf(board, messages.slice(0, end)));
        const expected = newest(definition, states.at(-1)!, now);
        expect(shown(definition, changes([[], ...states]), now)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it.each(['TopTeams', 'TopPlayers', 'TeamMvps'] as const)('of %s, also after a crash', (type) => {
    const { board, definition } = planned(type);
    const twoCuts = fc.record({ cut: cuts(), cutAgain: cuts(), kept: fc.nat(8), lost: fc.nat(8) });
    fc.assert(
      fc.property(generated(), twoCuts, nows, ({ messages }, { cut, cutAgain, kept, lost }, now) => {
        const stateAt = (end: number) => rowsOf(board, messages.slice(0, end));
        const ends = cut(messages.length);
        const checkpoint = ends[kept % ends.length]!;
        const beforeCrash = ends.filter((end, i) => end <= checkpoint || i <= lost);
        const afterwards = cutAgain(messages.length).filter((end) => end > checkpoint);
        const log = [
          ...changes([[], ...beforeCrash.map(stateAt)]),
          ...changes([checkpoint, ...afterwards].map(stateAt)),
        ];
        expect(shown(definition, log, now)).toEqual(newest(definition, stateAt(messages.length), now));
      }),
      RUNS,
    );
  });

  it('of HotStreakers, also when instants are drawn again after a crash', () => {
    const { board, definition } = planned('HotStreakers');
    const span = fc.record({ kept: fc.nat(100), lost: fc.nat(100) });
    fc.assert(
      fc.property(generated(), nows, span, ({ messages }, now, { kept, lost }) => {
        const rows = rowsOf(board, messages, now);
        const instants = byPeriod(rows);
        const log = [...instants.slice(0, kept + lost), ...instants.slice(kept)];
        expect(shown(definition, log, now)).toEqual(newest(definition, rows, now));
      }),
      RUNS,
    );
  });
});
