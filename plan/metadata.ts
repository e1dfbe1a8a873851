import { API_VERSION, type GameAnalytics, GROUP, KIND } from '../api/gameanalytics.ts';
import type { KubernetesObject } from './objects.ts';

/** The part of the pipeline an object belongs to. */
export type Component =
  | 'topics'
  | 'users'
  | 'flink'
  | 'injector'
  | 'dashboard'
  | 'results'
  | 'history'
  | 'schema';

/** Kubernetes' recommended labels. */
export const LABELS = {
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
} as const;

/** The label by which Strimzi knows which Kafka an object belongs to. */
export const STRIMZI_CLUSTER = 'strimzi.io/cluster';

/** The label `name` of every object of a pipeline. */
export const APP = 'gameanalytics';

/** What manages the objects of a pipeline: their label, and who the API server knows to have applied them. */
export const OPERATOR = 'gameanalytics-operator';

/** Annotations of our own. */
export const ANNOTATIONS = {
  /** A digest of what was last applied to an object. */
  applied: `${GROUP}/applied`,
  /** Of the FlinkDeployment: how its job is laid out, and what it runs. */
  layout: `${GROUP}/layout`,
  revision: `${GROUP}/revision`,
  /** Of the FlinkDeployment: the revision that was tried and did not come up, and why. */
  refusedRevision: `${GROUP}/refused-revision`,
  refusal: `${GROUP}/refusal`,
} as const;

/** Labels that every object of a pipeline has; `name` and `component` select its pods. */
export function labels(resource: GameAnalytics, component: Component): Record<string, string> {
  return { ...selector(resource, component), [LABELS.managedBy]: OPERATOR };
}

/**
 * Labels that select the pods of a component, and only those. They never change, because a selector cannot.
 */
export function selector(resource: GameAnalytics, component: Component): Record<string, string> {
  return {
    [LABELS.name]: APP,
    [LABELS.instance]: resource.metadata.name,
    [LABELS.component]: component,
  };
}

/**
 * Metadata of an object of the pipeline: in the resource's namespace and owned by it, so that deletion is
 * Kubernetes' own garbage collection. A resource that was never in a cluster has no uid and owns nothing.
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

/** Metadata of an object that Strimzi applies in the resource's Kafka. */
export function strimziMetadata(
  resource: GameAnalytics,
  component: Component,
  name: string,
): KubernetesObject['metadata'] {
  const meta = metadata(resource, component, name);
  return { ...meta, labels: { ...meta.labels, [STRIMZI_CLUSTER]: resource.spec.kafka.cluster } };
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
