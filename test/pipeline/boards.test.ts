import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INVALID_REASONS, REASONS } from '../../contract/stats.ts';
import { startApp } from '../../local/app.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { boards, type PlannedBoard } from '../../plan/boards.ts';
import type { Deployment } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import {
  boardRows,
  expectBoardsToEqualOracle,
  inFieldOrder,
  readEvents,
} from '../../testkit/oracle/boards.ts';
import {
  type CountedEvent,
  countedEvents,
  isPerson,
  notCounted,
  type Row,
  type SeasonBoard,
  seasonRows,
} from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, gameMessages, type Message, produce, timePasses } from '../../testkit/streams/events.ts';
import { streams } from '../../testkit/streams/streams.ts';

const MINUTE = 60_000;
/** Begins within a season of ten minutes, so that seasons roll over in the stream. */
const START = Date.UTC(2026, 0, 1, 12, 4);
const PARTITIONS = 3;

/** Not a total: how often teams played in each ten minutes. */
const BUSIEST = `
  SELECT season_start, rnk, team_id, events FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY events DESC, team_id) AS rnk
    FROM (
      SELECT event_time_millis - MOD(event_time_millis, 600000) AS season_start, team_id, COUNT(*) AS events
      FROM valid_events
      GROUP BY event_time_millis - MOD(event_time_millis, 600000), team_id
    )
  ) WHERE rnk <= 3 -- the podium`;
const BUSIEST_COLUMNS = [
  { name: 'season_start', type: 'BIGINT' },
  { name: 'rnk', type: 'BIGINT' },
  { name: 'team_id', type: 'STRING' },
  { name: 'events', type: 'BIGINT' },
];

function busiest(events: CountedEvent[]): Row[] {
  const seasons = Map.groupBy(events, ({ time }) => time - (time % (10 * MINUTE)));
  return [...seasons].flatMap(([season_start, played]) =>
    [...Map.groupBy(played, ({ team }) => team)]
      .map(([team_id, { length }]) => ({ team_id, events: length }))
      .sort((a, b) => b.events - a.events || (a.team_id < b.team_id ? -1 : 1))
      .slice(0, 3)
      .map((row, i) => ({ season_start, rnk: i + 1, ...row })),
  );
}

/** Of which many are equal: the scores of an event are from 1 to 20. */
const FIRST_TO_REACH = [
  { name: 'first-sum', type: 'TopTeams', season: 'none' },
  { name: 'first-count', type: 'TopPlayers', score: 'Count', season: '10m', by: 'team_id' },
  { name: 'first-best', type: 'TopPlayers', score: 'Best', season: '10m', size: 1000 },
  { name: 'first-lowest', type: 'TopTeams', score: 'Lowest', season: '10m' },
].map((board) => ({ ...board, ties: 'FirstToReach' }));

const game = resource(
  {
    events: { topic: 'game', partitions: PARTITIONS },
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: '10m', size: 5, history: true },
      { name: 'top-players', type: 'TopPlayers', season: '10m' },
      { name: 'hot-streakers', type: 'HotStreakers' },
      { name: 'team-mvps', type: 'TeamMvps', season: '10m' },
      { name: 'players-ever', type: 'TopPlayers', season: 'none', size: 20 },
      { name: 'many-players', type: 'TopPlayers', season: 'none', size: 1000 },
      ...FIRST_TO_REACH,
      { name: 'no-robots', type: 'TopPlayers', season: '10m', where: "user_id NOT LIKE 'RBT%' -- people" },
      { name: 'mvps-no-robots', type: 'TeamMvps', season: '10m', people: true },
      { name: 'hot-people', type: 'HotStreakers', people: true, where: 'score < 15 -- of people' },
      { name: 'busiest', type: 'Query', columns: BUSIEST_COLUMNS, query: BUSIEST },
    ],
  },
  'boards',
);

/** Teams and players with equal totals, shares and hotness: ids alone decide. */
function ties(time: number): Message[] {
  const scores = [7, 7, 900];
  return ['TIE-B', 'TIE-A', 'TIE-C'].flatMap((team) =>
    scores.map((score, i) => event({ user: `${team}-${i}`, team, score, time: time + i })),
  );
}

/**
 * What no pipeline should fall over. Of it count only numbers as ids, a score with decimals and one in
 * quotes, and a long name cut short.
 */
