import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { SecretVolume } from './objects.ts';

/** The format with which a job reads Avro (local/runtime/flink-avro). */
export const AVRO_FORMAT = 'registry-avro';

const MOUNT = '/etc/gameanalytics/schema-registry';

/** The Secret that the job needs to be let in by the schema registry of its events. */
export function registrySecrets({ spec }: GameAnalytics): SecretVolume[] {
  const secretName = spec.events.schemaRegistry?.secretName;
  return secretName === undefined ? [] : [{ name: 'schema-registry', secretName, mountPath: MOUNT }];
}

/**
 * Options of the format that reads Avro, as the connector takes them; undefined without a schema registry.
 * The script is an argument and so is no place for secrets: the format reads them from their files.
 */
export function registryOptions(resource: GameAnalytics): Record<string, string> | undefined {
  const { schemaRegistry } = resource.spec.events;
  if (!schemaRegistry) return undefined;
  const hasSecret = registrySecrets(resource).length > 0;
  const options = { url: schemaRegistry.url, ...(hasSecret && { 'secret-folder': MOUNT }) };
  return {
    'value.format': AVRO_FORMAT,
    ...Object.fromEntries(
      Object.entries(options).map(([name, value]) => [`value.${AVRO_FORMAT}.${name}`, value]),
    ),
  };
}
