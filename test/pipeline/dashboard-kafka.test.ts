import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CompressionTypes, type ITopicConfig, type Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { millis } from '../../api/duration.ts';
import { SLOT_MILLIS } from '../../contract/stats.ts';
import { freePort, LOOPBACK } from '../../local/process/ports.ts';
import { type DashboardProcess, startDashboard } from '../../testkit/dashboard/dashboard-process.ts';
import { NO_STATS } from '../../testkit/dashboard/stats.ts';
import { commandLine, ObservedProcess } from '../../testkit/pipeline/processes.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { longSeason } from '../../testkit/resources/long-season.ts';

/** No season ends meanwhile. */
const SEASON_LENGTH = millis(longSeason());
const SEASON = Math.floor(Date.now() / SEASON_LENGTH) * SEASON_LENGTH;
/** What is kept must fit into it; garbage does not count, which is collected when it must be. */
const SMALL_HEAP = '--max-old-space-size=96';
const DIGEST = 'd1';
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];
const SOON = { timeout: 180_000, interval: 250 };

const definition = (name: string) => ({
  name,
  title: name,
  topic: name,
  digest: DIGEST,
  size: 3,
  period: { kind: 'season', lengthMillis: SEASON_LENGTH },
  identity: ['team_id'],
  columns: [
    { name: 'team_name', label: 'Team', type: 'text' },
    { name: 'total', label: 'Total', type: 'integer' },
  ],
});

/** A season's board with these totals, best first. */
function board(
  totals: number[],
  { season_start = SEASON, team_name = 'Team', digest = DIGEST } = {},
): Message {
  const rows = totals.map((total, index) => ({ rnk: index + 1, team_id: `team-${total}`, team_name, total }));
  return { key: JSON.stringify({ season_start }), value: JSON.stringify({ season_start, digest, rows }) };
}

/**
 * One life of a dashboard, from before its Kafka is there; each test continues where the one before ended.
 */
