import { pino } from 'pino';
import { playerRecord } from '../contract/players.ts';
import { ErasedPlayers } from '../history/erased-players.ts';
import { History } from '../history/history.ts';
import { kafkaAccess } from '../kafka/access.ts';
import { kafkaClient } from '../kafka/client.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { TransactionalWriter } from '../kafka/transactional-writer.ts';
import { createTopics } from '../local/kafka/topics.ts';
import { startTestCluster, type TestCluster } from '../testkit/pipeline/test-cluster.ts';

/*
 * How quickly the changes of a board are copied to its history, and how quickly the history is written again
 * when a player is erased, each in one transaction, which must end within 15 minutes. Kafka is on the same
 * machine.
 */

const CHANGES = 100_000;
const RANKS = 10;
const AT_ONCE = 500;
const BOARD = { topic: 'board', historyTopic: 'board-history', player: 'user_id' };
const PLAYERS = 'players';

async function main(): Promise<void> {
  const cluster = await startTestCluster();
  try {
    await measure(cluster);
  } finally {
    await cluster.stop();
  }
}

async function measure(cluster: TestCluster): Promise<void> {
  const { bootstrapServers, admin } = cluster.broker;
  // The times of the changes are those of long ago.
  const configEntries = [{ name: 'retention.ms', value: '-1' }];
  const topics = [BOARD.topic, BOARD.historyTopic, PLAYERS];
  await createTopics(
    admin,
    topics.map((topic) => ({ topic, numPartitions: 1, configEntries })),
  );
  const producer = cluster.kafka.producer();
  await producer.connect();
  let bytes = 0;
  for (let first = 0; first < CHANGES; first += AT_ONCE) {
    const messages = Array.from({ length: AT_ONCE }, (_, i) => change(first + i));
    bytes += messages.reduce((sum, { value }) => sum + value.length, 0);
    await producer.send({ topic: BOARD.topic, messages });
  }

  const { signal } = new AbortController();
  const kafka = kafkaClient('bench', [bootstrapServers], kafkaAccess({}), pino({ level: 'silent' }));
  const slices = topics.map((topic) => new TopicSlices(kafka, topic, 'bench'));
  const [source, history, players] = slices as [TopicSlices, TopicSlices, TopicSlices];
  const writer = await TransactionalWriter.open(kafka, BOARD.historyTopic, BOARD.historyTopic);
  const kept = await History.open(BOARD, { source, history }, writer, PLAYERS, signal);
  const erased = new ErasedPlayers(players);
  const advance = async (what: string) => {
    await erased.catchUp(signal);
    const started = performance.now();
    await kept.advance(erased, Date.now(), signal);
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(
      `${what}: ${Math.round(CHANGES / seconds)} changes/s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s\n`,
    );
  };
  await advance('copied');
  await producer.send({ topic: PLAYERS, messages: [playerRecord(player(0), 'erased')] });
  await advance('written again without a player');
  await Promise.all([...slices.map((one) => one.close()), writer.close(), producer.disconnect()]);
}

function change(at: number): { key: string; value: string; timestamp: string } {
  const rows = Array.from({ length: RANKS }, (_, i) => ({
    rnk: i + 1,
    user_id: player(at + i),
    team_id: `TEAM-${i}`,
    team_name: 'The Quick Foxes',
    total_score: (at + RANKS - i) * 1000,
  }));
  const value = JSON.stringify({ season_start: 0, digest: '01234567', rows });
  return { key: '{"season_start":0}', value, timestamp: String(1_700_000_000_000 + at * 1000) };
}

function player(n: number): string {
  return `USR-${n % 10_000}`;
}

await main();
