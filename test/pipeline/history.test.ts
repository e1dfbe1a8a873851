import type { Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type DashboardProcess, startDashboard } from '../support/dashboard-process.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A season that is over, with two after it. */
const SEASON = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR;

const TEAMS = {
  name: 'teams',
  title: 'Teams',
  topic: 'teams',
  historyTopic: 'teams-history',
  size: 3,
  period: { kind: 'season', column: 'season_start', lengthMillis: HOUR },
  identity: ['team_id'],
  columns: [{ name: 'total', label: 'Total', type: 'integer' }],
};
const FOR_EVER = { ...TEAMS, name: 'for-ever', historyTopic: 'for-ever-history', period: null };
const FORGETFUL = { ...TEAMS, name: 'forgetful', historyTopic: undefined };
const MISSING = { ...TEAMS, name: 'missing', historyTopic: 'no-such-topic' };

/** A board as the API has it. */
interface Board {
  at: string;
  season: object;
  updatedAt: string;
  rows: { rank: number; total: number }[];
}

interface Change {
  at: number;
  season: number;
  rank: number;
  /** Null: the rank became vacant. */
  total: number | null;
}

/**
 * A season in which the third rank is written once, and the others thousands of times; ranks that become vacant and come
 * back; then a season with few changes, and late changes of the one before.
 */
function* changes(): Generator<Change> {
  const next = SEASON + HOUR;
  yield { at: SEASON + 1000, season: SEASON, rank: 3, total: 7 };
  for (let i = 0; i < 20_000; i += 1) {
    yield { at: SEASON + MINUTE + 100 * i, season: SEASON, rank: 1 + (i % 2), total: 100 + i };
  }
  yield { at: SEASON + 40 * MINUTE, season: SEASON, rank: 2, total: null };
  yield { at: SEASON + 42 * MINUTE, season: SEASON, rank: 2, total: 30_000 };
  // Larger once than the board is now.
  yield { at: SEASON + 43 * MINUTE, season: SEASON, rank: 4, total: 1 };
  yield { at: next + 10 * MINUTE, season: next, rank: 1, total: 1 };
  for (const rank of [1, 2, 3]) {
    yield { at: next + 12 * MINUTE + rank, season: SEASON, rank, total: 40_000 + rank };
  }
  yield { at: next + 20 * MINUTE, season: next, rank: 2, total: 2 };
  // Of another writer, which was a little slower.
  yield { at: next + 20 * MINUTE - 500, season: next, rank: 3, total: 3 };
}

/** What the board was: the newest season that had begun and had rows, with the last write to each of its ranks. */
function shownAt(moment: number): { rank: number; total: number }[] {
  const past = [...changes()].filter(({ at, rank }) => at <= moment && rank <= TEAMS.size);
  const seasons = Map.groupBy(past, ({ season }) => season);
  const newest = seasons.get(Math.max(...seasons.keys())) ?? [];
  const ranks = new Map(newest.map(({ rank, total }) => [rank, total]));
  return [...ranks]
    .flatMap(([rank, total]) => (total === null ? [] : [{ rank, total }]))
    .sort((a, b) => a.rank - b.rank);
}

function message(key: object, value: object | null, timestamp: number): Message {
  const json = value && JSON.stringify({ ...key, ...value });
  return { key: JSON.stringify(key), value: json, timestamp: String(timestamp) };
}

const row = (total: number | null) => (total === null ? null : { team_id: `team-${total}`, total });

