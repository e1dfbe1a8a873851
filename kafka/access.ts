import { readdirSync, readFileSync } from 'node:fs';
import { isIP, connect as openPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as openTls, type SecureContextOptions } from 'node:tls';
import type { ISocketFactory, KafkaConfig } from 'kafkajs';
import { SettingsError } from '../lib/program.ts';

/**
 * How a program is let in by Kafka, as its environment says. Without any of them: as anybody, in the clear.
 */
export interface AccessSettings {
  /**
   * Folder with the certificates that sign for the brokers, *.crt, as Strimzi's Secret
   * <cluster>-cluster-ca-cert.
   */
  KAFKA_CA_FOLDER?: string | undefined;
  /**
   * Folder with the program's credentials, as the Secret of a KafkaUser: password, or user.crt and user.key.
   */
  KAFKA_USER_FOLDER?: string | undefined;
  /** Whose the password is. Unset: the certificate says who it is. */
  KAFKA_USERNAME?: string | undefined;
}

/**
 * What kafkajs is to be set up with. Files are read at each connection, so that what Strimzi renews counts
 * from the next one on.
 */
export interface Access {
  socketFactory: ISocketFactory;
  sasl?: NonNullable<KafkaConfig['sasl']>;
}

/** The settings do not let anybody in; the message names the variable and says what is missing. */
export class AccessError extends SettingsError {}

const KEEP_ALIVE_MILLIS = 60_000;

/**
 * How to connect, by the settings.
 *
 * @throws AccessError when a variable or a file is missing, so that it is known at the start
 */
export function kafkaAccess(settings: AccessSettings): Access {
  const { KAFKA_CA_FOLDER: ca, KAFKA_USER_FOLDER: user, KAFKA_USERNAME: username } = settings;
  if (ca === undefined && user === undefined && username === undefined)
    return {
      socketFactory: ({ host, port, onConnect }) => keptAlive(openPlain({ host, port }, onConnect)),
    };
  if (ca === undefined)
    throw new AccessError('KAFKA_CA_FOLDER: must be set too: credentials go over TLS alone');
  if (user === undefined)
    throw new AccessError('KAFKA_USER_FOLDER: must be set too: the credentials to sign in with');
  if (username === undefined)
    return secured(() => ({
      ca: readCa(ca),
      cert: readKey('KAFKA_USER_FOLDER', user, 'user.crt'),
      key: readKey('KAFKA_USER_FOLDER', user, 'user.key'),
    }));
  const readPassword = () => readKey('KAFKA_USER_FOLDER', user, 'password');
  readPassword();
  return {
    ...secured(() => ({ ca: readCa(ca) })),
    sasl: {
      mechanism: 'scram-sha-512',
      username,
      get password() {
        return readPassword();
      },
    },
  };
}

function secured(read: () => SecureContextOptions): Access {
  read();
  return {
    socketFactory: ({ host, port, onConnect }) => {
      const name = isIP(host) ? {} : { servername: host };
      return keptAlive(openTls({ host, port, ...name, ...read() }, onConnect));
    },
  };
}

function keptAlive(socket: Socket): Socket {
  return socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
}

function readCa(folder: string): string[] {
  // While a CA is being replaced there are two, and brokers of both.
  const files = wrapAccessError('KAFKA_CA_FOLDER', () => readdirSync(folder)).filter((file) =>
    file.endsWith('.crt'),
  );
  if (files.length === 0) throw new AccessError(`KAFKA_CA_FOLDER: ${folder} must have a file ca.crt`);
  return files.map((file) => readKey('KAFKA_CA_FOLDER', folder, file));
}

function readKey(variable: string, folder: string, key: string): string {
  const text = wrapAccessError(variable, () => readFileSync(join(folder, key), 'utf8'));
  if (text === '') throw new AccessError(`${variable}: ${join(folder, key)} is empty`);
  return text;
}

function wrapAccessError<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AccessError(`${variable}: ${(error as Error).message}`);
  }
}
