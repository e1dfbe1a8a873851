import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { Component } from './metadata.ts';
import type { EnvVar, SecretVolume } from './objects.ts';

/** The parts of a pipeline that speak with Kafka. */
export type KafkaClient = Extract<Component, 'injector' | 'flink' | 'dashboard' | 'results' | 'history'>;

/** Where the cluster's CA and a program's own credentials are mounted. */
const CA_MOUNT = '/etc/gameanalytics/kafka-ca';
const USER_MOUNT = '/etc/gameanalytics/kafka-user';

/**
 * Name of a component's KafkaUser, and of the Secret that Strimzi makes for it: one that no Secret of the
 * user's own is likely to have, as an overwritten Secret would be.
 */
export function kafkaUserName(resource: GameAnalytics, component: KafkaClient): string {
  return `${resource.metadata.name}-${component}-kafka`;
}

/** The Secret with the certificates that sign for a Kafka's brokers, as Strimzi names it. */
export function clusterCaSecret(cluster: string): string {
  return `${cluster}-cluster-ca-cert`;
}

/**
 * The Secrets a component needs to be let in: the CA that signs for the brokers, and its own credentials.
 * Both are Strimzi's.
 */
export function kafkaSecrets(resource: GameAnalytics, component: KafkaClient): SecretVolume[] {
  const { cluster, authentication } = resource.spec.kafka;
  if (!authentication) return [];
  return [
    { name: 'kafka-ca', secretName: clusterCaSecret(cluster), mountPath: CA_MOUNT },
    { name: 'kafka-user', secretName: kafkaUserName(resource, component), mountPath: USER_MOUNT },
  ];
}

/** How our own programs find Kafka. They read secrets from the folders. */
export function kafkaSettings(
  resource: GameAnalytics,
  component: Exclude<KafkaClient, 'flink'>,
  bootstrapServers: string,
): EnvVar[] {
  const { authentication } = resource.spec.kafka;
  const address = { name: 'KAFKA_BOOTSTRAP_SERVERS', value: bootstrapServers };
  if (!authentication) return [address];
  const isNamed = authentication.type === 'scram-sha-512';
  return [
    address,
    { name: 'KAFKA_CA_FOLDER', value: CA_MOUNT },
    { name: 'KAFKA_USER_FOLDER', value: USER_MOUNT },
    ...(isNamed ? [{ name: 'KAFKA_USERNAME', value: kafkaUserName(resource, component) }] : []),
  ];
}

/** The connector has Kafka's client under a name of its own. */
const SHADED = 'org.apache.flink.kafka.shaded.org.apache.kafka.common';

/**
 * How Flink's connectors find Kafka: options of the client, with the address. The script is an argument and
 * so is no place for secrets: the client itself reads them from their files, by Kafka's configuration
 * providers (KIP-297, KIP-421).
 */
export function connectorOptions(resource: GameAnalytics, bootstrapServers: string): Record<string, string> {
  const { authentication } = resource.spec.kafka;
  const address = { 'bootstrap.servers': bootstrapServers };
  if (!authentication) return address;
  const secured = {
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${CA_MOUNT}/ca.crt`,
    'config.providers': 'secret',
    'config.providers.secret.class': `${SHADED}.config.provider.DirectoryConfigProvider`,
    'config.providers.secret.param.allowed.paths': USER_MOUNT,
  };
  if (authentication.type === 'tls')
    return {
      ...address,
      'security.protocol': 'SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': secret('user.crt'),
      'ssl.keystore.key': secret('user.key'),
      ...secured,
    };
  const username = kafkaUserName(resource, 'flink');
  return {
    ...address,
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `${SHADED}.security.scram.ScramLoginModule required username="${username}" password="${secret('password')}";`,
    ...secured,
  };
}

function secret(key: string): string {
  return `\${secret:${USER_MOUNT}:${key}}`;
}
