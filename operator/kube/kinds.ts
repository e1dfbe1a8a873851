import { API_VERSION as GAME_ANALYTICS_VERSION, KIND } from '../../api/gameanalytics.ts';
import { EVENT_KIND } from '../../lib/kubernetes.ts';
import { FLINK_API, STRIMZI_API } from '../../plan/objects.ts';

/** A kind of object, and the name of its collection in the API. All that we use are namespaced. */
export interface Kind {
  apiVersion: string;
  kind: string;
  plural: string;
  /**
   * The keys of the lists that the API server merges by keys, by the lists' paths in the object: others may
   * have items of their own in them. Any other list is ours as a whole.
   */
  mergeKeys?: MergeKeys;
}

export type MergeKeys = Readonly<Record<string, readonly string[]>>;

export const GAME_ANALYTICS: Kind = {
  apiVersion: GAME_ANALYTICS_VERSION,
  kind: KIND,
  plural: 'gameanalytics',
};
export const KAFKA: Kind = { apiVersion: STRIMZI_API, kind: 'Kafka', plural: 'kafkas' };
export const POD: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
export const LEASE: Kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };
export const EVENT: Kind = { ...EVENT_KIND, plural: 'events' };

export const KAFKA_TOPIC: Kind = { ...KAFKA, kind: 'KafkaTopic', plural: 'kafkatopics' };
export const KAFKA_USER: Kind = { ...KAFKA, kind: 'KafkaUser', plural: 'kafkausers' };
export const FLINK_DEPLOYMENT: Kind = {
  apiVersion: FLINK_API,
  kind: 'FlinkDeployment',
  plural: 'flinkdeployments',
};
export const DEPLOYMENT: Kind = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  mergeKeys: {
    'spec.template.spec.containers': ['name'],
    'spec.template.spec.containers.env': ['name'],
    'spec.template.spec.containers.ports': ['containerPort'],
    'spec.template.spec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  },
};
export const SERVICE: Kind = {
  apiVersion: 'v1',
  kind: 'Service',
  plural: 'services',
  mergeKeys: { 'spec.ports': ['port'] },
};
export const SERVICE_ACCOUNT: Kind = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
};
export const ROLE_BINDING: Kind = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
};
export const NETWORK_POLICY: Kind = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
};
export const POD_DISRUPTION_BUDGET: Kind = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
};
export const CONTROLLER_REVISION: Kind = {
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
};

/**
 * The kinds that a pipeline is made of. What is here is watched where it has our labels, reconciled when it
 * changes, compared with what is planned, and pruned. A new kind is an entry, its builder in plan/, and the
 * operator's right to it in the chart.
 */
export const CHILDREN: readonly Kind[] = [
  KAFKA_TOPIC,
  KAFKA_USER,
  FLINK_DEPLOYMENT,
  DEPLOYMENT,
  SERVICE,
  SERVICE_ACCOUNT,
  ROLE_BINDING,
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', plural: 'ingresses' },
  NETWORK_POLICY,
  POD_DISRUPTION_BUDGET,
  CONTROLLER_REVISION,
];

const BY_NAME = new Map(
  [GAME_ANALYTICS, KAFKA, ...CHILDREN, POD, LEASE, EVENT].map((kind) => [qualifiedName(kind), kind]),
);

/** The kind of an object. Throws on one that the operator has no business with. */
export function findKind(object: { apiVersion: string; kind: string }): Kind {
  const kind = BY_NAME.get(qualifiedName(object));
  if (!kind) throw new Error(`${qualifiedName(object)} is not a kind the operator knows`);
  return kind;
}

function qualifiedName({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `${apiVersion} ${kind}`;
}