function poison(time: number): Message[] {
  const bodies: unknown[] = [
    { user_id: 'P', team_id: 'T', score: -5, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: 3.5, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: ' 12 ', event_time_millis: String(time) },
    { user_id: 'P', team_id: 'T', score: 'many', event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: true, event_time_millis: time },
    ...[{ deep: 1 }, {}, []].map((score) => ({
      user_id: 'P',
      team_id: 'T',
      score,
      event_time_millis: time,
    })),
    { user_id: 'P', team_id: 'T', score: 2 ** 60, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: 5 },
    { user_id: 'P', team_id: 'T', score: 5, event_time_millis: 'noon' },
    ...[-1, 0, time / 1e3, time * 1e3, time * 1e6].map((event_time_millis) => ({
      user_id: 'P',
      team_id: 'T',
      score: 5,
      event_time_millis,
    })),
    { user_id: '', team_id: 'T', score: 5, event_time_millis: time },
    { user_id: null, team_id: 'T', score: 5, event_time_millis: time },
    { team_id: 'T', score: 5, event_time_millis: time },
    { user_id: 'P', score: 5, event_time_millis: time },
    { user_id: 'P'.repeat(100_000), team_id: 'T', score: 5, event_time_millis: time },
    { user_id: 42, team_id: 43, team_name: 44, score: 1, event_time_millis: time },
    {
      user_id: 'long-name',
      team_id: 'LN',
      team_name: 'n'.repeat(100_000),
      score: 9999,
      event_time_millis: time,
    },
    [1, 2, 3],
    [],
    'text',
    17,
    null,
  ];
  const texts = [
    '',
    'not json',
    '{"user_id":',
    '\u0000\u0001',
    `{"score":${'9'.repeat(2000)}}`,
    '['.repeat(5000),
    'x'.repeat(700_000),
  ];
  return [...bodies.map((body) => JSON.stringify(body)), ...texts].map((value) => ({
    key: 'poison',
    value,
    timestamp: time,
  }));
}

/**
 * Clocks that run ahead: by a day, and to the last time there is. They count in the season they claim, and
 * hurry nobody's windows.
 */
function future(time: number): Message[] {
  return [time + 24 * 60 * MINUTE, 1e13 - 1, 1e13, Number.MAX_SAFE_INTEGER].map((ahead) => ({
    ...event({ user: 'ahead', team: 'AHEAD', score: 1, time: ahead }),
    timestamp: time,
  }));
}

/** When an event says it happened, counted or not; NaN when it does not. */
function timeOf(value: string | null): number {
  return Number(JSON.parse(value ?? '{}').event_time_millis);
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster?.stop());

