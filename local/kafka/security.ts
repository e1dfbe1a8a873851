import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, LOOPBACK } from '../process/ports.ts';
import { CertificateAuthority } from './certificates.ts';

/** A listener that requires a sign-in, in addition to the one that administers the broker. */
export interface SecuredListener {
  port: number;
  authority: CertificateAuthority;
  /** The broker's properties for it. */
  properties(plainPort: number, controllerPort: number): Record<string, string>;
}

/**
 * Makes what a listener over TLS needs, in the broker's folder. Who signs in may do what Kafka's lists say
 * (StandardAuthorizer). The other listeners, on the loopback address, require none: anyone on this machine
 * could read the broker's files as well.
 *
 * @param type how to sign in: by a password over TLS, or by a certificate that our authority signed
 */
export async function secureListener(
  folder: string,
  type: 'scram-sha-512' | 'tls',
): Promise<SecuredListener> {
  const authority = await CertificateAuthority.create('local');
  const { certificate, key } = await authority.issue('broker');
  const keystore = join(folder, 'broker.pem');
  const truststore = join(folder, 'ca.crt');
  await writeFile(keystore, `${key}${certificate}`, { mode: 0o600 });
  await writeFile(truststore, authority.certificate);
  const port = await freePort();
  const common = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    [`${LISTENER}.ssl.keystore.type`]: 'PEM',
    [`${LISTENER}.ssl.keystore.location`]: keystore,
  };
  const signIn = type === 'tls' ? byCertificate(truststore) : BY_PASSWORD;
  return {
    port,
    authority,
    properties: (plainPort, controllerPort) => ({
      ...common,
      ...signIn,
      listeners: [
        `PLAINTEXT://${LOOPBACK}:${plainPort}`,
        `SECURED://${LOOPBACK}:${port}`,
        `CONTROLLER://${LOOPBACK}:${controllerPort}`,
      ].join(),
      'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${plainPort},SECURED://${LOOPBACK}:${port}`,
      'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:${type === 'tls' ? 'SSL' : 'SASL_SSL'}`,
    }),
  };
}

const LISTENER = 'listener.name.secured';

const BY_PASSWORD = {
  [`${LISTENER}.sasl.enabled.mechanisms`]: 'SCRAM-SHA-512',
  [`${LISTENER}.scram-sha-512.sasl.jaas.config`]:
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
};

function byCertificate(truststore: string): Record<string, string> {
  return {
    [`${LISTENER}.ssl.truststore.type`]: 'PEM',
    [`${LISTENER}.ssl.truststore.location`]: truststore,
    [`${LISTENER}.ssl.client.auth`]: 'required',
  };
}
