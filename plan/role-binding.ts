import type { GameAnalytics } from '../api/gameanalytics.ts';
import { type Component, metadata } from './metadata.ts';
import type { KubernetesObject } from './objects.ts';

/**
 * Gives the account of a component the rights of a role in the resource's namespace. The roles come with the
 * operator's chart, so that the operator needs the right to bind those and none to write roles.
 *
 * @param name of the account, and of the binding
 */
export function roleBinding(
  resource: GameAnalytics,
  component: Component,
  name: string,
  role: 'gameanalytics-flink-job' | 'gameanalytics-results' | 'gameanalytics-schema',
): KubernetesObject {
  const { namespace } = resource.metadata;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata(resource, component, name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    // Without a namespace the API server refuses the subject, so the resource's own is named when it is
    // known.
    subjects: [{ kind: 'ServiceAccount', name, ...(namespace && { namespace }) }],
  };
}