describe('the boards of a stream of events', () => {
  let job: FlinkCluster;
  beforeAll(async () => {
    job = await cluster.startJob(game);
  });
  afterAll(() => job?.stop());

  it('equal the oracle: late events, ties, poison, clocks ahead, seasons that roll over', async () => {
    const played = gameMessages(1, START, 9_000);
    const middle = START + 12 * MINUTE;
    const messages = [...played, ...ties(middle), ...poison(middle), ...future(middle)].sort(
      (a, b) => a.timestamp - b.timestamp,
    );
    const end = START + 60 * MINUTE;
    // No partition counts as idle when the others' events come.
    await produce(cluster.kafka, 'game', timePasses(START, PARTITIONS));
    await produce(cluster.kafka, 'game', messages);
    await produce(cluster.kafka, 'game', timePasses(end, PARTITIONS));
    await expectBoardsToEqualOracle(cluster.kafka, game, end - 5_000, {
      where: { 'no-robots': isPerson, 'hot-people': ({ score }) => score < 15 },
      query: { busiest },
    });
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
    expect(job.jobManager.crashes + (job.taskManagers[0]?.crashes ?? 0)).toBe(0);
  });

  it('have a history of each change', async () => {
    const { bootstrapServers } = cluster.broker;
    const isHistory = ({ kind, metadata }: { kind: string; metadata: { name: string } }) =>
      kind === 'Deployment' && metadata.name === 'boards-history';
    const environment = { bootstrapServers, appImage: 'local', flinkImage: 'local' };
    const app = await startApp(cluster.runtime, plan(game, environment).find(isHistory) as Deployment);
    const changes = await readTopic(cluster.kafka, 'boards-top-teams');
    const kept = () => readTopic(cluster.kafka, 'boards-top-teams-history');
    await expect.poll(kept, { timeout: 180_000, interval: 500 }).toEqual(changes);
    expect(changes.length).toBeGreaterThan(newestByKey(changes).size);
    await app.stop();
  });

  it('come with counts of all that went through', async () => {
    const records = await readEvents(cluster.kafka, game);
    const counted = countedEvents(records);
    const decoded = records.filter((record) => !notCounted([record]).malformed);
    const slots = [...newestByKey(await readTopic(cluster.kafka, 'boards-pipeline-stats')).values()];
    const sum = (field: string) => slots.reduce((total, slot) => total + Number(JSON.parse(slot)[field]), 0);
    expect(sum('events') + sum('undecodable_messages')).toBe(records.length);
    expect(sum('undecodable_messages')).toBe(records.length - decoded.length);
    expect(sum('uncounted_events')).toBe(decoded.length - counted.length);
    expect(sum('robot_events')).toBe(counted.filter((event) => !isPerson(event)).length);
    expect(sum('late_events')).toBe(
      decoded.filter(({ value, producedAt }) => timeOf(value) <= producedAt - 5_000).length,
    );
    const ids = REASONS.map(({ id, countColumn }) => [id, sum(countColumn)] as const);
    const reasons = Object.fromEntries(ids.filter(([, count]) => count > 0));
    expect(reasons).toEqual(notCounted(records));
    // The events of this game have no ids and no schemas, and its seasons are not frozen.
    const possible = REASONS.map(({ id }) => id).filter(
      (id) => !['no_event_id', 'unknown_schema', 'duplicate', 'frozen'].includes(id),
    );
    expect(Object.keys(reasons).sort()).toEqual(possible.sort());
    for (const { uncounted_events, uncounted_reason } of slots.map((slot) => JSON.parse(slot)))
      expect(uncounted_reason ?? 'none').toMatch(
        uncounted_events > 0 ? /^(user_id|team_id|event_time_millis|score) (is|has) / : /^none$/,
      );
    for (const slot of slots.map((slot) => JSON.parse(slot))) {
      for (const { countColumn, exampleColumn } of INVALID_REASONS)
        expect(slot[exampleColumn] ?? 'none', exampleColumn).toMatch(
          slot[countColumn] > 0 ? /^user_id=.* team_id=.* score=.* event_time_millis=/ : /^none$/,
        );
      // Names and numbers of people and teams leave no trace in examples.
      for (const { exampleColumn } of REASONS)
        expect(
          slot[exampleColumn]?.replaceAll(/\b(score|event_time_millis)=\S+|\w+=(NULL\b)?/g, '') ?? '',
        ).toMatch(/^[x0\s\p{P}\p{S}]*$/u);
    }
    const [busy] = slots.map((slot) => JSON.parse(slot)).filter(({ slot_start }) => slot_start === START);
    const inSlot = counted.filter(
      ({ time, producedAt }) => time >= START && time < START + 5_000 && time > producedAt - 5_000,
    );
    expect(busy).toMatchObject({
      active_players: new Set(inSlot.map(({ user }) => user)).size,
      active_teams: new Set(inSlot.map(({ team }) => team)).size,
      newest_event_time: Math.max(...inSlot.map(({ time }) => time)),
    });
  });

  it('outlive totals beyond what JSON carries exactly', async () => {
    const time = START + 70 * MINUTE;
    const flood = Array.from({ length: 1000 }, () =>
      event({ user: 'flood', team: 'flood', score: Number.MAX_SAFE_INTEGER, time }),
    );
    await produce(cluster.kafka, 'game', flood);
    const mvps = async () => {
      const boards = newestByKey(await readTopic(cluster.kafka, 'boards-team-mvps'));
      return [...boards.values()].flatMap((board) => JSON.parse(board).rows as Row[]);
    };
    const most = Number.MAX_SAFE_INTEGER;
    await expect
      .poll(mvps, { timeout: 180_000 })
      .toContainEqual(expect.objectContaining({ team_id: 'flood', player_total: most, team_total: most }));
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
  });
});

