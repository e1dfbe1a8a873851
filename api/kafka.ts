import { z } from 'zod';
import { objectName } from './object-name.ts';

const LISTENER_NAME = /^[a-z0-9]{1,11}$/;

/** spec.kafka: the cluster that carries events and boards. */
export const kafka = z.strictObject({
  cluster: objectName('the name of a Kafka resource', 63)
    .meta({
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'kafka.cluster cannot be changed' }],
    })
    .describe('Name of the Strimzi Kafka resource in this namespace. Cannot be changed.'),
  listener: z
    .string()
    .max(11)
    .regex(LISTENER_NAME, 'must be the name of a listener: up to 11 lower case letters and digits')
    .default('plain')
    .describe('Which of its listeners to use; the address is read from the Kafka’s status.'),
});
