import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INVALID_REASONS, REASONS } from '../../contract/stats.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { expectBoardsToEqualOracle, readEvents } from '../../testkit/oracle/boards.ts';
import { type CountedEvent, countedEvents, notCounted, type Row } from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, gameMessages, type Message, produce, timePasses } from '../../testkit/streams/events.ts';

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

const isPerson = ({ user }: CountedEvent) => !user.startsWith('RBT');

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
      { name: 'no-robots', type: 'TopPlayers', season: '10m', where: "user_id NOT LIKE 'RBT%' -- people" },
      { name: 'mvps-no-robots', type: 'TeamMvps', season: '10m', where: "user_id NOT LIKE 'RBT%'" },
      { name: 'hot-people', type: 'HotStreakers', where: "user_id NOT LIKE 'RBT%'" },
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

describe('the boards of a stream of events', () => {
  let cluster: TestCluster;
  let job: FlinkCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    job = await cluster.startJob(game);
  });
  afterAll(async () => {
    await job?.stop();
    await cluster?.stop();
  });

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
      where: { 'no-robots': isPerson, 'mvps-no-robots': isPerson, 'hot-people': isPerson },
      query: { busiest },
    });
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
    expect(job.jobManager.crashes + (job.taskManagers[0]?.crashes ?? 0)).toBe(0);
  });

  it('have a history whose newest rows are the board', async () => {
    const board = newestByKey(await readTopic(cluster.kafka, 'boards-top-teams'));
    const history = await readTopic(cluster.kafka, 'boards-top-teams-history');
    expect(newestByKey(history)).toEqual(board);
    expect(history.length).toBeGreaterThan(board.size);
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
    // The events of this game have no ids, and its seasons are not frozen.
    const possible = REASONS.map(({ id }) => id).filter(
      (id) => !['no_event_id', 'duplicate', 'frozen'].includes(id),
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
});