const corrected = resource(
  {
    events: { topic: 'corrected', partitions: 1, negativeScores: 'Correct' },
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: '5m', size: 5 },
      { name: 'top-players', type: 'TopPlayers', season: '1m' },
      { name: 'players-ever', type: 'TopPlayers', season: 'none', size: 1000 },
      { name: 'values', type: 'TopTeams', season: '5m', of: 'MOD(score, 100) - 20' },
      { name: 'by-team', type: 'TopPlayers', season: '5m', by: 'team_name' },
      { name: 'best', type: 'TopPlayers', season: '5m', score: 'Best' },
      { name: 'team-mvps', type: 'TeamMvps', season: '5m', minimumEvents: 1 },
      { name: 'mvps-ever', type: 'TeamMvps', season: 'none', size: 1000, minimumEvents: 2 },
      { name: 'hot-streakers', type: 'HotStreakers' },
    ],
  },
  'corrected',
);
const toValue = ({ score }: CountedEvent) => (score % 100) - 20;

/** What a board of totals is of each season and value, after each of the events, as texts. */
function truths({ source, name }: PlannedBoard, events: CountedEvent[]): Set<string> {
  const own = { corrections: true, ...(name === 'values' && { pointsOf: toValue }) };
  const all = events.map((_, last) =>
    seasonRows(source as SeasonBoard, events.slice(0, last + 1), undefined, own),
  );
  const of = ({ season_start, value }: Row) => JSON.stringify([season_start, value]);
  return new Set(all.flatMap((rows) => [...Map.groupBy(rows, of).values()].map(asText)));
}

/** Not all boards have their rows in the order of ranks. */
function asText(rows: Row[]): string {
  return JSON.stringify(rows.toSorted((a, b) => Number(a.rnk) - Number(b.rnk)).map(inFieldOrder));
}

describe('the boards of a game with corrections', () => {
  const [stream] = fc.sample(
    streams({ start: START, partitions: 1, corrections: true, minSteps: 120, maxSteps: 140 }),
    // Also with totals below 0, and players who have more than their team.
    { numRuns: 1, seed: 3 },
  );
  const { messages, end } = stream!;
  let job: FlinkCluster;
  beforeAll(async () => {
    job = await cluster.startJob(corrected);
  });
  afterAll(() => job?.stop());

  const expectExact = (until: number) =>
    expectBoardsToEqualOracle(cluster.kafka, corrected, until, { of: { values: toValue } });

  it('equal the oracle in the end, season by season, and have never been half of a change', async () => {
    for (let i = 0; i < messages.length; i += 5) {
      await produce(cluster.kafka, 'corrected', messages.slice(i, i + 5));
      await sleep(150);
    }
    await produce(cluster.kafka, 'corrected', timePasses(end, 1));
    await expectExact(end - 5_000);
    const events = countedEvents(await readEvents(cluster.kafka, corrected), { corrections: true });
    for (const board of boards(corrected).filter(({ period }) => period?.kind === 'season')) {
      const written = (await readTopic(cluster.kafka, board.topic)).map(({ value }) => value ?? '');
      expect(written.length, `boards of ${board.name}`).toBeGreaterThan(5);
      const ofAMoment = truths(board, events);
      expect(
        written.filter((value) => !ofAMoment.has(asText(boardRows(board, value)))),
        board.name,
      ).toEqual([]);
    }
  });

  it('keep totals within what JSON carries exactly, however many come', async () => {
    // Too late for the streaks.
    const scored = (user: string, score: number) => ({
      ...event({ user, team: user, score, time: START - 20 * MINUTE }),
      timestamp: end + MINUTE / 2,
    });
    const extremes = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].flatMap((score) =>
      Array.from({ length: 600 }, () => scored(`of ${score}`, score)),
    );
    await produce(cluster.kafka, 'corrected', [...extremes, scored('beyond', -(2 ** 53))]);
    await produce(cluster.kafka, 'corrected', timePasses(end + MINUTE, 1));
    await expectExact(end + MINUTE - 5_000);
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
  });

  it('come with counts of scores that are no correction', async () => {
    const { malformed: _, ...expected } = notCounted(await readEvents(cluster.kafka, corrected), true);
    const slots = async () =>
      [...newestByKey(await readTopic(cluster.kafka, 'corrected-pipeline-stats')).values()].map((slot) =>
        JSON.parse(slot),
      );
    const counted = async () => {
      const all = await slots();
      const counts = INVALID_REASONS.map(
        ({ id, countColumn }) => [id, all.reduce((sum, slot) => sum + (slot[countColumn] ?? 0), 0)] as const,
      );
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    };
    await expect.poll(counted, { timeout: 30_000 }).toEqual(expected);
    expect((await slots()).map(({ uncounted_reason }) => uncounted_reason)).toContain(
      'score is not from -9007199254740991 to 9007199254740991',
    );
  });
});
