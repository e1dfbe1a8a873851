import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isGap } from '../../contract/history.ts';
import { playerRecord } from '../../contract/players.ts';
import { SLOT_MILLIS } from '../../contract/stats.ts';
import { setTopicConfigs } from '../../kafka/admin.ts';
import { type App, startApp } from '../../local/app.ts';
import { applyTopics } from '../../local/kafka/topics.ts';
import { boards, toDefinition } from '../../plan/boards.ts';
import type { Deployment, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { playersTopic } from '../../plan/topics.ts';
import { type DashboardProcess, startDashboard } from '../../testkit/dashboard/dashboard-process.ts';
import { NO_STATS } from '../../testkit/dashboard/stats.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A season that is over, with two after it. */
const SEASON = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR;

const DIGEST = 'd1';

const TEAMS = {
  name: 'teams',
  title: 'Teams',
  topic: 'teams',
  historyTopic: 'teams-history',
  digest: DIGEST,
  size: 3,
  period: { kind: 'season', lengthMillis: HOUR },
  identity: ['team_id'],
  columns: [{ name: 'total', label: 'Total', type: 'integer' }],
};
const FOR_EVER = {
  ...TEAMS,
  name: 'for-ever',
  topic: 'for-ever',
  historyTopic: 'for-ever-history',
  period: undefined,
};
const FORGETFUL = { ...TEAMS, name: 'forgetful', historyTopic: undefined };
const MISSING = { ...TEAMS, name: 'missing', historyTopic: 'no-such-topic' };

/** A board as the API has it. */
interface Board {
  at: string;
  season: object;
  updatedAt: string;
  rows: { rank: number; total: number; user_id?: string }[];
}

interface Change {
  at: number;
  season: number;
  /** Best first. Null: the season's board was taken back. */
  totals: number[] | null;
  digest?: string;
}

/**
 * A season with thousands of changes, one that is taken back and comes again, then one with few changes, and
 * late changes of the one before.
 */
function* changes(): Generator<Change> {
  const next = SEASON + HOUR;
  yield { at: SEASON + 1000, season: SEASON, totals: [7] };
  for (let i = 0; i < 20_000; i += 1) {
    yield { at: SEASON + MINUTE + 100 * i, season: SEASON, totals: [101 + i, 100 + i, 7] };
  }
  yield { at: SEASON + 40 * MINUTE, season: SEASON, totals: null };
  yield { at: SEASON + 42 * MINUTE, season: SEASON, totals: [30_000, 7] };
  // Of another definition of the board, and larger than the board is now.
  yield { at: SEASON + 43 * MINUTE, season: SEASON, totals: [99_999], digest: 'd2' };
  yield { at: SEASON + 44 * MINUTE, season: SEASON, totals: [30_000, 20, 7, 6] };
  yield { at: next + 10 * MINUTE, season: next, totals: [1] };
  yield { at: next + 12 * MINUTE, season: SEASON, totals: [40_000] };
  yield { at: next + 20 * MINUTE, season: next, totals: [2, 1] };
  // Written a little earlier than the record before it.
  yield { at: next + 20 * MINUTE - 500, season: next, totals: [3, 2, 1] };
}

/** What the board was: the last that was written of the newest season that had begun. */
function shownAt(moment: number): number[] {
  const past = [...changes()].filter(({ at, digest }) => at <= moment && digest === undefined);
  const newest = Math.max(...past.map(({ season }) => season));
  return past.findLast(({ season }) => season === newest)?.totals?.slice(0, TEAMS.size) ?? [];
}

function message({ at, season, totals, digest = DIGEST }: Change): Message {
  const rows = totals?.map((total, index) => ({ rnk: index + 1, team_id: `team-${total}`, total }));
  return {
    key: JSON.stringify({ season_start: season }),
    value: rows ? JSON.stringify({ season_start: season, digest, rows }) : null,
    timestamp: String(at),
  };
}

function slot(slot_start: number, counts: object): Message {
  return {
    key: JSON.stringify({ slot_start }),
    value: JSON.stringify({ slot_start, ...counts }),
    timestamp: String(slot_start),
  };
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster?.stop());

/** Creates a topic, if there is none, and writes to it. */
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

async function deleteBefore(topic: string, offset: number): Promise<void> {
  const { admin } = cluster.broker;
  // kafkajs finds the leader only of topics that it has asked about.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
}

/** The answer of a dashboard. */
async function askOf(url: string, board: string, at: string | number) {
  const response = await fetch(`${url}/api/boards/${board}?at=${at}`);
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Board,
  };
}

/** Keeps the histories of boards. */
function startHistories(kept: { topic: string; historyTopic: string }[]) {
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: cluster.broker.bootstrapServers,
    HISTORY_BOARDS: JSON.stringify(kept.map(({ topic, historyTopic }) => ({ topic, historyTopic }))),
    PORT: '0',
  };
  const args = ['--disable-warning=TimeoutNegativeWarning', 'history/main.ts'];
  return cluster.runtime.spawn('histories', () => ({ file: process.execPath, args, env }));
}

