import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { boards } from '../../plan/boards.ts';
import { eventsTopic, statsTopic } from '../../plan/topics.ts';
import { boardRows } from '../../testkit/oracle/boards.ts';
import type { Row } from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { resource } from '../../testkit/resources/resource.ts';
import { event, type Message, produce } from '../../testkit/streams/events.ts';

const { ConfigResourceTypes } = kafkajs; // Not an export that Node finds by name.

const PARTITIONS = 2;
const SOON = { timeout: 180_000, interval: 250 };
const LATER = { timeout: 180_000, interval: 1_000 };
const MINUTE = 60_000;

const players = { name: 'players', type: 'TopPlayers', season: 'none', size: 100 };
const streaks = {
  name: 'streaks',
  type: 'HotStreakers',
  every: '1s',
  shortWindow: '5s',
  longWindow: '10s',
  memory: '1m',
};

/** A team's name as a number: of one that is none, Flink’s job fails. */
const fragile = {
  name: 'fragile',
  type: 'Query',
  columns: [
    { name: 'rnk', type: 'BIGINT' },
    { name: 'team_id', type: 'STRING' },
    { name: 'number', type: 'BIGINT' },
  ],
  query: `SELECT rnk, team_id, CAST(name AS BIGINT) FROM (
    SELECT *, ROW_NUMBER() OVER (ORDER BY name DESC, team_id) AS rnk
    FROM (SELECT team_id, MAX(team_name) AS name FROM valid_events GROUP BY team_id)
  ) WHERE rnk <= 10`,
};

const game = resource(
  { events: { partitions: PARTITIONS }, leaderboards: [players, streaks, fragile] },
  'topics',
);
const TOPIC = eventsTopic(game);

/** Of a topic that has the times of its producers, as Kafka's topics have them when nobody says otherwise. */
const theirs = resource(
  { events: { topic: 'game.matches', partitions: PARTITIONS }, leaderboards: [streaks] },
  'theirs',
);

