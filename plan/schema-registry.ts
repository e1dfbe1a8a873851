import { DEFAULT_REGISTRY_URL } from '../api/events.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { EnvVar, SecretVolume } from './objects.ts';
import { eventsTopic } from './topics.ts';

/** The format with which a job reads Avro (local/runtime/flink-avro). */
export const AVRO_FORMAT = 'registry-avro';

const MOUNT = '/etc/gameanalytics/schema-registry';

/** Where the schemas of a resource's events are; undefined of events that are not Avro. */
export function registryUrl({ spec }: GameAnalytics): string | undefined {
  const { format, schemaRegistry } = spec.events;
  return format === 'avro-confluent' ? (schemaRegistry?.url ?? DEFAULT_REGISTRY_URL) : undefined;
}

/** The subject of the schemas of a resource's events: the name that serializers give it by default. */
export function schemaSubject(resource: GameAnalytics): string {
  return `${eventsTopic(resource)}-value`;
}

/** The Secret that a program needs to be let in by the schema registry of the events. */
export function registrySecrets({ spec }: GameAnalytics): SecretVolume[] {
  const secretName = spec.events.schemaRegistry?.secretName;
  return secretName === undefined ? [] : [{ name: 'schema-registry', secretName, mountPath: MOUNT }];
}

/** How the injector finds the schema registry. It reads secrets from the folder. */
export function registrySettings(resource: GameAnalytics): EnvVar[] {
  const url = registryUrl(resource);
  if (url === undefined) return [];
  return [
    { name: 'SCHEMA_REGISTRY_URL', value: url },
    ...registrySecrets(resource).map(() => ({ name: 'SCHEMA_REGISTRY_FOLDER', value: MOUNT })),
  ];
}

/**
 * Options of the format that reads Avro, as the connector takes them; undefined of events that are not Avro.
 * The script is an argument and so is no place for secrets: the format reads them from their files.
 */
export function registryOptions(resource: GameAnalytics): Record<string, string> | undefined {
  const url = registryUrl(resource);
  if (url === undefined) return undefined;
  const hasSecret = registrySecrets(resource).length > 0;
  const options = { url, ...(hasSecret && { 'secret-folder': MOUNT }) };
  return {
    'value.format': AVRO_FORMAT,
    ...Object.fromEntries(
      Object.entries(options).map(([name, value]) => [`value.${AVRO_FORMAT}.${name}`, value]),
    ),
  };
}
