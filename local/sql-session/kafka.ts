import { localAdmin } from '../../kafka/admin.ts';
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
  const admin = localAdmin(address);
  try {
    await admin.connect();
  } catch (error) {
    throw new UserError(`The Kafka at ${address} does not answer: ${(error as Error).message}`);
  } finally {
    await admin.disconnect();
  }
  return address;
}

async function findLocalKafka(stateDir: string): Promise<string | undefined> {
  return (await isInUse(stateDir)) ? readBootstrapServers(stateDir) : undefined;
}
