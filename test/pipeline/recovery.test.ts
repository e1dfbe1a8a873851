import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlinkCluster } from '../../local/flink.ts';
import { expectBoardsToEqualOracle } from '../support/boards.ts';
import { nextCheckpoint, restored } from '../support/checkpoints.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { gameMessages, type Message, produce, timePasses } from '../support/events.ts';
import { resource } from '../support/resource.ts';

const PARTITIONS = 3;
const START = Date.UTC(2026, 0, 1, 12, 4);
const EVENTS = 9_000;
const PART = EVENTS / 3;

const game = resource(
  {
    events: { topic: 'recovery', partitions: PARTITIONS },
    leaderboards: [
      { name: 'top-teams', type: 'TopTeams', season: '30m' },
      { name: 'top-players', type: 'TopPlayers', season: '30m' },
      { name: 'hot-streakers', type: 'HotStreakers' },
      { name: 'team-mvps', type: 'TeamMvps', season: '30m' },
    ],
    flink: { checkpointInterval: '1s' },
  },
  'recovery',
);

describe('after a loss of Flink in mid-stream, the boards equal the oracle', () => {
  const messages = gameMessages(2, START, EVENTS);
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

  /** Produces a part of the stream, bit by bit; `lose` strikes in the middle of it, with state both in a checkpoint and since. */
  async function playThrough(part: Message[], lose: () => void): Promise<void> {
    const half = part.length / 2;
    await trickle(part.slice(0, half));
    await nextCheckpoint(job);
    await trickle(part.slice(half, half + 400));
    lose();
    await trickle(part.slice(half + 400));
  }

  async function trickle(part: Message[]): Promise<void> {
    for (let i = 0; i < part.length; i += 200) {
      await produce(cluster.kafka, 'recovery', part.slice(i, i + 200));
      await sleep(100);
    }
  }

  async function expectExact(part: Message[]): Promise<void> {
    const end = part.at(-1)?.timestamp ?? 0;
    await produce(cluster.kafka, 'recovery', timePasses(end, PARTITIONS));
    await expectBoardsToEqualOracle(cluster.kafka, game, end - 5_000);
  }

  it('when a TaskManager is killed', async () => {
    const part = messages.slice(0, PART);
    await playThrough(part, () => job.taskManagers[0]?.restart());
    expect(await restored(job)).toBe('checkpoint');
    expect(job.taskManagers[0]?.crashes).toBe(1);
    await expectExact(part);
  });

  it('when the JobManager and the TaskManager are killed at once', async () => {
    const part = messages.slice(PART, 2 * PART);
    await playThrough(part, () => {
      job.jobManager.restart();
      job.taskManagers[0]?.restart();
    });
    expect(await restored(job)).toBe('checkpoint');
    expect(job.jobManager.crashes).toBe(1);
    await expectExact(part);
  });

  it('when it is stopped, misses events, and is started again', async () => {
    const part = messages.slice(2 * PART);
    await trickle(part.slice(0, PART / 2));
    await job.stop();
    await trickle(part.slice(PART / 2));
    job = await cluster.startJob(game);
    expect(await restored(job)).toBe('savepoint');
    await expectExact(part);
  });
});
