import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlinkCluster } from '../../local/flink.ts';
import { expectBoardsToEqualOracle } from '../support/boards.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { event, gameMessages, type Message, produce, timePasses } from '../support/events.ts';
import { resource } from '../support/resource.ts';

const MINUTE = 60_000;
/** Begins within a season of ten minutes, so that seasons roll over in the stream. */
const START = Date.UTC(2026, 0, 1, 12, 4);
const PARTITIONS = 3;

const game = resource(
  {
    events: { topic: 'game', partitions: PARTITIONS },
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: '10m', size: 5 },
      { name: 'top-players', type: 'TopPlayers', season: '10m' },
      { name: 'hot-streakers', type: 'HotStreakers' },
      { name: 'team-mvps', type: 'TeamMvps', season: '10m' },
      { name: 'players-ever', type: 'TopPlayers', season: 'none', size: 20 },
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

/** What no pipeline should fall over. Of it count only numbers as ids, a score with decimals and one in quotes, and a long name cut short. */
function poison(time: number): Message[] {
  const bodies: unknown[] = [
    { user_id: 'P', team_id: 'T', score: -5, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: 3.5, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: ' 12 ', event_time_millis: String(time) },
    { user_id: 'P', team_id: 'T', score: 'many', event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: true, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: { deep: 1 }, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: 2 ** 60, event_time_millis: time },
    { user_id: 'P', team_id: 'T', score: 5 },
    { user_id: 'P', team_id: 'T', score: 5, event_time_millis: 'noon' },
    { user_id: 'P', team_id: 'T', score: 5, event_time_millis: -1 },
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

/** Clocks that run ahead: by a day, and to the end of time. They count in the season they claim, and hurry nobody's windows. */
function future(time: number): Message[] {
  return [time + 24 * 60 * MINUTE, 4e15, Number.MAX_SAFE_INTEGER].map((ahead) => ({
    ...event({ user: 'ahead', team: 'AHEAD', score: 1, time: ahead }),
    timestamp: time,
  }));
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
    await produce(cluster.kafka, 'game', messages);
    await produce(cluster.kafka, 'game', timePasses(end, PARTITIONS));
    await expectBoardsToEqualOracle(cluster.kafka, game, end - 5_000);
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
    expect(job.jobManager.crashes + (job.taskManagers[0]?.crashes ?? 0)).toBe(0);
  });
});
