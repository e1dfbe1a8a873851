import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localOffsets, seasonEnd, seasonStart, ZONE_RULES } from '../../contract/calendar.ts';
import { EVENT_TIME } from '../../contract/event.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { statsTopic } from '../../plan/topics.ts';
import { expectBoardsToEqualOracle } from '../../testkit/oracle/boards.ts';
import { calendarSeason } from '../../testkit/oracle/calendar.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, type Message, produce } from '../../testkit/streams/events.ts';

const LATEST_ARRIVAL = 3_600_000;
const SETTLED = { timeout: 180_000, interval: 250 };
const NOW = Date.UTC(2026, 0, 1, 12);
/** Another one plays other events: CALENDAR_SEED=… */
const SEED = Number(process.env.CALENDAR_SEED ?? 20260101);

/** An hour with a change of half an hour, midnights that do not exist, and a zone with 45 minutes. */
const CALENDARS = [
  { every: 'Day', timeZone: 'Australia/Lord_Howe' },
  { every: 'Week', timeZone: 'Asia/Beirut', weekStart: 'Sunday' },
  { every: 'Month', timeZone: 'Pacific/Chatham' },
] as const;

const game = resource(
  {
    events: { topic: 'calendars', partitions: 1, retention: '90d', latestArrival: '1h' },
    leaderboards: CALENDARS.flatMap((calendar) =>
      ['TopTeams', 'TeamMvps'].map((type) => ({
        name: `${type}-${calendar.every}`.toLowerCase(),
        type,
        calendar,
        ...(type === 'TeamMvps' && { minimumEvents: 1 }),
      })),
    ),
  },
  'calendars',
);

/** Where seasons begin and end and clocks change, a millisecond before and after, and anywhere. */
function times(): number[] {
  const around = CALENDARS.flatMap((calendar) =>
    localOffsets(calendar.timeZone)
      .slice(1)
      .flatMap(({ from }) => [from, seasonStart(calendar, from), seasonEnd(calendar, from)]),
  );
  const edges = [...around, ZONE_RULES.from, ZONE_RULES.until, EVENT_TIME.least + 1, EVENT_TIME.below - 1];
  const anywhere = fc.integer({ min: EVENT_TIME.least, max: EVENT_TIME.below - 1 });
  return [
    ...edges.flatMap((time) => [time - 1, time]),
    ...fc.sample(anywhere, { numRuns: 300, seed: SEED }),
    ...fc.sample(fc.integer({ min: ZONE_RULES.from, max: ZONE_RULES.until }), { numRuns: 300, seed: SEED }),
  ];
}

/** Some come to Kafka just before a season of theirs is frozen, some just then. */
function play(time: number, i: number): Message {
  const [user, team] = [`P${i % 7}`, `T${i % 3}`];
  const ends = CALENDARS.map((calendar) => calendarSeason(calendar, time).end);
  const arrivals = [time, ...ends.flatMap((end) => [end + LATEST_ARRIVAL - 1, end + LATEST_ARRIVAL])];
  const timestamp = Math.min(NOW, arrivals[i % arrivals.length]!);
  return { ...event({ user, team, score: 1 + (i % 11), time }), timestamp, partition: 0 };
}

/** Whether a season that a play is in was frozen when it came. */
function isFrozen({ value, timestamp }: Message): boolean {
  const { event_time_millis: time } = JSON.parse(value);
  return CALENDARS.some((calendar) => calendarSeason(calendar, time).end + LATEST_ARRIVAL <= timestamp);
}

/** How many events the job says were left out of seasons that were frozen. */
async function frozenEvents(): Promise<number> {
  const slots = newestByKey(await readTopic(cluster.kafka, statsTopic(game))).values();
  return [...slots].reduce((sum, slot) => sum + JSON.parse(slot).frozen_events, 0);
}

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

it(`seasons of calendars equal those of Temporal, as clocks change in three zones and beyond their rules (seed ${SEED})`, async () => {
  const plays = times().map(play);
  await produce(cluster.kafka, 'calendars', plays);
  await expectBoardsToEqualOracle(cluster.kafka, game, NOW);
  await expect.poll(frozenEvents, SETTLED).toBe(plays.filter(isFrozen).length);
  expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
});
