import { z } from 'zod';
import { text } from '../lib/settings.ts';

const BROKERS = 'host:port of Kafka brokers, separated by commas';
const BROKER = /^[^\s:[\]]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/;
/** Kafka's own rule for names of topics. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;

/** The variables of a program that connects to Kafka; kafkaAccess takes the last three. */
export const KAFKA_VARIABLES = {
  KAFKA_BOOTSTRAP_SERVERS: z
    .string({ error: BROKERS })
    .transform((joined) => joined.split(',').map((server) => server.trim()))
    .refine((servers) => servers.every((server) => BROKER.test(server)), { error: BROKERS })
    .meta({ description: 'where Kafka is' }),
  KAFKA_CA_FOLDER: text('a folder with ca.crt')
    .optional()
    .meta({ description: 'the certificates that sign for the brokers; unset, a connection without TLS' }),
  KAFKA_USER_FOLDER: text('a folder with password, or with user.crt and user.key')
    .optional()
    .meta({ description: 'what to sign in with, as the Secret of a KafkaUser' }),
  KAFKA_USERNAME: text('the name of a user')
    .optional()
    .meta({ description: 'whose the password is; unset, the certificate says who it is' }),
};

/** A variable with the name of a topic. */
export function topic(description: string) {
  return text('the name of a topic: up to 249 letters, digits, dots, _ and -', TOPIC).meta({ description });
}
