import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { boards, type PlannedBoard } from '../../plan/boards.ts';
import { definitionsOf } from '../../testkit/dashboard/dashboard.ts';
import { startDashboard } from '../../testkit/dashboard/dashboard-process.ts';
import { boardRows, expectBoardsToEqualOracle } from '../../testkit/oracle/boards.ts';
import type { CountedEvent, Row } from '../../testkit/oracle/oracle.ts';
import { restored } from '../../testkit/pipeline/checkpoints.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { gameMessages, produce, timePasses } from '../../testkit/streams/events.ts';

const PARTITIONS = 3;
const START = Date.UTC(2026, 0, 1, 12, 4);
const PART = 2_000;

const teams = { name: 'teams', type: 'TopTeams', season: '30m' };
const players = { name: 'players', type: 'TopPlayers', season: '30m' };
const hot = { name: 'hot', type: 'HotStreakers' };
const mvps = { name: 'mvps', type: 'TeamMvps', season: '30m' };
const ODD_SCORES = 'MOD(score, 2) = 1';
const largest = {
  name: 'largest',
  type: 'Query',
  columns: [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'user_id', type: 'STRING' },
    { name: 'score', type: 'BIGINT' },
  ],
  query: `
    SELECT rnk, user_id, score FROM (
      SELECT *, ROW_NUMBER() OVER (ORDER BY score DESC, user_id) AS rnk
      FROM (SELECT user_id, MAX(score) AS score FROM valid_events GROUP BY user_id)
    ) WHERE rnk <= 5`,
};

/** The same board with another column, and with another query. */
const busiest = {
  ...largest,
  columns: [...largest.columns, { name: 'plays', type: 'BIGINT' }],
  query: `
    SELECT rnk, user_id, score, plays FROM (
      SELECT *, ROW_NUMBER() OVER (ORDER BY plays DESC, user_id) AS rnk
      FROM (SELECT user_id, MAX(score) AS score, COUNT(*) AS plays FROM valid_events GROUP BY user_id)
    ) WHERE rnk <= 5`,
};
const leastBusy = { ...busiest, query: busiest.query.replace('plays DESC', 'plays') };

/** What the boards with SQL of their own hold, by that SQL. */
const RANKED: Record<string, (plays: { score: number; plays: number }) => number> = {
  [largest.query]: ({ score }) => score,
  [busiest.query]: ({ plays }) => plays,
  [leastBusy.query]: ({ plays }) => -plays,
};

function game(...leaderboards: Record<string, unknown>[]): GameAnalytics {
  return resource({ events: { topic: 'changes', partitions: PARTITIONS }, leaderboards }, 'changes');
}

/**
 * Each change of a running pipeline: to which boards, and which of them are recomputed. The others continue
 * undisturbed. A board that comes back with its former definition is as it was left until then: on this
 * machine nobody deletes its topic.
 */
const CHANGES: { change: string; to: GameAnalytics; recomputed: string[]; comesBack?: string }[] = [
  {
    change: 'a board that is removed, and a size and a title of another, within the rank',
    to: game({ ...players, size: 16, title: 'Best' }, hot),
    recomputed: [],
  },
  {
    change: 'boards that are added, one of them in SQL, a size beyond the rank, and a board that comes back',
    to: game(teams, mvps, { ...players, size: 40 }, largest, hot),
    recomputed: ['teams', 'mvps', 'players', 'largest'],
    comesBack: 'teams',
  },
  {
    change: 'a condition, no season, a minimum, a window, and a query with another column',
    to: game(
      { ...teams, season: 'none' },
      { ...mvps, minimumEvents: 40 },
      { ...players, size: 40, where: ODD_SCORES },
      busiest,
      { ...hot, memory: '2m' },
    ),
    recomputed: ['teams', 'mvps', 'players', 'largest', 'hot'],
  },
  {
    change: 'a size within the rank, and a query of the same columns',
    to: game(
      { ...teams, season: 'none' },
      { ...mvps, minimumEvents: 40, size: 5 },
      { ...players, size: 40, where: ODD_SCORES },
      leastBusy,
      { ...hot, memory: '2m' },
    ),
    recomputed: ['largest'],
  },
];

function countsOddScores({ spec }: GameAnalytics): boolean {
  return spec.leaderboards.some((board) => board.type === 'TopPlayers' && board.where === ODD_SCORES);
}

/** The rows of the board with SQL of its own. */
function ranked({ spec }: GameAnalytics, events: CountedEvent[]): Row[] {
  const board = spec.leaderboards.find((one) => one.type === 'Query');
  if (!board) return [];
  const rank = RANKED[board.query]!;
  const names = board.columns.map(({ name }) => name);
  return [...Map.groupBy(events, ({ user }) => user)]
    .map(([user_id, own]) => ({
      user_id,
      score: Math.max(...own.map(({ score }) => score)),
      plays: own.length,
    }))
    .sort((a, b) => rank(b) - rank(a) || (a.user_id < b.user_id ? -1 : 1))
    .slice(0, 5)
    .map((row, i) => ({ rnk: i + 1, ...row }) as Row)
    .map((row) => Object.fromEntries(names.map((name) => [name, row[name]!])));
}

