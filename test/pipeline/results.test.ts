import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { RANK, SEASON_START, VALUE } from '../../contract/board.ts';
import { type SeasonResult, seasonResult } from '../../contract/results.ts';
import { type App, startApp } from '../../local/app.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { applyTopics, createTopics } from '../../local/kafka/topics.ts';
import { boards } from '../../plan/boards.ts';
import type { Deployment, EnvVar, KafkaTopic } from '../../plan/objects.ts';
import { plan } from '../../plan/plan.ts';
import { scanGroup } from '../../plan/sql.ts';
import { eventsTopic, resultsTopic } from '../../plan/topics.ts';
import { listOf, renderChart } from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { Arcade } from '../../testkit/operator/arcade.ts';
import { inFieldOrder, readEvents } from '../../testkit/oracle/boards.ts';
import { expectedRows, parseCounting, type Row } from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { readTopic, type TopicRecord } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, gameMessages, type Message, produce } from '../../testkit/streams/events.ts';

const CRD = new URL('../../crds/gameanalytics.yaml', import.meta.url).pathname;
const MINUTE = 60_000;
const SEASON = MINUTE;
/** A season that was frozen hours ago, of which all events are kept. */
const START = Math.floor(Date.now() / SEASON) * SEASON - 360 * MINUTE;
const PARTITIONS = 2;
const SETTLED = { timeout: 180_000, interval: 250 };

let cluster: TestCluster;
let plane: ControlPlane;
beforeAll(async () => {
  [cluster, plane] = await Promise.all([startTestCluster(), startControlPlane()]);
});
afterAll(async () => {
  await cluster?.stop();
  await plane?.stop();
});

function planned(game: GameAnalytics) {
  const { bootstrapServers } = cluster.broker;
  return plan(game, { bootstrapServers, appImage: 'local', flinkImage: 'local' });
}

/**
 * Starts the program of the plan; it is ready once it has read its topic.
 *
 * @param env what the plan does not say: where a test has an API server
 */
function startResults(game: GameAnalytics, env: EnvVar[] = []): Promise<App> {
  const isResults = ({ kind, metadata }: { kind: string; metadata: { name: string } }) =>
    kind === 'Deployment' && metadata.name.endsWith('-results');
  const deployment = planned(game).find(isResults) as Deployment;
  deployment.spec.template.spec.containers[0].env.push(...env);
  return startApp(cluster.runtime, deployment);
}

/** All records there ever were of a resource's results: none was compacted so soon. */
function readResults(game: GameAnalytics): Promise<TopicRecord[]> {
  return readTopic(cluster.kafka, resultsTopic(game));
}

function parseResult({ value }: TopicRecord): SeasonResult {
  return seasonResult.parse(JSON.parse(value!));
}

