import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { type SeasonResult, seasonResult } from '../../contract/results.ts';
import { boards } from '../../plan/boards.ts';
import { resultsTopic } from '../../plan/topics.ts';
import { readPartitions } from '../../testkit/oracle/boards.ts';
import { type CountedEvent, parseCounting, type Row } from '../../testkit/oracle/oracle.ts';
import { kafkaClient, readTopic } from '../../testkit/pipeline/topic.ts';
import { startWholePipeline } from '../../testkit/pipeline/whole-pipeline.ts';
import { resource } from '../../testkit/resources/resource.ts';
import {
  falseAnswers,
  falseFrames,
  falseRecords,
  falseResults,
  falseStats,
  type QueryTruth,
} from '../../testkit/truth/judge.ts';
import { SUM } from '../../testkit/truth/prefixes.ts';
import { type SeenRecord, watchApi, watchSocket, watchTopic } from '../../testkit/truth/watchers.ts';

/** How long each pipeline is watched. More proves more: TRUTH_SECONDS=1800. */
const SECONDS = Number(process.env.TRUTH_SECONDS ?? 60);
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
  findSeason: (time) => ({ start: time - (time % MINUTE), end: time - (time % MINUTE) + MINUTE }),
  measure: {
    holder: ({ team }) => team,
    amount: () => 1,
    holderColumn: 'team_id',
    fold: SUM,
    total: ({ events }) => Number(events),
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

const season = '1m';
const DEFAULT_BOARDS = [
  { name: 'top-teams', type: 'TopTeams', season },
  { name: 'top-players', type: 'TopPlayers', season },
  { name: 'team-mvps', type: 'TeamMvps', season, minimumEvents: 2 },
  { name: 'hot-streakers', type: 'HotStreakers' },
  { name: 'busiest', type: 'Query', columns: COLUMNS, query: BUSIEST },
];
const OTHER_BOARDS = [
  { name: 'best', type: 'TopPlayers', season, score: 'Best' },
  {
    name: 'lowest',
    type: 'TopTeams',
    calendar: { every: 'Day', timeZone: 'Asia/Kathmandu' },
    score: 'Lowest',
  },
  { name: 'latest', type: 'TopTeams', season, score: 'Latest' },
  { name: 'by-team', type: 'TopPlayers', season, by: 'team_name' },
  { name: 'counts', type: 'TopTeams', season, by: 'score', score: 'Count' },
];

interface Scenario {
  name: string;
  leaderboards: object[];
  eventsPerSecond: number;
  parallelism: number;
  /** How many others take all of the processors they get. */
  burners: number;
}

function game({ name, leaderboards, eventsPerSecond, parallelism }: Scenario): GameAnalytics {
  return resource(
    {
      // As long as a job without its state needs for the days of a calendar.
      events: { latestArrival: '20s', retention: '3d' },
      leaderboards,
      flink: { parallelism, checkpointInterval: '5s' },
      injector: { eventsPerSecond, seed: 7, lateEvents: { share: 0.05, minDelay: '1s', maxDelay: '90s' } },
      results: {},
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

/** Where the API tells of each board, and of the season before; of boards by value, for two of the values. */
async function boardPaths(url: string, resource: GameAnalytics): Promise<string[]> {
  const paths = boards(resource).map(async ({ name, period, by }) => {
    const path = `/api/boards/${name}`;
    const queries = by ? (await someValues(`${url}${path}/values`)).map((value) => ({ by: value })) : [{}];
    return queries.flatMap((query) =>
      [query, ...(period?.kind === 'season' ? [{ ...query, season: 'last' }] : [])].map(
        (one) => `${path}?${new URLSearchParams(one)}`,
      ),
    );
  });
  return (await Promise.all(paths)).flat();
}

/** The first two values that a board has had. */
function someValues(url: string): Promise<string[]> {
  return vi.waitFor(
    async () => {
      const { values = [] } = (await (await fetch(url)).json()) as { values?: { value: string }[] };
      expect(values.length).toBeGreaterThan(1);
      return values.slice(0, 2).map(({ value }) => value);
    },
    { timeout: 4 * MINUTE, interval: 500 },
  );
}

/** All results of the seasons that are closed; at least one is. */
async function seasonResults(kafka: Kafka, topic: string): Promise<SeasonResult[]> {
  const records = await vi.waitFor(
    async () => {
      const all = await readTopic(kafka, topic);
      expect(all).not.toEqual([]);
      return all;
    },
    { timeout: 4 * MINUTE, interval: 500 },
  );
  return records.map(({ value }) => seasonResult.parse(JSON.parse(value ?? '')));
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
    { name: 'quiet', leaderboards: OTHER_BOARDS, eventsPerSecond: 20, parallelism: 1, burners: 0 },
    { name: 'busy', leaderboards: DEFAULT_BOARDS, eventsPerSecond: 1_000, parallelism: 2, burners: 3 },
  ])(
    '$name: $eventsPerSecond events/s, parallelism $parallelism, over seasons’ ends and a kill of the TaskManager, with $burners others at work',
    async (scenario) => {
      const { name, burners } = scenario;
      const made = game(scenario);
      const pipeline = await startWholePipeline(made, cleanup);
      const url = [...pipeline.services.values()][0]!;
      const kafka = kafkaClient(pipeline.broker.bootstrapServers);
      const watching = new AsyncDisposableStack();
      cleanup.defer(() => watching.disposeAsync());
      const topics = new Map(
        await Promise.all(
          boards(made).map(
            async (board) => [board.name, await watchTopic(kafka, board.topic, watching)] as const,
          ),
        ),
      );
      const answers = watchApi(url, [...(await boardPaths(url, made)), '/api/stats'], watching);
      const frames = watchSocket(`${url}/ws`, watching);
      const others = burn(burners);
      watching.defer(() => {
        for (const other of others) other.kill('SIGKILL');
      });

      await Promise.all([sleep(SECONDS * 400), moreRecords(topics)]);
      pipeline.flink.taskManagers[0]?.restart();
      await Promise.all([sleep(SECONDS * 600), moreRecords(topics)]);
      const results = await seasonResults(kafka, resultsTopic(made));
      await watching.disposeAsync();

      const events = await readPartitions(kafka, pipeline.eventsTopic);
      const falsehoods = boards(made).flatMap((board) => {
        const records = topics.get(board.name)!;
        return [
          ...falseRecords(board, records, events, parseCounting(made), busiest),
          ...falseAnswers(board, records, answers),
          ...falseFrames(board, records, frames),
          ...falseResults(board, records, results),
        ];
      });
      falsehoods.push(...falseStats(events, answers));
      const count = [...topics.values()].reduce((sum, { length }) => sum + length, 0);
      process.stderr.write(
        `  [truth] ${name}: ${events.flat().length} events, ${count} records, ${frames.length} frames, ${answers.length} answers, ${results.length} results, ${falsehoods.length} false\n`,
      );
      const kinds = Object.entries(Object.groupBy(falsehoods, ({ what }) => what)).map(
        ([what, all]) => `${all?.length} × ${what}, such as ${JSON.stringify(all?.[0]?.seen)}`,
      );
      expect(kinds, kinds.join('; ')).toEqual([]);
    },
    SECONDS * 1000 + 10 * MINUTE,
  );
});