/** The job's topics as people have them, one after the other. Each test has players of its own. */
describe('a topic as people have it', () => {
  let cluster: TestCluster;
  let job: FlinkCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    job = await cluster.startJob(theirs);
  });
  afterAll(async () => {
    await job?.stop();
    await cluster?.stop();
  });

  /** An event of now: nothing here is late. */
  const played = (user: string, score: number, partition = 0): Message => ({
    ...event({ user, team: 'T', name: '1', score, time: Date.now() }),
    partition,
  });

  /** The newest rows of a board, of players of that prefix. */
  async function rows(name: string, prefix: string, of = game): Promise<Row[]> {
    const board = boards(of).find((one) => one.name === name);
    if (!board) throw new Error(`there is no board ${name}`);
    const records = newestByKey(await readTopic(cluster.kafka, board.topic));
    const all = [...records.values()].flatMap((value) => boardRows(board, value));
    return all.filter(({ user_id }) => String(user_id).startsWith(prefix));
  }

  async function totals(prefix: string): Promise<Record<string, number>> {
    const own = await rows('players', prefix);
    return Object.fromEntries(own.map(({ user_id, total_score }) => [user_id, Number(total_score)]));
  }

  /** How many messages and events of all that went through are called malformed and invalid. */
  async function counts(): Promise<{ malformed: number; invalid: number }> {
    const slots = [...newestByKey(await readTopic(cluster.kafka, statsTopic(game))).values()];
    const sum = (field: string) => slots.reduce((total, slot) => total + Number(JSON.parse(slot)[field]), 0);
    return { malformed: sum('undecodable_messages'), invalid: sum('uncounted_events') };
  }

  it('of the user’s own may have clocks that are ahead in every partition: the streaks of the others continue', async () => {
    const minutesAhead = (user: string, minutes: number, partition: number): Message => ({
      ...event({ user, team: 'T', name: '1', score: 1, time: Date.now() + minutes * MINUTE }),
      partition,
    });
    const honest = [0, 1].map((partition) => `honest-${partition}`);
    const shown = async () => {
      const ahead = [20, 50].map((minutes, partition) =>
        minutesAhead(`ahead-${partition}`, minutes, partition),
      );
      const onTime = honest.map((user, partition) => minutesAhead(user, 0, partition));
      await produce(cluster.kafka, 'game.matches', [...ahead, ...onTime]);
      return (await rows('streaks', 'honest-', theirs)).map(({ user_id, peak_at }) => ({ user_id, peak_at }));
    };
    await expect.poll(shown, LATER).toHaveLength(honest.length);
    // Not only those that were there before the first clock that is ahead was read.
    const since = Date.now() + 10_000;
    const later = honest.map((user_id) => ({
      user_id,
      peak_at: expect.toSatisfy((at: number) => at > since),
    }));
    await expect.poll(shown, LATER).toEqual(expect.arrayContaining(later));
  });

  it('may have batches of every codec', async () => {
    await job.stop();
    job = await cluster.startJob(game);
    const { admin } = cluster.broker;
    const codecs = ['gzip', 'snappy', 'lz4', 'zstd'];
    for (const value of codecs) {
      const configEntries = [
        { name: 'compression.type', value },
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
      ];
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configEntries }];
      await admin.alterConfigs({ validateOnly: false, resources });
      await expect
        .poll(async () => {
          await produce(cluster.kafka, TOPIC, [played(`codec-${value}`, 1)]);
          return [...(await codecsOf(cluster, TOPIC))];
        }, SOON)
        .toContain(value);
    }
    expect(await codecsOf(cluster, TOPIC)).toEqual(new Set(codecs));
    const counted = Object.fromEntries(codecs.map((codec) => [`codec-${codec}`, expect.any(Number)]));
    await expect.poll(() => totals('codec-'), SOON).toEqual(counted);
    expect(await job.job()).toMatchObject({ state: 'RUNNING', allTasksRunning: true });
  });

  it('has no events of a transaction that is aborted, and those behind an open one once it has ended', async () => {
    const transactional = cluster.kafka.producer({
      transactionalId: 'game-server',
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const send = async (message: Message) => {
      const transaction = await transactional.transaction();
      const messages = [{ ...message, timestamp: String(message.timestamp) }];
      await transaction.send({ topic: TOPIC, messages });
      return transaction;
    };
    await (await send(played('tx-committed', 1))).commit();
    await (await send(played('tx-aborted', 2))).abort();
    const open = await send(played('tx-open', 4));
    await produce(cluster.kafka, TOPIC, [played('tx-behind', 8, 0), played('tx-other', 16, 1)]);
    await expect.poll(() => totals('tx-'), SOON).toEqual({ 'tx-committed': 1, 'tx-other': 16 });
    await open.abort();
    await expect
      .poll(() => totals('tx-'), SOON)
      .toEqual({ 'tx-committed': 1, 'tx-behind': 8, 'tx-other': 16 });
    await transactional.disconnect();
  });

  it('may come from a producer whose clock is ahead: the streaks of the others continue', async () => {
    const ahead = Date.now() + 50 * MINUTE;
    const fromAhead = event({ user: 'clock-ahead', team: 'T', name: '1', score: 1, time: ahead });
    await produce(cluster.kafka, TOPIC, [{ ...fromAhead, partition: 0 }]);
    const honest = [0, 1].map((partition) => `clock-honest-${partition}`);
    await expect
      .poll(async () => {
        await produce(
          cluster.kafka,
          TOPIC,
          honest.map((user, partition) => played(user, 1, partition)),
        );
        return (await rows('streaks', 'clock-')).map(({ user_id }) => user_id);
      }, SOON)
      .toEqual(expect.arrayContaining(honest));
  });

  it('so far has no message that is called malformed or invalid', async () => {
    // Two scans count malformed messages, one of them up and one down.
    await expect.poll(counts, SOON).toEqual({ malformed: 0, invalid: 0 });
  });

  it('may have several events in a message: an array is counted, of what is in lines the rest is called malformed', async () => {
    const bodies = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => played(`${prefix}-${i}`, 1).value);
    const message = (value: string): Message => ({ key: null, value, timestamp: Date.now() });
    await produce(cluster.kafka, TOPIC, [
      message(`[${bodies('several-array', 3).join()}]`),
      message(` [\n${bodies('several-spaced', 2).join(',\n')}\n] `),
      message(bodies('several-lines', 3).join('\n')),
      message(
        bodies('several-arrays', 2)
          .map((body) => `[${body}]`)
          .join('\n'),
      ),
      message('no event'),
      { ...played('several-text', 1), value: played('several-text', 1).value.replace('normal', '} {') },
    ]);
    const counted = ['array-0', 'array-1', 'array-2', 'spaced-0', 'spaced-1', 'lines-0', 'arrays-0', 'text'];
    await expect
      .poll(() => totals('several-'), SOON)
      .toEqual(Object.fromEntries(counted.map((name) => [`several-${name}`, 1])));
    await expect.poll(counts, SOON).toEqual({ malformed: 3, invalid: 0 });
  });

  it('may have times in another unit than milliseconds, which are called invalid', async () => {
    const { invalid } = await counts();
    const now = Date.now();
    const times = [Math.floor(now / 1000), now * 1000, now * 1_000_000];
    const messages = times.map((time) => event({ user: 'unit-other', team: 'T', score: 1, time }));
    await produce(cluster.kafka, TOPIC, [
      ...messages.map((message) => ({ ...message, timestamp: now })),
      played('unit-millis', 1),
    ]);
    await expect.poll(() => totals('unit-'), SOON).toEqual({ 'unit-millis': 1 });
    await expect.poll(counts, SOON).toEqual({ malformed: 3, invalid: invalid + 3 });
  });

  it('of a job with a long script: it is in a file, and in no argument', () => {
    const state = join(dirname(job.jobManager.logFile), '..');
    const all = execFileSync('ps', ['-eww', '-o', 'args='], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const own = all.split('\n').filter((line) => line.includes(state) && line.includes('SqlDriver'));
    expect(own).toEqual([expect.stringMatching(/ --scriptUri file:\S+\/job\.sql$/)]);
  });

  it('whose content ends the job: the root cause can be asked for', async () => {
    const named = event({ user: 'fragile', team: 'T', name: 'azure', score: 1, time: Date.now() });
    await produce(cluster.kafka, TOPIC, [named]);
    await expect
      .poll(async () => (await job.job())?.failure, SOON)
      .toBe("NumberFormatException: For input string: 'azure'. Invalid character found.");
  });
});

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/**
 * With which codecs the batches of a topic's first partition are compressed, as the broker's own file has
 * them.
 */
async function codecsOf({ broker }: TestCluster, topic: string): Promise<Set<string | undefined>> {
  const state = join(dirname(broker.process.logFile), '..');
  const log = await readFile(join(state, 'kafka', 'data', `${topic}-0`, '00000000000000000000.log'));
  const codecs = new Set<string | undefined>();
  // A batch: its first offset (8 bytes), its length after that (4), its epoch (4), magic (1), checksum (4),
  // attributes (2).
  for (let at = 0; at < log.length; at += 12 + log.readInt32BE(at + 8))
    codecs.add(CODECS[log.readInt16BE(at + 21) & 7]);
  return codecs;
}
