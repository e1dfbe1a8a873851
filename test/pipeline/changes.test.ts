import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import type { FlinkCluster } from '../../local/flink.ts';
import { type Board, boards } from '../../plan/boards.ts';
import { boardRows, expectBoardsToEqualOracle } from '../support/boards.ts';
import { restored } from '../support/checkpoints.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { gameMessages, produce, timePasses } from '../support/events.ts';
import { resource } from '../support/resource.ts';
import { readTopic } from '../support/topic.ts';

const PARTITIONS = 3;
const START = Date.UTC(2026, 0, 1, 12, 4);
const PART = 2_000;

const teams = { name: 'teams', type: 'TopTeams', season: '30m' };
const players = { name: 'players', type: 'TopPlayers', season: '30m' };
const hot = { name: 'hot', type: 'HotStreakers' };
const mvps = { name: 'mvps', type: 'TeamMvps', season: '30m' };
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

function game(...leaderboards: Record<string, unknown>[]): GameAnalytics {
  return resource({ events: { topic: 'changes', partitions: PARTITIONS }, leaderboards }, 'changes');
}

/** Each change of a running pipeline: to which boards, and which of them are recomputed. The others go on undisturbed. */
const CHANGES: { change: string; to: GameAnalytics; recomputed: string[] }[] = [
  {
    change: 'a size and a title, within the rank',
    to: game(teams, { ...players, size: 16, title: 'Best' }, hot),
    recomputed: [],
  },
  { change: 'a board that is removed', to: game({ ...players, size: 16 }, hot), recomputed: [] },
  {
    change: 'boards that are added, one of them in SQL',
    to: game(mvps, { ...players, size: 16 }, largest, hot),
    recomputed: ['mvps', 'largest'],
  },
  {
    change: 'a size beyond the rank, and a board that comes back',
    to: game(teams, mvps, { ...players, size: 40 }, largest, hot),
    recomputed: ['teams', 'players'],
  },
];

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
      query: {
        largest: (events) =>
          [...Map.groupBy(events, ({ user }) => user)]
            .map(([user_id, own]) => ({ user_id, score: Math.max(...own.map(({ score }) => score)) }))
            .sort((a, b) => b.score - a.score || (a.user_id < b.user_id ? -1 : 1))
            .slice(0, 5)
            .map((row, i) => ({ rnk: i + 1, ...row })),
      },
    });
  }

  it.each(CHANGES)('goes on over $change', async ({ to, recomputed }) => {
    await job.stop();
    const before = await lengths(to);
    job = await cluster.startJob(to);
    expect(await restored(job)).toBe('savepoint');
    await playOn(to);
    for (const board of boards(to).filter(({ name }) => !recomputed.includes(name)))
      expect(await fellBack(board, before.get(board.topic) ?? 0), board.name).toEqual([]);
  });

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

  /** Rows written since, in which a rank has less than it had, or an instant is drawn again: what a replay would leave. */
  async function fellBack(board: Board, since: number): Promise<unknown[]> {
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