describe('when the test plays the job', () => {
  const spec = {
    events: { topic: 'played-events', partitions: PARTITIONS, latestArrival: '1m' },
    leaderboards: [{ name: 'teams', type: 'TopTeams', season: '1m', size: 2 }],
    results: {},
  };
  const game = resource(spec, 'played', { namespace: 'default' });
  const group = scanGroup(game, 1);
  let arcade: Arcade;
  let app: App;

  beforeAll(async () => {
    const { admin } = cluster.broker;
    const isTopic = (object: { kind: string }) => object.kind === 'KafkaTopic';
    const [env] = await Promise.all([
      createResource(),
      applyTopics(admin, planned(game).filter(isTopic) as KafkaTopic[]),
      createTopics(admin, [{ topic: eventsTopic(game), numPartitions: PARTITIONS }]),
    ]);
    // Only one of the partitions has events.
    const messages = [1, 2, 3].map((score) => ({
      ...event({ user: 'a', team: 'a', score, time: START }),
      partition: 0,
    }));
    await produce(cluster.kafka, eventsTopic(game), messages);
    app = await startResults(game, env);
  });
  afterAll(() => app?.stop());

  /** On the API server, with the rights of the results; gives what a pod there would have. */
  async function createResource(): Promise<EnvVar[]> {
    await plane.applyCrdFiles([CRD]);
    arcade = new Arcade(plane, 'default', 'played');
    const rights = planned(game).filter(
      ({ kind, metadata }) =>
        ['ServiceAccount', 'RoleBinding'].includes(kind) && metadata.name === 'played-results',
    );
    const role = (await renderChart(plane, { namespace: 'default' })).filter(
      ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'gameanalytics-results',
    );
    const objects = listOf([arcade.manifest(spec), ...rights, ...role]);
    await plane.kubectlWithInput(objects, 'apply', '--server-side', '--filename=-');
    const account = await plane.mountedServiceAccount('default', 'played-results');
    return [
      { name: 'KUBERNETES_API_SERVER', value: plane.kubeConfig().getCurrentCluster()!.server },
      { name: 'KUBERNETES_ACCOUNT', value: account },
    ];
  }

  async function writeBoard(season: number, totals: number[]): Promise<void> {
    const rows = totals.map((total_score, i) => ({ [RANK]: i + 1, team_id: `t${i}`, total_score }));
    const { digest, topic } = boards(game)[0]!;
    const key = JSON.stringify({ [SEASON_START]: season });
    const value = JSON.stringify({ [SEASON_START]: season, digest, rows });
    await produce(cluster.kafka, topic, [{ key, value, timestamp: Date.now() }]);
  }

  function commit(offset: number): Promise<void> {
    const partitions = [{ partition: 0, offset: String(offset) }];
    return cluster.broker.admin.setOffsets({ groupId: group, topic: eventsTopic(game), partitions });
  }

  async function committed(): Promise<string | undefined> {
    const topics = [eventsTopic(game)];
    const [commits] = await cluster.broker.admin.fetchOffsets({ groupId: group, topics });
    return commits?.partitions.find(({ partition }) => partition === 0)?.offset;
  }

  const asked = () => expect.poll(committed, SETTLED).toBe('-1');
  const totals = async () =>
    (await readResults(game)).map((record) =>
      parseResult(record).data.rows.map(({ total_score }) => total_score),
    );

  it('a board is not final by the commits of a job before', async () => {
    await writeBoard(START, [1]);
    await commit(3);
    await asked();
    // It reads all events again, and has read two of three when it commits.
    await commit(2);
    await writeBoard(START, [2, 1]);
    await sleep(2000);
    expect(await totals()).toEqual([]);
    // The board was written since it was asked for: it is asked for once more.
    await writeBoard(START, [6, 3, 1]);
    await commit(3);
    await asked();
    expect(await totals()).toEqual([]);
    await commit(3);
    await expect.poll(totals, SETTLED).toEqual([[6, 3]]);
  });

  it('a result stays what it is, whatever is written of the season', async () => {
    await writeBoard(START, [1]);
    await writeBoard(START + SEASON, [7]);
    await asked();
    await commit(3);
    await expect.poll(totals, SETTLED).toEqual([[6, 3], [7]]);
    // Neither does one that has forgotten all but what is in its topic write it again.
    app.replicas[0]!.process.restart();
    await writeBoard(START, [2]);
    await writeBoard(START + 2 * SEASON, [8]);
    await asked();
    await commit(3);
    await expect.poll(totals, SETTLED).toEqual([[6, 3], [7], [8]]);
  });

  it('the status of the resource names the last one, and each had one event', async () => {
    const closed = async () => (await arcade.status()).closedSeasons;
    const start = new Date(START + 2 * SEASON).toISOString();
    await expect.poll(closed, SETTLED).toMatchObject([{ board: 'teams', start }]);
    await expect
      .poll(() => arcade.events(), SETTLED)
      .toEqual(['SeasonClosed', 'SeasonClosed', 'SeasonClosed']);
  });

  it('two programs write a result once', async () => {
    const other = await startResults(game);
    await writeBoard(START + 3 * SEASON, [9]);
    // Each shuts the other out and asks by itself, until one of them has written it.
    await vi.waitFor(async () => {
      if ((await committed()) === '-1') await commit(3);
      expect(await totals()).toHaveLength(4);
    }, SETTLED);
    await other.stop();
    expect(await totals()).toEqual([[6, 3], [7], [8], [9]]);
  });
});

