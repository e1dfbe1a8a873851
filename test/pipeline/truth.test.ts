import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { boards } from '../../plan/boards.ts';
import { readPartitions } from '../../testkit/oracle/boards.ts';
import { type CountedEvent, parseCounting, type Row } from '../../testkit/oracle/oracle.ts';
import { kafkaClient } from '../../testkit/pipeline/topic.ts';
import { startWholePipeline } from '../../testkit/pipeline/whole-pipeline.ts';
import { resource } from '../../testkit/resources/resource.ts';
import {
  falseAnswers,
  falseFrames,
  falseRecords,
  falseStats,
  type QueryTruth,
} from '../../testkit/truth/judge.ts';
import { type SeenRecord, watchApi, watchSocket, watchTopic } from '../../testkit/truth/watchers.ts';

/** How long each pipeline is watched. More proves more: TRUTH_SECONDS=1800. */
const SECONDS = Number(process.env.TRUTH_SECONDS ?? 80);
const MINUTE = 60_000;

/** How often teams play, which is no total of scores. */
const BUSIEST = `
  SELECT season_start, rnk, team_id, events, last_event_at FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY events DESC, team_id) AS rnk
    FROM (
      SELECT event_time_millis - MOD(event_time_millis, 60000) AS season_start, team_id, COUNT(*) AS events,
        MAX(produced_at_millis) AS last_event_at
      FROM valid_events
      GROUP BY event_time_millis - MOD(event_time_millis, 60000), team_id
    )
  ) WHERE rnk <= 10`;
const COLUMNS = [
  { name: 'season_start', type: 'BIGINT' },
  { name: 'rnk', type: 'BIGINT' },
  { name: 'team_id', type: 'STRING' },
  { name: 'events', type: 'BIGINT' },
  { name: 'last_event_at', type: 'BIGINT' },
];
const busiest: QueryTruth = {
  seasonMillis: MINUTE,
  measure: {
    holder: ({ team }) => team,
    amount: () => 1,
    holderColumn: 'team_id',
    totalColumn: 'events',
    lastEventColumn: 'last_event_at',
  },
  compute: (events: CountedEvent[]): Row[] =>
    [...Map.groupBy(events, ({ team }) => team)]
      .map(([team_id, played]) => ({
        team_id,
        events: played.length,
        last_event_at: Math.max(...played.map(({ producedAt }) => producedAt)),
      }))
      .sort((a, b) => b.events - a.events || (a.team_id < b.team_id ? -1 : 1))
      .slice(0, 10)
      .map((row, i) => ({ rnk: i + 1, ...row })),
};

function game(name: string, eventsPerSecond: number, parallelism: number): GameAnalytics {
  const season = '1m';
  return resource(
    {
      events: { latestArrival: '20s' },
      leaderboards: [
        { name: 'top-teams', type: 'TopTeams', season },
        { name: 'top-players', type: 'TopPlayers', season },
        { name: 'team-mvps', type: 'TeamMvps', season, minimumEvents: 2 },
        { name: 'hot-streakers', type: 'HotStreakers' },
        { name: 'busiest', type: 'Query', columns: COLUMNS, query: BUSIEST },
      ],
      flink: { parallelism, checkpointInterval: '5s' },
      injector: { eventsPerSecond, seed: 7, lateEvents: { share: 0.05, minDelay: '1s', maxDelay: '90s' } },
    },
    name,
  );
}

/**
 * Processes that take all of the processors they get, as a busy laptop's do. They end by themselves too, if
 * nobody ends them.
 */
function burn(count: number): ChildProcess[] {
  const end = Date.now() + SECONDS * 1000 + MINUTE;
  return Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', `while (Date.now() < ${end});`], { stdio: 'ignore' }),
  );
}

/** Waits until a few more records of every board were seen. How long that takes depends on the machine. */
async function moreRecords(topics: Map<string, SeenRecord[]>) {
  const before = new Map([...topics].map(([board, { length }]) => [board, length]));
  await vi.waitFor(
    () => {
      for (const [board, records] of topics)
        expect(records.length, `records of ${board}`).toBeGreaterThan(before.get(board)! + 5);
    },
    { timeout: 4 * MINUTE, interval: 500 },
  );
}

describe('whatever is seen of a board is the board of a real moment', () => {
  let cleanup: AsyncDisposableStack;
  beforeEach(() => {
    cleanup = new AsyncDisposableStack();
  });
  afterEach(() => cleanup.disposeAsync());

  it.each([
    { name: 'quiet', eventsPerSecond: 20, parallelism: 1, burners: 0 },
    { name: 'busy', eventsPerSecond: 1_000, parallelism: 1, burners: 6 },
    { name: 'parallel', eventsPerSecond: 200, parallelism: 2, burners: 0 },
  ])(
    '$name: $eventsPerSecond events/s, parallelism $parallelism, over seasons’ ends and a kill of the TaskManager, with $burners others at work',
    async ({ name, eventsPerSecond, parallelism, burners }) => {
      const made = game(name, eventsPerSecond, parallelism);
      const pipeline = await startWholePipeline(made, cleanup);
      const url = [...pipeline.services.values()][0]!;
      const kafka = kafkaClient(pipeline.broker.bootstrapServers);
      const seasonal = boards(made).filter(({ period }) => period?.kind === 'season');
      const paths = [
        ...boards(made).map((board) => `/api/boards/${board.name}`),
        ...seasonal.map((board) => `/api/boards/${board.name}?season=last`),
        '/api/stats',
      ];
      const watching = new AsyncDisposableStack();
      cleanup.defer(() => watching.disposeAsync());
      const topics = new Map(
        await Promise.all(
          boards(made).map(
            async (board) => [board.name, await watchTopic(kafka, board.topic, watching)] as const,
          ),
        ),
      );
      const answers = watchApi(url, paths, watching);
      const frames = watchSocket(`${url}/ws`, watching);
      const others = burn(burners);
      watching.defer(() => {
        for (const other of others) other.kill('SIGKILL');
      });

      await Promise.all([sleep(SECONDS * 400), moreRecords(topics)]);
      pipeline.flink.taskManagers[0]?.restart();
      await Promise.all([sleep(SECONDS * 600), moreRecords(topics)]);
      await watching.disposeAsync();

      const events = await readPartitions(kafka, pipeline.eventsTopic);
      const falsehoods = boards(made).flatMap((board) => {
        const records = topics.get(board.name)!;
        return [
          ...falseRecords(board, records, events, parseCounting(made), busiest),
          ...falseAnswers(board, records, answers),
          ...falseFrames(board, records, frames),
        ];
      });
      falsehoods.push(...falseStats(events, answers));
      const count = [...topics.values()].reduce((sum, { length }) => sum + length, 0);
      process.stderr.write(
        `  [truth] ${name}: ${events.flat().length} events, ${count} records, ${frames.length} frames, ${answers.length} answers, ${falsehoods.length} false\n`,
      );
      const kinds = Object.entries(Object.groupBy(falsehoods, ({ what }) => what));
      expect(
        kinds.map(([what, all]) => `${all?.length} × ${what}, such as ${JSON.stringify(all?.[0]?.seen)}`),
      ).toEqual([]);
    },
    SECONDS * 1000 + 10 * MINUTE,
  );
});