describe('the dashboard', () => {
  let cluster: TestCluster;
  let dashboard: DashboardProcess;
  let kafkaPort: number;

  beforeAll(async () => {
    kafkaPort = await freePort();
    const boards = ['teams', 'rubbish', 'bomb', ...CODECS].map(definition);
    dashboard = await startDashboard(`${LOOPBACK}:${kafkaPort}`, boards, { NODE_OPTIONS: SMALL_HEAP });
  });
  afterAll(async () => {
    dashboard?.process.kill('SIGKILL');
    await cluster?.stop();
  });

  async function create(topic: string, configEntries: ITopicConfig['configEntries'] = []): Promise<void> {
    const topics = [{ topic, numPartitions: 1, configEntries }];
    await cluster.broker.admin.createTopics({ topics, waitForLeaders: true });
  }

  async function write(topic: string, batches: Iterable<Message[]>): Promise<void> {
    const producer = cluster.kafka.producer();
    await producer.connect();
    for (const messages of batches) await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function shown(name: string) {
    const response = await fetch(`${dashboard.url}/api/boards/${name}`);
    const { status, rows } = (await response.json()) as { status: string; rows: { total: number }[] };
    return { status, totals: rows.map(({ total }) => total) };
  }

  async function readiness() {
    const { status } = await fetch(`${dashboard.url}/readyz`);
    return { code: status, reason: await readinessOf('teams') };
  }

  async function readinessOf(board: string): Promise<string | undefined> {
    const response = await fetch(`${dashboard.url}/readyz`);
    const { boards } = (await response.json()) as { boards: { name: string; reason: string }[] };
    return boards.find(({ name }) => name === board)?.reason;
  }

  async function pipelineState(): Promise<string> {
    const response = await fetch(`${dashboard.url}/api/stats`);
    return ((await response.json()) as { pipeline: { state: string } }).pipeline.state;
  }

  /** All processes of the broker, which are those that name its folder. */
  function signalBroker(signal: NodeJS.Signals): void {
    const folder = dirname(dirname(cluster.broker.process.logFile));
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (commandLine(pid).includes(folder)) process.kill(Number(pid), signal);
    }
  }

  async function metric(line: string): Promise<number> {
    const text = await (await fetch(`${dashboard.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((one) => one.startsWith(`${line} `))
        ?.split(' ')[1],
    );
  }

  it('serves its page before Kafka is there, and says what it waits for', async () => {
    await expect
      .poll(readiness, SOON)
      .toEqual({ code: 503, reason: expect.stringContaining('ECONNREFUSED') });
    expect((await fetch(dashboard.url)).status).toBe(200);
    expect(await shown('teams')).toEqual({ status: 'waiting', totals: [] });
  });

  it('is live once Kafka and the topic have come', async () => {
    cluster = await startTestCluster(kafkaPort);
    await expect.poll(async () => (await readiness()).reason, SOON).toContain('topic teams does not exist');
    await create('teams');
    await write('teams', [[board([10])]]);
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'live', totals: [10] });
  });

  it('keeps what it knew while a broker that was killed is away, and then continues', async () => {
    cluster.broker.process.restart();
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'away', totals: [10] });
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'live', totals: [10] });
    await write('teams', [[board([20, 15])]]);
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'live', totals: [20, 15] });
  });

  it('says that a broker hangs, without waiting for its connections to break, and continues with it', async () => {
    signalBroker('SIGSTOP');
    try {
      await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'away', totals: [20, 15] });
      await expect.poll(pipelineState, SOON).toBe('unavailable');
    } finally {
      signalBroker('SIGCONT');
    }
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'live', totals: [20, 15] });
  });

  it('says that there are events which are not counted, until they are', async () => {
    await create('stats');
    await create('events');
    await expect.poll(pipelineState, SOON).toBe('quiet');
    // One of them by a clock that is ahead.
    const times = [Date.now() + 600_000, Date.now(), Date.now()];
    await write('events', [times.map((millis) => ({ value: 'an event', timestamp: String(millis) }))]);
    await expect.poll(pipelineState, SOON).toBe('stalled');
    await write('stats', [times.map(counted)]);
    await expect.poll(pipelineState, SOON).toBe('live');
  });

  it('says when its topic was deleted, and shows what is in the one that is created again', async () => {
    await cluster.broker.admin.deleteTopics({ topics: ['teams'] });
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'away', totals: [20, 15] });
    await create('teams');
    await write('teams', [[board([7])]]);
    await expect.poll(() => shown('teams'), SOON).toEqual({ status: 'live', totals: [7] });
  });

  it('says that the events topic was deleted and created again', async () => {
    const { admin } = cluster.broker;
    await admin.deleteTopics({ topics: ['events'] });
    await expect.poll(() => admin.listTopics(), SOON).not.toContain('events');
    await create('events');
    await write('events', [[{ value: 'an event' }]]);
    await expect.poll(pipelineState, SOON).toBe('replaced');
    // A page is at most as old as a tick.
    const page = async () => (await fetch(dashboard.url)).text();
    await expect.poll(page, SOON).toContain('The events topic was deleted and created again.');
  });

  it.each(CODECS)('reads a topic that the broker compresses with %s', async (codec) => {
    await create(codec, [{ name: 'compression.type', value: codec }]);
    const names = Array.from({ length: 3 }, (_, index) => `${'Azure Otter '.repeat(2000 * (index + 1))}`);
    await write(
      codec,
      names.map((team_name) => [board([9, 8, 7], { team_name })]),
    );
    await expect.poll(() => shown(codec), SOON).toEqual({ status: 'live', totals: [9, 8, 7] });
  });

  it('does not unpack a batch that becomes too large, and says so', async () => {
    await create('bomb');
    const value = Buffer.alloc(400 * 1024 * 1024, ' ');
    const producer = cluster.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: 'bomb',
      messages: [{ key: '{}', value }],
      compression: CompressionTypes.GZIP,
    });
    await producer.disconnect();
    await expect.poll(() => readinessOf('bomb'), SOON).toContain('a batch in GZIP cannot be unpacked');
  });

  it('needs little memory for a topic full of rubbish, and finds the board in it', async () => {
    await create('rubbish');
    await write('rubbish', rubbish());
    await write('rubbish', [[board([3, 2])]]);
    await expect.poll(() => shown('rubbish'), SOON).toEqual({ status: 'live', totals: [3, 2] });
    expect(await metric('dashboard_malformed_records_total{board="rubbish"}')).toBe(GARBAGE + HUGE);
    expect(await metric('dashboard_consumer_lag_records{topic="rubbish"}')).toBe(0);
    const observed = new ObservedProcess(String(dashboard.process.pid));
    expect(observed.peakResidentBytes()).toBeLessThan(400e6);
  });
});

/** The slot of a time, with an event. */
function counted(millis: number): Message {
  const slot_start = millis - (millis % SLOT_MILLIS);
  const counts = { events: 2, active_players: 1, active_teams: 1, newest_event_time: millis };
  return {
    key: JSON.stringify({ slot_start }),
    value: JSON.stringify({ slot_start, ...NO_STATS, ...counts }),
  };
}

const GARBAGE = 200_000;
const HUGE = 200;
const SEASONS = 5_000;

/**
 * Half a gigabyte once it is unpacked: no JSON, records of nearly a megabyte, seasons from long ago to far
 * ahead, and a board of another definition.
 */
function* rubbish(): Generator<Message[]> {
  for (let i = 0; i < GARBAGE; i += 10_000) {
    yield Array.from({ length: 10_000 }, (_, index) => ({ key: `{"rnk":${index}`, value: '[[[[{{"\u0000' }));
  }
  const text = 'x'.repeat(900_000);
  for (let i = 0; i < HUGE; i += 1) {
    yield [{ key: `{"season_start":${SEASON}}`, value: `{"digest":"${DIGEST}","rows":"${text}"}` }];
    yield [board([i], { team_name: text, season_start: SEASON - SEASON_LENGTH })];
  }
  for (const direction of [-1, 1]) {
    yield Array.from({ length: SEASONS }, (_, index) =>
      board([index], { season_start: SEASON + direction * SEASON_LENGTH * (index + 1) }),
    );
  }
  yield [board([99], { digest: 'd2' })];
}