describe('the dashboard', () => {
  let dashboard: DashboardProcess | undefined;
  let url: string;

  beforeAll(async () => {
    await fill('teams', [...changes()].map(message));
    for (const topic of ['teams-history', 'for-ever', 'for-ever-history']) await fill(topic, []);
    startHistories([TEAMS, FOR_EVER]);
    const { bootstrapServers } = cluster.broker;
    dashboard = await startDashboard(bootstrapServers, [TEAMS, FOR_EVER, FORGETFUL, MISSING]);
    url = dashboard.url;
    await answered('teams', SEASON + HOUR);
  });

  afterAll(async () => {
    dashboard?.process.kill('SIGKILL');
  });

  const ask = (board: string, at: string | number) => askOf(url, board, at);

  /** The answer of a broker that may just have started, and have to load its groups first. */
  function answered(board: string, at: string | number) {
    const answer = async () => {
      const given = await ask(board, at);
      expect(given.status).toBe(200);
      return given;
    };
    return vi.waitFor(answer, { timeout: 180_000, interval: 500 });
  }

  it.each([
    ['at the first change', SEASON + 1000],
    ['after the first few', SEASON + MINUTE + 250],
    ['amid thousands', SEASON + 30 * MINUTE],
    ['when it has come back', SEASON + 42 * MINUTE],
    ['after a change of another definition of it', SEASON + 43 * MINUTE],
    ['just before the next season', SEASON + HOUR - 1],
    ['in a season without a change yet', SEASON + HOUR + 5 * MINUTE],
    ['at the first change of a season', SEASON + HOUR + 10 * MINUTE],
    ['after a late change of the season before', SEASON + HOUR + 15 * MINUTE],
    ['between two changes out of order', SEASON + HOUR + 20 * MINUTE - 400],
    ['after all changes', SEASON + HOUR + 50 * MINUTE],
    ['in a later season, without any', SEASON + 2 * HOUR + MINUTE],
  ])('shows a board as it was %s', async (_, moment) => {
    const { status, body } = await ask('teams', moment);
    expect(status).toBe(200);
    expect(body.at).toBe(new Date(moment).toISOString());
    expect(body.rows).toEqual(
      shownAt(moment).map((total, index) => ({ rank: index + 1, team_id: `team-${total}`, total })),
    );
    expect(body.rows.length).toBeGreaterThan(0);
  });

  it('shows a season that was taken back without rows, and not the one before', async () => {
    const { body } = await ask('teams', SEASON + 41 * MINUTE);
    expect(body.rows).toEqual([]);
    expect(body.season).toMatchObject({ start: new Date(SEASON).toISOString() });
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
      expect(body.rows.map(({ total }) => total)).toEqual(shownAt(Date.parse(body.at)));
    }
    for (const { status, retryAfter } of answers)
      if (status !== 200) expect([status, retryAfter]).toEqual([503, '1']);
  });

  it('says that nothing is kept where the record that tells is gone, and shows the later ones', async () => {
    const totals = [1, 2, 3];
    await fill(
      'for-ever',
      totals.map((total) => message({ at: SEASON + MINUTE * total, season: 0, totals: [total] })),
    );
    expect((await answered('for-ever', SEASON + MINUTE)).body.rows).toMatchObject([{ total: 1 }]);
    await deleteBefore('for-ever-history', 1);
    expect((await ask('for-ever', SEASON + MINUTE)).status).toBe(404);
    expect((await ask('for-ever', SEASON + 2 * MINUTE)).body.rows).toMatchObject([{ total: 2 }]);
  });

  it('finds its way back to the history when the broker was killed', async () => {
    cluster.broker.process.restart();
    const { body } = await answered('teams', SEASON + 42 * MINUTE);
    expect(body.rows).toHaveLength(shownAt(SEASON + 42 * MINUTE).length);
  });

  it('counts what goes through the pipeline', async () => {
    const start = Math.floor(Date.now() / SLOT_MILLIS) * SLOT_MILLIS - 10_000;
    const counts = {
      ...NO_STATS,
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
      slot(start, { ...counts, events: 10 }),
      slot(start, counts),
      { key: 'no slot', value: 'no counts' },
    ]);
    const stats = async () => (await fetch(`${url}/api/stats`)).json();
    await expect.poll(stats, { timeout: 180_000 }).toMatchObject({
      status: 'live',
      newestEventTime: new Date(start).toISOString(),
      slots: [{ start: new Date(start).toISOString(), events: 50, lateEvents: 1, activeTeams: 6 }],
    });
  });
});

/*
 * The program as it is planned, on a board of players that is written while the program is killed, a player
 * is erased, and someone looks.
 */