describe('the dashboard', () => {
  let cluster: TestCluster;
  let dashboard: DashboardProcess | undefined;
  let url: string;

  beforeAll(async () => {
    cluster = await startTestCluster();
    await fill(
      'teams-history',
      [...changes()].map(({ at, season, rank, total }) =>
        message({ season_start: season, rnk: rank }, row(total), at),
      ),
    );
    const { bootstrapServers } = cluster.broker;
    dashboard = await startDashboard(bootstrapServers, [TEAMS, FOR_EVER, FORGETFUL, MISSING]);
    url = dashboard.url;
    await answered('teams', SEASON + HOUR);
  });

  afterAll(async () => {
    dashboard?.process.kill('SIGKILL');
    await cluster?.stop();
  });

  async function fill(topic: string, messages: Message[]): Promise<void> {
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    await cluster.broker.admin.createTopics({
      topics: [{ topic, numPartitions: 1, configEntries }],
      waitForLeaders: true,
    });
    const producer = cluster.kafka.producer();
    await producer.connect();
    for (let i = 0; i < messages.length; i += 2000) {
      await producer.send({ topic, messages: messages.slice(i, i + 2000) });
    }
    await producer.disconnect();
  }

  async function ask(board: string, at: string | number) {
    const response = await fetch(`${url}/api/boards/${board}?at=${at}`);
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: (await response.json()) as Board,
    };
  }

  /** The answer of a broker that may just have started, and have to load its groups first. */
  function answered(board: string, at: string | number) {
    const answer = async () => {
      const given = await ask(board, at);
      expect(given.status).toBe(200);
      return given;
    };
    return vi.waitFor(answer, { timeout: 120_000, interval: 500 });
  }

  async function deleteFirst(topic: string): Promise<void> {
    const { admin } = cluster.broker;
    // kafkajs finds the leader only of topics that it has asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  }

  it.each([
    ['at the first change', SEASON + 1000],
    ['after the first few', SEASON + MINUTE + 250],
    ['amid thousands, the third rank long ago', SEASON + 30 * MINUTE],
    ['while a rank is vacant', SEASON + 41 * MINUTE],
    ['when it has come back', SEASON + 42 * MINUTE],
    ['just before the next season', SEASON + HOUR - 1],
    ['in a season without a change yet', SEASON + HOUR + 5 * MINUTE],
    ['at the first change of a season', SEASON + HOUR + 10 * MINUTE],
    ['after late changes of the season before', SEASON + HOUR + 15 * MINUTE],
    ['between two changes out of order', SEASON + HOUR + 20 * MINUTE - 400],
    ['after all changes', SEASON + HOUR + 50 * MINUTE],
    ['in a later season, without any', SEASON + 2 * HOUR + MINUTE],
  ])('shows a board as it was %s', async (_, moment) => {
    const { status, body } = await ask('teams', moment);
    expect(status).toBe(200);
    expect(body).toMatchObject({ at: new Date(moment).toISOString(), complete: true });
    expect(body.rows).toEqual(
      shownAt(moment).map(({ rank, total }) => ({ rank, team_id: `team-${total}`, total })),
    );
    expect(body.rows.length).toBeGreaterThan(0);
  });

  it('says of which season the rows are, and when they were last written to', async () => {
    const { body } = await ask('teams', new Date(SEASON + 41 * MINUTE).toISOString());
    expect(body.season).toEqual({
      start: new Date(SEASON).toISOString(),
      end: new Date(SEASON + HOUR).toISOString(),
      over: false,
    });
    expect(body.updatedAt).toBe(new Date(SEASON + 40 * MINUTE).toISOString());
  });

  it('says in a sentence why there is none', async () => {
    const code = async (board: string, at: string | number) => {
      const { status, body } = await ask(board, at);
      expect(body).toEqual({ error: expect.any(String) });
      return status;
    };
    expect(await code('teams', SEASON + 999)).toBe(404);
    expect(await code('forgetful', SEASON)).toBe(404);
    expect(await code('missing', SEASON)).toBe(503);
    expect(await code('teams', Date.now() + HOUR)).toBe(400);
    expect(await code('teams', 'yesterday')).toBe(400);
  });

  it('answers the right rows or "later" when many ask at once', async () => {
    const moments = Array.from({ length: 12 }, (_, index) => SEASON + (20 + index) * MINUTE);
    const answers = await Promise.all(moments.map((moment) => ask('teams', moment)));
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).toBeGreaterThanOrEqual(4);
    for (const { body } of given) {
      const totals = shownAt(Date.parse(body.at)).map(({ total }) => total);
      expect(body.rows.map(({ total }) => total)).toEqual(totals);
    }
    for (const { status, retryAfter } of answers)
      if (status !== 200) expect([status, retryAfter]).toEqual([503, '1']);
  });

  it('says that a board may be incomplete when the start of its history is gone', async () => {
    const messages = [3, 2, 1].map((rank) => message({ rnk: rank }, row(rank), SEASON + MINUTE * rank));
    await fill('for-ever-history', messages);
    expect((await answered('for-ever', SEASON + HOUR)).body).toMatchObject({
      complete: true,
      rows: [{ rank: 1 }, { rank: 2 }, { rank: 3 }],
    });
    await deleteFirst('for-ever-history');
    expect((await ask('for-ever', SEASON + HOUR)).body).toMatchObject({
      complete: false,
      rows: [{ rank: 1 }, { rank: 2 }],
    });
  });

  it('finds its way back to the history when the broker was killed', async () => {
    cluster.broker.process.restart();
    const { body } = await answered('teams', SEASON + 41 * MINUTE);
    expect(body.rows).toHaveLength(shownAt(SEASON + 41 * MINUTE).length);
  });

  it('counts what goes through the pipeline', async () => {
    const start = Math.floor(Date.now() / 5000) * 5000 - 10_000;
    const counts = {
      events: 50,
      late_events: 1,
      robot_events: 2,
      uncounted_events: 3,
      undecodable_messages: 4,
      active_players: 5,
      active_teams: 6,
      newest_event_time: start,
    };
    await fill('stats', [
      message({ slot_start: start }, { ...counts, events: 10 }, start),
      message({ slot_start: start }, counts, start),
      { key: 'no slot', value: 'no counts' },
    ]);
    const stats = async () => (await fetch(`${url}/api/stats`)).json();
    await expect.poll(stats, { timeout: 30_000 }).toMatchObject({
      status: 'live',
      newestEventTime: new Date(start).toISOString(),
      slots: [{ start: new Date(start).toISOString(), events: 50, lateEvents: 1, activeTeams: 6 }],
    });
  });
});
