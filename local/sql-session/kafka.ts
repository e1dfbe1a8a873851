import { type KafkaAdmin, localAdmin } from '../../kafka/admin.ts';
import { readBootstrapServers } from '../kafka/broker.ts';
import { isInUse } from '../process/state-folder.ts';
import { UserError } from '../process/user-error.ts';

/**
 * The address of a pipeline's Kafka, which has answered.
 *
 * @param name of the pipeline
 * @param stateDir folder of its run on this machine
 * @param elsewhere address of another Kafka, which asks for no sign-in
 * @throws UserError that says what to do when there is none, or it does not answer
 */
export async function findKafka(
  name: string,
  stateDir: string,
  elsewhere: string | undefined,
): Promise<string> {
  const address = elsewhere ?? (await findLocalKafka(stateDir));
  if (address === undefined)
    throw new UserError(
      `${name} does not run on this machine: no run uses ${stateDir}. Start it with gameanalytics run, name its folder with --state-dir, or name another Kafka with --bootstrap HOST:PORT.`,
    );
  await askKafka(address, `The Kafka at ${address} does not answer`, async () => undefined);
  return address;
}

/**
 * Connects to a Kafka for one question.
 *
 * @param complaint begins the sentence when it fails
 * @throws UserError
 */
export async function askKafka<T>(
  bootstrapServers: string,
  complaint: string,
  ask: (admin: KafkaAdmin) => Promise<T>,
): Promise<T> {
  const admin = localAdmin(bootstrapServers);
  try {
    await admin.connect();
    return await ask(admin);
  } catch (error) {
    throw new UserError(`${complaint}: ${(error as Error).message}`);
  } finally {
    await admin.disconnect();
  }
}

async function findLocalKafka(stateDir: string): Promise<string | undefined> {
  return (await isInUse(stateDir)) ? readBootstrapServers(stateDir) : undefined;
}
