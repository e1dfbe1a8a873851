import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { boards, toDefinition } from '../../plan/boards.ts';
import { playersTopic } from '../../plan/topics.ts';
import { type DashboardProcess, startDashboard } from '../../testkit/dashboard/dashboard-process.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { resource } from '../../testkit/resources/resource.ts';

/*
 * Real Kafka, the command and the dashboard, with a board as the job writes it.
 */

const SOON = { timeout: 180_000, interval: 100 };
const game = resource(
  { leaderboards: [{ name: 'top', type: 'TopPlayers', season: 'none', size: 3 }], players: {} },
  'hiding',
);
const [top] = boards(game).map(toDefinition);
const RANKED = ['ann', 'bob', '--cid "quoted"', 'dan', 'eve'];

let cluster: TestCluster;
let dashboard: DashboardProcess;
let manifest: string;
beforeAll(async () => {
  cluster = await startTestCluster();
  const topics = [top!.topic, playersTopic(game)].map((topic) => ({ topic, numPartitions: 1 }));
  await cluster.broker.admin.createTopics({ topics, waitForLeaders: true });
  const rows = RANKED.map((user_id, i) => ({ rnk: i + 1, user_id, total_score: 50 - i, last_event_at: 0 }));
  const producer = cluster.kafka.producer();
  await producer.connect();
  const value = JSON.stringify({ season_start: 0, digest: top!.digest, rows });
  await producer.send({ topic: top!.topic, messages: [{ key: JSON.stringify({ season_start: 0 }), value }] });
  await producer.disconnect();
  manifest = join(cluster.runtime.stateDir, 'game.yaml');
  const spec = { kafka: { cluster: 'games' }, players: {} };
  const { name } = game.metadata;
  await writeFile(
    manifest,
    JSON.stringify({ apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec }),
  );
  dashboard = await start();
});
afterAll(async () => {
  dashboard?.process.kill('SIGKILL');
  await cluster?.stop();
});

function start(): Promise<DashboardProcess> {
  return startDashboard(cluster.broker.bootstrapServers, [top!], { PLAYERS_TOPIC: playersTopic(game) });
}

async function command(...words: string[]): Promise<string> {
  const address = ['--bootstrap', cluster.broker.bootstrapServers];
  const args = ['cli/main.ts', 'players', manifest, ...address, ...words];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

/** Ranks and players of the board, as the API answers. */
async function shown(): Promise<string[]> {
  const response = await fetch(`${dashboard.url}/api/boards/top`);
  const { rows } = (await response.json()) as { rows: { rank: number; user_id: string }[] };
  return rows.map(({ rank, user_id }) => `${rank} ${user_id}`);
}

it('are hidden, erased and shown by the command, and those below move up', async () => {
  await expect.poll(shown, SOON).toEqual(['1 ann', '2 bob', '3 --cid "quoted"']);
  expect(await command('hide', '--', 'ann', RANKED[2]!)).toBe('ann is hidden\n--cid "quoted" is hidden\n');
  await expect.poll(shown, SOON).toEqual(['1 bob', '2 dan', '3 eve']);
  expect(await command('erase', 'bob')).toBe('bob is erased\n');
  await expect.poll(shown, SOON).toEqual(['1 dan', '2 eve']);
  expect((await command()).match(/ \| (hidden|erased)$/gm)).toHaveLength(3);
  await command('show', '--', RANKED[2]!, 'eve');
  await expect.poll(shown, SOON).toEqual(['1 --cid "quoted"', '2 dan', '3 eve']);
});

it('are on no board of a dashboard that starts, at any moment', async () => {
  dashboard.process.kill('SIGKILL');
  dashboard = await start();
  const seen: string[][] = [];
  await expect.poll(async () => seen[seen.push(await shown()) - 1], { ...SOON, interval: 5 }).toHaveLength(3);
  expect(new Set(seen.flat())).toEqual(new Set(['1 --cid "quoted"', '2 dan', '3 eve']));
});

it('are all shown again once their records have no values', async () => {
  await command('show', 'ann', 'bob');
  expect(await command()).toBe('No player is hidden.\n');
  await expect.poll(shown, SOON).toEqual(['1 ann', '2 bob', '3 --cid "quoted"']);
});
