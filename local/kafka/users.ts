import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  ACL_ALLOW,
  ACL_OPERATIONS,
  ACL_PATTERNS,
  ACL_RESOURCES,
  type Acl,
  replaceAcls,
} from '../../kafka/admin.ts';
import type { KafkaUser } from '../../plan/objects.ts';
import type { LocalRuntime } from '../local-runtime.ts';
import { type Broker, kafkaTool } from './broker.ts';
import { writeSecret } from './secrets.ts';

const run = promisify(execFile);

/**
 * Makes the users of the plan known to the broker, as Strimzi's user operator does: with new credentials in
 * the folder that is their Secret, and with the rights that they are to have and no others.
 */
export async function applyUsers(runtime: LocalRuntime, broker: Broker, users: KafkaUser[]): Promise<void> {
  if (users.length === 0) return;
  await Promise.all([
    ...users.map((user) => giveCredentials(runtime, broker, user)),
    // The broker is the pipeline's own, and so is every access list there is.
    replaceAcls(broker.admin, users.flatMap(aclEntries)),
  ]);
}

async function giveCredentials(runtime: LocalRuntime, broker: Broker, user: KafkaUser): Promise<void> {
  const { name } = user.metadata;
  if (user.spec.authentication.type === 'scram-sha-512') return givePassword(runtime, broker, name);
  if (!broker.authority) throw new Error('the broker has no certificate authority');
  const { certificate, key } = await broker.authority.issue(name);
  await writeSecret(runtime.stateDir, name, { 'user.crt': certificate, 'user.key': key });
}

async function givePassword(runtime: LocalRuntime, broker: Broker, name: string): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  // By Kafka's own tool, since kafkajs cannot; it takes the password from a file.
  const file = join(runtime.stateDir, `${name}.properties`);
  await writeFile(file, `SCRAM-SHA-512=password=${password}\n`, { mode: 0o600 });
  try {
    const user = ['--entity-type', 'users', '--entity-name', name];
    const args = [
      '--bootstrap-server',
      broker.bootstrapServers,
      '--alter',
      ...user,
      '--add-config-file',
      file,
    ];
    await run(runtime.java, [...kafkaTool(runtime), 'kafka.admin.ConfigCommand', ...args], {
      signal: runtime.signal,
    });
  } catch (error) {
    // The tool repeats what it does not understand.
    throw new Error((error as Error).message.replaceAll(password, '***'));
  } finally {
    await rm(file, { force: true });
  }
  await writeSecret(runtime.stateDir, name, { password });
}

/** What a user may, in Kafka's terms. */
export function aclEntries({ metadata, spec }: KafkaUser): Acl[] {
  const name = spec.authentication.type === 'tls' ? `CN=${metadata.name}` : metadata.name;
  return spec.authorization.acls.flatMap(({ resource, operations }) =>
    operations.map((operation) => ({
      principal: `User:${name}`,
      host: '*',
      resourceType: ACL_RESOURCES[resource.type],
      resourceName: resource.name,
      resourcePatternType: ACL_PATTERNS[resource.patternType],
      operation: ACL_OPERATIONS[operation],
      permissionType: ACL_ALLOW,
    })),
  );
}
