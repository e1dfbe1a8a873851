import type { GameAnalytics } from '../api/gameanalytics.ts';
import { appName } from './app.ts';
import type { Environment } from './environment.ts';
import { flinkName } from './flink.ts';
import { type Component, LABELS, metadata, STRIMZI_CLUSTER, selector } from './metadata.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './objects.ts';
import { registryUrl } from './schema-registry.ts';
import { keptBoards } from './topics.ts';

type Rules = Omit<NetworkPolicy['spec'], 'podSelector'>;

/** Where Flink's REST service answers. */
const FLINK_REST: NetworkPolicyPort = { protocol: 'TCP', port: 8081 };
/**
 * Where Flink's Prometheus reporter answers, once flink.configuration turns it on, unless that sets another
 * port.
 */
const FLINK_METRICS: NetworkPolicyPort = { protocol: 'TCP', port: 9249 };

/** Anywhere, since a cache of the node's is no pod. */
const DNS: NetworkPolicyPort[] = [
  { protocol: 'UDP', port: 53 },
  { protocol: 'TCP', port: 53 },
];

/**
 * The API server has an address that a plan cannot know. Behind the Service `kubernetes`, which has port 443,
 * it listens on one of these.
 */
const API_SERVER = {
  ports: [443, 6443].map((port): NetworkPolicyPort => ({ protocol: 'TCP', port })),
};

/**
 * Who may talk to the pods of each component, and to whom they may. Policies add up: what a cluster needs
 * beyond these, another policy allows. Every default of the API server is spelled out, or it would look like
 * a change of someone else's.
 */
export function networkPolicies(resource: GameAnalytics, environment: Environment): NetworkPolicy[] {
  return [
    policy(resource, 'flink', flinkName(resource), jobRules(resource, environment)),
    ...(resource.spec.injector
      ? [
          policy(
            resource,
            'injector',
            appName(resource, 'injector'),
            appRules(resource, registryEgress(resource)),
          ),
        ]
      : []),
    policy(resource, 'dashboard', appName(resource, 'dashboard'), appRules(resource)),
    ...(resource.spec.results
      ? [policy(resource, 'results', appName(resource, 'results'), appRules(resource, [API_SERVER]))]
      : []),
    ...(keptBoards(resource).length > 0
      ? [policy(resource, 'history', appName(resource, 'history'), appRules(resource))]
      : []),
  ];
}

/** The program that reads the schema of the events asks the registry, and tells the API server. */
export function schemaPolicy(resource: GameAnalytics): NetworkPolicy {
  const { egress: _, ...rules } = appRules(resource);
  const egress = [{ ports: DNS }, ...registryEgress(resource), API_SERVER];
  return policy(resource, 'schema', appName(resource, 'schema'), { ...rules, egress });
}

function policy(resource: GameAnalytics, component: Component, name: string, rules: Rules): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(resource, component, name),
    spec: { podSelector: { matchLabels: selector(resource, component) }, ...rules },
  };
}

/**
 * One of our programs answers everyone on its one port: probes, Prometheus, browsers and the ingress
 * controllers before them are in places that a plan cannot know. It asks nobody but Kafka, and those of other
 * rules.
 */
function appRules(resource: GameAnalytics, others: NonNullable<Rules['egress']> = []): Rules {
  return {
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: [{ protocol: 'TCP', port: 'http' }] }],
    egress: [{ ports: DNS }, { to: [kafkaPods(resource)] }, ...others],
  };
}

/**
 * To the schema registry of the events, if they are Avro. A policy knows no names: only that one without a
 * dot is that of a Service in this namespace. Of ports it knows those of the pods, which most registries have
 * on their Service too.
 */
function registryEgress(resource: GameAnalytics): NonNullable<Rules['egress']> {
  const address = registryUrl(resource);
  if (address === undefined) return [];
  // Not by URL: to that, some hosts that the resource may name are none.
  const [, scheme, host = '', named] = /^(https?):\/\/([^:/[]+|\[[^\]]*\])(?::(\d+))?/.exec(address) ?? [];
  const isNear = !/[.:]/.test(host);
  const port = Number(named ?? (scheme === 'https' ? 443 : 80));
  return [{ ...(isNear && { to: [ANY_POD_HERE] }), ports: [{ protocol: 'TCP', port }] }];
}

/**
 * A client that reaches a job's REST service can run code in it, so only those that must are allowed. The
 * job's own connections are not restricted: the API server and the place of its state have addresses that a
 * plan cannot know.
 */
function jobRules(resource: GameAnalytics, { flinkOperatorNamespace }: Environment): Rules {
  return {
    policyTypes: ['Ingress'],
    ingress: [
      { from: [{ podSelector: { matchLabels: selector(resource, 'flink') } }] },
      { from: [flinkOperator(flinkOperatorNamespace), FLEX], ports: [FLINK_REST] },
      { ports: [FLINK_METRICS] },
    ],
  };
}

/**
 * By labels that Strimzi gives to the brokers of a Kafka. The one with their name is longer than a label when
 * the Kafka's is long.
 */
function kafkaPods(resource: GameAnalytics): NetworkPolicyPeer {
  const matchLabels = { [STRIMZI_CLUSTER]: resource.spec.kafka.cluster, 'strimzi.io/broker-role': 'true' };
  return { podSelector: { matchLabels } };
}

/**
 * The Flink Kubernetes Operator by its label, which pods of any namespace can have, and where it is known by
 * its namespace.
 */
function flinkOperator(namespace: string | undefined): NetworkPolicyPeer {
  return {
    namespaceSelector: namespace ? { matchLabels: { 'kubernetes.io/metadata.name': namespace } } : {},
    podSelector: { matchLabels: { [LABELS.name]: 'flink-kubernetes-operator' } },
  };
}

/** Those of the policy's own namespace. */
const ANY_POD_HERE: NetworkPolicyPeer = { podSelector: {} };

/** The monitor of the chart gameanalytics-platform, which is installed next to the Kafka. */
const FLEX: NetworkPolicyPeer = { podSelector: { matchLabels: { [LABELS.name]: 'flex' } } };