describe('a history', () => {
  const game = resource(
    { leaderboards: [{ name: 'top', type: 'TopPlayers', season: 'none', history: true }], players: {} },
    'kept',
  );
  const [top] = boards(game).map(toDefinition);
  const { topic, historyTopic = '' } = top!;
  const { player: _, ...open } = top!;
  const KEY = JSON.stringify({ season_start: 0 });

  interface Written {
    at: number;
    value: string;
    /** Without the player who is erased. */
    erased: string;
  }
  const written: Written[] = [];
  let planned: ReturnType<typeof plan>;
  let app: App | undefined;
  let dashboard: DashboardProcess | undefined;

  beforeAll(async () => {
    const { bootstrapServers, admin } = cluster.broker;
    planned = plan(game, { bootstrapServers, appImage: 'local', flinkImage: 'local' });
    await applyTopics(
      admin,
      planned.filter((object): object is KafkaTopic => object.kind === 'KafkaTopic'),
    );
    await startHistory();
    // It hides nobody: what it shows is what is kept.
    dashboard = await startDashboard(bootstrapServers, [open]);
  });
  afterAll(async () => {
    dashboard?.process.kill('SIGKILL');
    await app?.stop();
  });

  async function startHistory(): Promise<void> {
    const deployment = planned.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'kept-history',
    );
    app = await startApp(cluster.runtime, deployment as Deployment);
  }

  /** Totals that JavaScript's numbers do not hold. */
  function change(at: number): Written {
    const rows = ['ann', 'bob', 'cid'].map(
      (id, i) => `{"rnk":${i + 1},"user_id":"${id}","total_score":922337203685477${1000 + written.length}}`,
    );
    const value = (shown: string[]) =>
      `{"season_start":0,"digest":"${top!.digest}","rows":[${shown.join()}]}`;
    return { at, value: value(rows), erased: value([rows[0]!, rows[2]!]) };
  }

  async function write(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const next = change(Math.max(Date.now(), (written.at(-1)?.at ?? 0) + 1));
      written.push(next);
      await fill(topic, [{ key: KEY, value: next.value, timestamp: String(next.at) }]);
      await sleep(15);
    }
  }

  const kept = () => readTopic(cluster.kafka, historyTopic);
  const copies = async () =>
    (await kept()).map(({ key, value, timestamp: at }) => (key === KEY ? { at, value } : undefined));

  it('has each change of its board once, in order, whenever it is killed', async () => {
    for (let i = 0; i < 3; i += 1) {
      await write(25);
      app!.replicas[0]!.process.restart();
    }
    await write(25);
    const all = written.map(({ at, value }) => ({ at, value }));
    await expect.poll(copies, { timeout: 180_000, interval: 500 }).toEqual(all);
  });

  it('has no trace of a player that is erased, and is of real moments meanwhile', async () => {
    const writing = write(100);
    await fill(playersTopic(game), [playerRecord('bob', 'erased')]);
    const rewriting = (async () => {
      await sleep(1500);
      app!.replicas[0]!.process.restart();
    })();
    let isDone = false;
    let looks = 0;
    const looking = (async () => {
      while (!isDone || looks < 10) {
        const oldest = written[0]!.at;
        const at = oldest + Math.floor(Math.random() * (Date.now() - oldest - 1));
        const { status, body } = await askOf(dashboard!.url, 'top', at);
        expect([200, 503]).toContain(status);
        if (status !== 200) continue;
        const shown = written.findLast((one) => one.at <= at)!;
        expect(body.updatedAt).toBe(new Date(shown.at).toISOString());
        const players = body.rows.map(({ user_id }) => user_id);
        expect([
          ['ann', 'bob', 'cid'],
          ['ann', 'cid'],
        ]).toContainEqual(players);
        looks += 1;
      }
    })();
    await Promise.all([writing, rewriting]);
    const all = written.map(({ at, erased: value }) => ({ at, value }));
    await expect.poll(copies, { timeout: 180_000, interval: 500 }).toEqual(all);
    isDone = true;
    await looking;
  });

  it('says where changes are missing, since they were compacted before they were copied', async () => {
    await app!.stop();
    const { at: before } = written.at(-1)!;
    await write(3);
    const [gone, , last] = written.slice(-3);
    // Kafka deletes no records of a topic that is compacted only.
    const configEntries = [{ name: 'cleanup.policy', value: 'delete' }];
    await setTopicConfigs(cluster.broker.admin, [{ name: topic, configEntries }]);
    await deleteBefore(topic, written.length - 1);
    await startHistory();
    const status = async (at: number) => (await askOf(dashboard!.url, 'top', at)).status;
    await expect.poll(() => status(last!.at), { timeout: 180_000, interval: 500 }).toBe(200);
    expect(await status(gone!.at)).toBe(404);
    expect(await status(last!.at - 1)).toBe(404);
    expect(await status(before)).toBe(200);
    const gaps = (await kept()).filter(({ value }) => isGap(Buffer.from(value!)));
    expect(gaps).toHaveLength(1);
  });
});
