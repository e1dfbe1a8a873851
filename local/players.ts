import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type PlayerState, Players, playerRecord } from '../contract/players.ts';
import { kafkaAccess } from '../kafka/access.ts';
import { type KafkaClient, kafkaClient } from '../kafka/client.ts';
import { describeKafkaError } from '../kafka/errors.ts';
import type { KafkaRecord } from '../kafka/topic-reader.ts';
import { TopicSlices } from '../kafka/topic-slices.ts';
import { writeRecords } from '../kafka/write-records.ts';
import { playersTopic } from '../plan/topics.ts';
import { UserError } from './process/user-error.ts';

export { isPlayerId } from '../contract/players.ts';

/**
 * The players that are hidden or erased, as their topic says now.
 *
 * @param bootstrapServers of a Kafka that asks for no sign-in
 * @throws UserError
 */
export function readPlayers(
  resource: GameAnalytics,
  bootstrapServers: string,
): Promise<ReadonlyMap<string, PlayerState>> {
  return withTopic(resource, bootstrapServers, async (kafka, topic) => {
    const players = new Players();
    const take = ({ key, value }: KafkaRecord) => players.apply(key, value);
    const slices = new TopicSlices(kafka, topic, 'cli');
    try {
      await slices.readAll(take, new AbortController().signal);
    } finally {
      await slices.close();
    }
    return players.states;
  });
}

/**
 * Gives players a state.
 *
 * @param state undefined: they are shown
 * @throws UserError
 */
export function writePlayers(
  resource: GameAnalytics,
  bootstrapServers: string,
  ids: string[],
  state: PlayerState | undefined,
): Promise<void> {
  const records = ids.map((id) => playerRecord(id, state));
  return withTopic(resource, bootstrapServers, (kafka, topic) => writeRecords(kafka, topic, records));
}

async function withTopic<T>(
  resource: GameAnalytics,
  bootstrapServers: string,
  use: (kafka: KafkaClient, topic: string) => Promise<T>,
): Promise<T> {
  const log = { debug: () => undefined };
  const kafka = kafkaClient('cli', bootstrapServers.split(','), kafkaAccess({}), log);
  const topic = playersTopic(resource);
  try {
    return await use(kafka, topic);
  } catch (error) {
    throw new UserError(`${topic}: ${describeKafkaError((error as Error).message, topic)}`);
  }
}