describe('the results of a job', () => {
  const game = resource(
    {
      events: { topic: 'closing-events', partitions: PARTITIONS, latestArrival: '1m' },
      leaderboards: [
        { name: 'teams', type: 'TopTeams', season: '1m', size: 3 },
        { name: 'mvps', type: 'TeamMvps', season: '1m', minimumEvents: 1 },
        { name: 'players', type: 'TopPlayers', season: '1m', size: 3, by: 'team_id' },
        { name: 'ever', type: 'TopPlayers', season: 'none' },
      ],
      flink: { checkpointInterval: '1s' },
      results: {},
    },
    'closing',
  );
  let job: FlinkCluster;
  let app: App;

  afterAll(async () => {
    await app?.stop();
    await job?.stop();
  });

  /** Some seasons of a game, over all partitions. */
  function play(seed: number, start: number): Message[] {
    return gameMessages(seed, start, 600).map((message, i) => ({ ...message, partition: i % PARTITIONS }));
  }

  /** The boards of all seasons by their ids, as the oracle has them. */
  async function expectedResults(): Promise<Map<string, Row[]>> {
    const events = await readEvents(cluster.kafka, game);
    const closed = boards(game).filter(({ name }) => name !== 'ever');
    const rows = closed.flatMap(({ name, source }) =>
      expectedRows(source, events, parseCounting(game), 0).map((row) => ({ name, row })),
    );
    const id = ({ name, row }: { name: string; row: Row }) => {
      const value = row[VALUE] === undefined ? '' : `/${encodeURIComponent(String(row[VALUE]))}`;
      return `default/closing/${name}${value}/${new Date(Number(row[SEASON_START])).toISOString()}`;
    };
    const byId = Map.groupBy(rows, id);
    return new Map([...byId].sort(byKey).map(([key, own]) => [key, own.map(({ row }) => asResult(row))]));
  }

  function asResult({ [SEASON_START]: _, [VALUE]: __, [RANK]: rank = null, ...fields }: Row): Row {
    return inFieldOrder({ rank, ...fields });
  }

  async function expectResults(): Promise<void> {
    const expected = await expectedResults();
    const written = async () => new Set((await readResults(game)).map(({ key }) => key)).size;
    await expect.poll(written, SETTLED).toBe(expected.size);
    const records = await readResults(game);
    // No key was ever written twice.
    expect(records.map(({ key }) => key).sort()).toEqual([...expected.keys()]);
    const rows = records.map((record): [string, Row[]] => {
      const { id, data } = parseResult(record);
      expect(record.key).toBe(id);
      return [id, data.rows.map((row) => inFieldOrder(row as Row))];
    });
    expect(new Map(rows.sort(byKey))).toEqual(expected);
  }

  it('are the boards in the end, while the program and the job are killed', async () => {
    job = await cluster.startJob(game);
    await produce(cluster.kafka, eventsTopic(game), play(1, START));
    app = await startResults(game);
    job.taskManagers[0]?.restart();
    await vi.waitUntil(async () => (await readResults(game)).length > 0, SETTLED);
    app.replicas[0]!.process.restart();
    await expectResults();
  });

  it('are those boards when the job has lost its state, and reads all events again', async () => {
    await app.stop();
    await produce(cluster.kafka, eventsTopic(game), play(2, START + 5 * MINUTE));
    await vi.waitFor(async () => {
      const topic = eventsTopic(game);
      const ends = await cluster.broker.admin.fetchTopicOffsets(topic);
      const [read] = await cluster.broker.admin.fetchOffsets({
        groupId: scanGroup(game, 1),
        topics: [topic],
      });
      for (const { partition, high } of ends)
        expect(read?.partitions.find((other) => other.partition === partition)?.offset).toBe(high);
    }, SETTLED);
    await job.stop();
    await rm(join(dirname(job.jobManager.logFile), '..', 'flink', 'snapshots'), { recursive: true });
    [app, job] = await Promise.all([startResults(game), cluster.startJob(game)]);
    await expectResults();
  });
});

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
