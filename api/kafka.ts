import { z } from 'zod';
import { objectName } from './object-name.ts';

const LISTENER_NAME = /^[a-z0-9]{1,11}$/;

const authentication = z.strictObject({
  type: z
    .enum(['scram-sha-512', 'tls'])
    .describe(
      'How each program shows who it is: scram-sha-512 by a password, tls by a certificate. The listener must ask for the same.',
    ),
});

/** spec.kafka: the cluster that carries events and boards. */
export const kafka = z
  .strictObject({
    cluster: objectName('the name of a Kafka resource', 63)
      .meta({
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'kafka.cluster cannot be changed' }],
      })
      .describe('Name of the Strimzi Kafka resource in this namespace. Cannot be changed.'),
    listener: z
      .string()
      .max(11)
      .regex(LISTENER_NAME, 'must be the name of a listener: up to 11 lower case letters and digits')
      .optional()
      .describe(
        'Which of its listeners to use; the address is read from the Kafka’s status. Default: tls with authentication, plain without.',
      ),
    authentication: authentication
      .optional()
      .describe(
        'Signs the programs in to Kafka over TLS, each as a user with the least rights. Unset: neither TLS nor users.',
      ),
  })
  .transform(({ listener, ...kafka }) => ({
    ...kafka,
    listener: listener ?? (kafka.authentication ? 'tls' : 'plain'),
  }));
