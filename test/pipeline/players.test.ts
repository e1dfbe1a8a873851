import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import { Players, USER_ID } from '../../contract/players.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { boards, type PlannedBoard } from '../../plan/boards.ts';
import { topicRanks } from '../../plan/layout.ts';
import { playersTopic } from '../../plan/topics.ts';
import { boardRows, inFieldOrder, readEvents } from '../../testkit/oracle/boards.ts';
import {
  type CountedEvent,
  countedEvents,
  type Row,
  type SeasonBoard,
  seasonRows,
} from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { type AnyMessage, produce } from '../../testkit/streams/events.ts';
import { streams } from '../../testkit/streams/streams.ts';

const SETTLED = { timeout: 120_000, interval: 500 };

const game = resource(
  {
    events: { topic: 'played', partitions: 1 },
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: '5m' },
      { name: 'top-players', type: 'TopPlayers', season: '5m', size: 5 },
      { name: 'by-team', type: 'TopPlayers', season: '5m', by: 'team_name' },
      { name: 'team-mvps', type: 'TeamMvps', season: '5m', minimumEvents: 1 },
      { name: 'best-ever', type: 'TopPlayers', season: 'none', score: 'Best', size: 20 },
    ],
    players: {},
    flink: { checkpointInterval: '2s' },
  },
  'hiding',
);

/** A game in which few play most. */
const [stream] = fc.sample(
  streams({ start: Date.UTC(2026, 0, 1, 12, 4), partitions: 1, minSteps: 120, maxSteps: 140 }),
  { numRuns: 1, seed: 3 },
);
const { messages, plays } = stream!;
const often = Map.groupBy(plays, ({ user }) => user);
const ids = [...often.keys()].sort((a, b) => often.get(b)!.length - often.get(a)!.length);

const HIDDEN = '{"hidden":true}';
const ERASED = '{"note":"on request","erased":true}';
/** What is written of players while they play: who, in the order of who plays most, and a value. */
const WRITTEN: [player: number, value: string | Buffer | null][] = [
  [0, HIDDEN],
  [1, 'hidden'],
  [2, ERASED],
  [3, '{"hidden":"true"}'],
  [0, null],
  [4, '[{"hidden":true}]'],
  [5, HIDDEN],
  [5, '{"hidden":true'],
  [6, Buffer.from([0xff, 0xfe, 0x00])],
  [1, '{"hidden":false,"erased":true}'],
  [7, '{"hidden":true} {}'],
  [2, '{}'],
  [8, ''],
  [0, HIDDEN],
  [3, ERASED],
];

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

async function write(records: Omit<AnyMessage, 'timestamp'>[]): Promise<void> {
  const now = Date.now();
  await produce(
    cluster.kafka,
    playersTopic(game),
    records.map((record) => ({ ...record, timestamp: now })),
  );
}

/** Who was hidden before the first of the records of players, after it, and so on to the last. */
async function hiddenSets(): Promise<Set<string>[]> {
  const records = await readTopic(cluster.kafka, playersTopic(game));
  const players = new Players();
  return [
    new Set(),
    ...records.map(({ key, value }) => {
      players.apply(key ?? undefined, value ?? undefined);
      return new Set(players.states.keys());
    }),
  ];
}

/** All ranks that a board's topic should have. */
function allRanks({ source }: PlannedBoard, events: CountedEvent[]): Row[] {
  return seasonRows({ ...(source as SeasonBoard), size: topicRanks(source) }, events);
}

function ranksIn(board: PlannedBoard, value: string): Row[] {
  return boardRows({ ...board, size: topicRanks(board.source) }, value.replace(/"rows":null/, '"rows":[]'));
}

/** The records that have rows, as texts. */
function asRecords(rows: Row[]): string[] {
  const ofRecords = Map.groupBy(rows, ({ season_start, value }) => JSON.stringify([season_start, value]));
  return [...ofRecords.values()].map((own) =>
    JSON.stringify(own.toSorted((a, b) => Number(a.rnk) - Number(b.rnk)).map(inFieldOrder)),
  );
}

const without = (rows: Row[], hidden: Set<string>) => rows.filter((row) => !hidden.has(String(row[USER_ID])));

async function expectBoards(): Promise<void> {
  const hidden = (await hiddenSets()).at(-1)!;
  const events = countedEvents(await readEvents(cluster.kafka, game));
  for (const board of boards(game)) {
    const expected = asRecords(without(allRanks(board, events), hidden)).sort();
    expect(expected.length, board.name).toBeGreaterThan(0);
    await vi.waitFor(async () => {
      const newest = newestByKey(await readTopic(cluster.kafka, board.topic));
      const shown = [...newest.values()].flatMap((value) => asRecords(ranksIn(board, value)));
      expect(shown.sort(), board.name).toEqual(expected);
    }, SETTLED);
  }
}

it('keeps hidden players off the boards as they move, and over a crash', async () => {
  for (let i = 0; i < messages.length; i += 5) {
    await produce(cluster.kafka, 'played', messages.slice(i, i + 5));
    const [player, value] = WRITTEN[i / 10] ?? [];
    if (player !== undefined) await write([{ key: ids[player]!, value: value ?? null }]);
    await sleep(150);
    if (i === 80) job.taskManagers[0]?.restart();
  }
  await expectBoards();
  expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
  expect(job.taskManagers[0]?.crashes).toBe(1);
});

it('hides and shows players of a game in which nobody plays, by the command', async () => {
  const manifest = join(cluster.runtime.stateDir, 'game.yaml');
  const spec = { kafka: { cluster: 'games' }, players: {} };
  await writeFile(
    manifest,
    JSON.stringify({ apiVersion: API_VERSION, kind: KIND, metadata: { name: 'hiding' }, spec }),
  );
  const players = async (...words: string[]) => {
    const address = ['--bootstrap', cluster.broker.bootstrapServers];
    const args = ['cli/main.ts', 'players', manifest, ...address, ...words];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  };
  expect(await players('hide', '--', ...ids.slice(4, 8))).toContain(' is hidden\n');
  await players('show', '--', ids[0]!);
  await expectBoards();
  expect((await players()).match(/ \| (hidden|erased)$/gm)).toHaveLength((await hiddenSets()).at(-1)!.size);
  await write(ids.map((key) => ({ key, value: null })));
  expect(await players()).toBe('No player is hidden.\n');
  await expectBoards();
});

it('has never written half of a change', async () => {
  const events = countedEvents(await readEvents(cluster.kafka, game));
  const hidden = await hiddenSets();
  for (const board of boards(game)) {
    const truths = new Set(
      events.flatMap((_, last) => {
        const rows = allRanks(board, events.slice(0, last + 1));
        return hidden.flatMap((set) => asRecords(without(rows, set)));
      }),
    );
    const written = (await readTopic(cluster.kafka, board.topic)).flatMap(({ value }) => value ?? []);
    expect(written.length, `boards of ${board.name}`).toBeGreaterThan(2);
    const untrue = written.filter((value) =>
      asRecords(ranksIn(board, value)).some((text) => !truths.has(text)),
    );
    expect(untrue, board.name).toEqual([]);
  }
});