describe('a running pipeline that is changed', () => {
  const messages = gameMessages(3, START, PART * (CHANGES.length + 1));
  let cluster: TestCluster;
  let job: FlinkCluster;
  let part = 0;

  beforeAll(async () => {
    cluster = await startTestCluster();
    job = await cluster.startJob(game(teams, players, hot));
    await playOn(game(teams, players, hot));
  });
  afterAll(async () => {
    await job?.stop();
    await cluster?.stop();
  });

  /** Plays the next part of the stream, and compares all boards with the oracle over all of it. */
  async function playOn(resource: GameAnalytics): Promise<void> {
    const played = messages.slice(part * PART, (part + 1) * PART);
    part += 1;
    const [begin, end] = [played[0]?.timestamp ?? 0, played.at(-1)?.timestamp ?? 0];
    // No partition counts as idle when the others' events come.
    await produce(cluster.kafka, 'changes', timePasses(begin, PARTITIONS));
    await produce(cluster.kafka, 'changes', [...played, ...timePasses(end, PARTITIONS)]);
    await expectBoardsToEqualOracle(cluster.kafka, resource, end - 5_000, {
      where: countsOddScores(resource) ? { players: ({ score }) => score % 2 === 1 } : {},
      query: { largest: (events) => ranked(resource, events) },
    });
  }

  it.each(CHANGES)('continues over $change', async ({ to, recomputed, comesBack }) => {
    await job.stop();
    const before = await lengths(to);
    await using page = await dashboardOf(to);
    // Nothing of what a board was by its former definition.
    const emptied = recomputed.filter((name) => name !== comesBack);
    for (const board of boards(to).filter(({ topic }) => before.has(topic)))
      expect((await page.rows(board)).length === 0, board.name).toBe(emptied.includes(board.name));
    job = await cluster.startJob(to);
    expect(await restored(job)).toBe('savepoint');
    await playOn(to);
    for (const board of boards(to))
      await expect.poll(() => page.rows(board), { timeout: 180_000 }).toEqual(await newestRows(board));
    for (const board of boards(to).filter(({ name }) => !recomputed.includes(name)))
      expect(await fellBack(board, before.get(board.topic) ?? 0), board.name).toEqual([]);
  });

  /** The dashboard of a resource, with what it has of each board. */
  async function dashboardOf(resource: GameAnalytics) {
    const { url, process } = await startDashboard(cluster.broker.bootstrapServers, definitionsOf(resource));
    return {
      async rows({ name, identity }: PlannedBoard): Promise<unknown[]> {
        const { rows } = await vi.waitFor(async () => {
          const answer = await fetch(`${url}/api/boards/${name}`);
          const body = (await answer.json()) as { status: string; rows: Row[] };
          expect(body.status).toBe('live');
          return body;
        }, 60_000);
        return rows.map((row) => [row.rank, ...identity.map((column) => row[column])]);
      },
      async [Symbol.asyncDispose]() {
        process.kill('SIGKILL');
      },
    };
  }

  /** Ranks and holders of a board's newest season or instant, as its topic has them. */
  async function newestRows(board: PlannedBoard): Promise<unknown[]> {
    const records = await readTopic(cluster.kafka, board.topic);
    const rows = [...newestByKey(records).values()].flatMap((value) => boardRows(board, value));
    const newest = Math.max(...rows.map(({ season_start }) => Number(season_start ?? 0)));
    return rows
      .filter(({ season_start }) => Number(season_start ?? 0) === newest)
      .sort((a, b) => Number(a.rnk) - Number(b.rnk))
      .map((row) => [row.rnk, ...board.identity.map((column) => row[column])]);
  }

  /** How many records each board's topic has. */
  async function lengths(resource: GameAnalytics): Promise<Map<string, number>> {
    const admin = cluster.kafka.admin();
    await admin.connect();
    const existing = await admin.listTopics();
    await admin.disconnect();
    const topics = boards(resource)
      .map(({ topic }) => topic)
      .filter((topic) => existing.includes(topic));
    const counted = topics.map(
      async (topic): Promise<[string, number]> => [topic, (await readTopic(cluster.kafka, topic)).length],
    );
    return new Map(await Promise.all(counted));
  }

  /**
   * Rows written since, in which a rank has less than it had, or an instant is drawn again: what a replay
   * would leave.
   */
  async function fellBack(board: PlannedBoard, since: number): Promise<unknown[]> {
    const most = new Map<string, number>();
    const records = await readTopic(cluster.kafka, board.topic);
    const rows = records.flatMap(({ value }, i) =>
      boardRows(board, value ?? '').map((row) => ({ row, isNew: i >= since })),
    );
    return rows.flatMap(({ row, isNew }) => {
      const rank = row.as_of === undefined ? `${row.season_start} ${row.rnk}` : `all ${row.rnk}`;
      const amount = Number(row.total_score ?? row.as_of ?? row.score ?? 0);
      const fell = isNew && amount < (most.get(rank) ?? 0);
      most.set(rank, Math.max(amount, most.get(rank) ?? 0));
      return fell ? [row] : [];
    });
  }
});
