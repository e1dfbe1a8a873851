import { createHash } from 'node:crypto';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { findSchemaUse } from '../api/schema-columns.ts';
import { API_SERVER, appDeployment, appName, appServiceAccount } from './app.ts';
import type { Environment } from './environment.ts';
import { schemaPolicy } from './network-policies.ts';
import type { KubernetesObject } from './objects.ts';
import { roleBinding } from './role-binding.ts';
import { registrySecrets, registrySettings, registryUrl, schemaSubject } from './schema-registry.ts';
import { managedEventsTopic } from './topics.ts';

/**
 * What finds the columns of the events where the resource leaves them to the schema registry: a program that
 * reads the newest schema, and tells the resource. The operator must not: it may read no Secrets, and asks no
 * address that users name. The topic is there meanwhile, since programs register their schema when they
 * write the first record.
 */
export function findingSchema(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const { namespace = 'default', name } = resource.metadata;
  return [
    ...managedEventsTopic(resource),
    schemaPolicy(resource),
    appServiceAccount(resource, 'schema'),
    roleBinding(resource, 'schema', appName(resource, 'schema'), 'gameanalytics-schema'),
    appDeployment(resource, {
      component: 'schema',
      image: environment.appImage,
      replicas: 1,
      env: [
        ...registrySettings(resource),
        { name: 'SCHEMA_RESOURCE', value: JSON.stringify({ namespace, name }) },
        { name: 'SCHEMA_SUBJECT', value: schemaSubject(resource) },
        { name: 'SCHEMA_USE', value: JSON.stringify(findSchemaUse(resource)) },
        { name: 'SCHEMA_DIGEST', value: schemaDigest(resource) },
        { name: 'KUBERNETES_API_SERVER', value: API_SERVER },
      ],
      secrets: registrySecrets(resource),
      resources: { requests: { cpu: '25m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    }),
  ];
}

/**
 * Tells the columns that were found for a resource from those of what it was before: by where the schema is,
 * and what is used of it. By what its program signs in is no part of it.
 */
export function schemaDigest(resource: GameAnalytics): string {
  const { names, needed } = findSchemaUse(resource);
  const columns = needed.map(({ column, type }) => [column, type]);
  const what = [registryUrl(resource), schemaSubject(resource), names, columns];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 10);
}
