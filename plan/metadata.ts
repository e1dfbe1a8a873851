import { API_VERSION, type GameAnalytics, KIND } from '../api/gameanalytics.ts';
import type { KubernetesObject } from './objects.ts';

/** The part of the pipeline an object belongs to. */
export type Component = 'topics' | 'users' | 'flink' | 'injector' | 'dashboard';

/** Labels that every object of a pipeline has; `name` and `component` select its pods. */
export function labels(resource: GameAnalytics, component: Component): Record<string, string> {
  return { ...selector(resource, component), 'app.kubernetes.io/managed-by': 'gameanalytics-operator' };
}

/** Labels that select the pods of a component, and only those. They never change, because a selector cannot. */
export function selector(resource: GameAnalytics, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'gameanalytics',
    'app.kubernetes.io/instance': resource.metadata.name,
    'app.kubernetes.io/component': component,
  };
}

/**
 * Metadata of an object of the pipeline: in the resource's namespace and owned by it, so that deletion is Kubernetes' own
 * garbage collection. A resource that was never in a cluster has no uid and owns nothing.
 */
export function metadata(
  resource: GameAnalytics,
  component: Component,
  name: string,
): KubernetesObject['metadata'] {
  const { namespace, uid } = resource.metadata;
  return {
    name,
    ...(namespace && { namespace }),
    labels: labels(resource, component),
    ...(uid && { ownerReferences: [ownerReference(resource.metadata.name, uid)] }),
  };
}

/** Metadata of an object that Strimzi realises in the resource's Kafka. */
export function strimziMetadata(
  resource: GameAnalytics,
  component: Component,
  name: string,
): KubernetesObject['metadata'] {
  const meta = metadata(resource, component, name);
  return { ...meta, labels: { ...meta.labels, 'strimzi.io/cluster': resource.spec.kafka.cluster } };
}

function ownerReference(name: string, uid: string) {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: false,
  } as const;
}
