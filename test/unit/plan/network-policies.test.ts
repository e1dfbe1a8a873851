import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Deployment, FlinkDeployment, NetworkPolicy, NetworkPolicyPeer } from '../../../plan/objects.ts';
import { plan } from '../../../plan/plan.ts';
import { resource } from '../../../testkit/resources/resource.ts';

type Labels = Record<string, string>;

interface Pod {
  namespace: string;
  labels: Labels;
  /** By their names. */
  ports: Record<string, number>;
}

interface Port {
  protocol?: 'TCP' | 'UDP';
  port: number;
}

type NetworkPolicyRule = NonNullable<NetworkPolicy['spec']['egress']>[number];

const GAMES = 'games';
const ENVIRONMENT = {
  bootstrapServers: 'games-kafka-bootstrap:9092',
  appImage: 'app:1',
  flinkImage: 'flink:1',
};

const SPEC = { injector: {}, events: { latestArrival: '1h' }, results: {} };
const objects = ['game', 'game-2'].flatMap((name) =>
  plan(resource(SPEC, name, { namespace: GAMES, uid: name }), ENVIRONMENT),
);
const policies = objects.filter((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');

const PODS: Record<string, Pod> = {
  ...appPods(),
  ...jobPods(),
  // As Strimzi's KafkaCluster has it, of which its entity operator is no part.
  Kafka: pod({ 'strimzi.io/cluster': 'games', 'strimzi.io/broker-role': 'true' }),
  'Kafka’s controllers': pod({ 'strimzi.io/cluster': 'games', 'strimzi.io/broker-role': 'false' }),
  'Kafka’s entity operator': pod({ 'strimzi.io/cluster': 'games' }),
  'another Kafka': pod({ 'strimzi.io/cluster': 'chess', 'strimzi.io/broker-role': 'true' }),
  // As the chart of the Flink Kubernetes Operator has it.
  'Flink operator': pod({ 'app.kubernetes.io/name': 'flink-kubernetes-operator' }, 'flink-operator'),
  Flex: pod(flexLabels()),
  'Flex elsewhere': pod(flexLabels(), 'elsewhere'),
  Prometheus: pod({ 'app.kubernetes.io/name': 'prometheus' }, 'monitoring'),
  'ingress controller': pod({ 'app.kubernetes.io/name': 'ingress-nginx' }, 'ingress-nginx'),
  stranger: pod({ app: 'stranger' }),
  // What is no pod of our own, or no pod at all: no policy selects it.
  'DNS server': pod({ 'k8s-app': 'kube-dns' }, 'kube-system'),
  'API server': pod({}, ''),
  'object store': pod({}, ''),
};

describe('the policy of a component', () => {
  it('selects its pods and no others', () => {
    const selected = policies.map(({ metadata, spec }) => [
      metadata.name,
      Object.entries(PODS)
        .filter(
          ([, { namespace, labels }]) => namespace === GAMES && has(labels, spec.podSelector.matchLabels),
        )
        .map(([name]) => name),
    ]);
    expect(Object.fromEntries(selected)).toEqual({
      'game-job': ['game-job jobmanager', 'game-job taskmanager'],
      'game-injector': ['game-injector'],
      'game-dashboard': ['game-dashboard'],
      'game-results': ['game-results'],
      'game-2-job': ['game-2-job jobmanager', 'game-2-job taskmanager'],
      'game-2-injector': ['game-2-injector'],
      'game-2-dashboard': ['game-2-dashboard'],
      'game-2-results': ['game-2-results'],
    });
  });

  it('lets in the Flink operator of one namespace where that is known', () => {
    const job = plan(resource(), { ...ENVIRONMENT, flinkOperatorNamespace: 'flink-operator' }).find(
      (object): object is NetworkPolicy =>
        object.kind === 'NetworkPolicy' && object.metadata.name === 'game-job',
    );
    const rest = job?.spec.ingress.find(({ ports }) => ports?.some(({ port }) => port === 8081));
    expect(rest?.from?.map(({ namespaceSelector }) => namespaceSelector)).toEqual([
      { matchLabels: { 'kubernetes.io/metadata.name': 'flink-operator' } },
      undefined,
    ]);
  });

  it('is there only where there are pods: a game of one’s own has no injector', () => {
    const names = plan(resource(), ENVIRONMENT)
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ metadata }) => metadata.name);
    expect(names).toEqual(['game-job', 'game-dashboard']);
  });
});

describe('what a pipeline lives from is allowed', () => {
  it.each<[string, string, Port]>([
    ['game-injector', 'Kafka', { port: 9092 }],
    ['game-dashboard', 'Kafka', { port: 9093 }],
    ['game-job taskmanager', 'Kafka', { port: 9092 }],
    ['game-injector', 'DNS server', { port: 53, protocol: 'UDP' }],
    ['game-dashboard', 'DNS server', { port: 53 }],
    ['game-job jobmanager', 'DNS server', { port: 53, protocol: 'UDP' }],
    ['game-job jobmanager', 'API server', { port: 443 }],
    ['game-job taskmanager', 'object store', { port: 443 }],
    ['game-results', 'Kafka', { port: 9092 }],
    ['game-results', 'API server', { port: 443 }],
    ['game-results', 'API server', { port: 6443 }],
    ['game-job taskmanager', 'game-job jobmanager', { port: 6123 }],
    ['game-job jobmanager', 'game-job taskmanager', { port: 6122 }],
    ['game-job taskmanager', 'game-job taskmanager', { port: 40_123 }],
    ['Flink operator', 'game-job jobmanager', { port: 8081 }],
    ['Flex', 'game-job jobmanager', { port: 8081 }],
    ['ingress controller', 'game-dashboard', { port: 8080 }],
  ])('%s to %s, %o', (from, to, port) => {
    expect(isAllowed(from, to, port)).toBe(true);
  });

  it('Prometheus to whatever the pod monitors name', () => {
    const [apps, jobs] = parseAllDocuments(readFileSync('monitoring/pod-monitors.yaml', 'utf8')).map(
      (document) => document.toJS().spec.podMetricsEndpoints[0],
    );
    for (const to of ['game-injector', 'game-dashboard'])
      expect(isAllowed('Prometheus', to, { port: PODS[to]!.ports[apps.port]! })).toBe(true);
    for (const to of ['game-job jobmanager', 'game-job taskmanager'])
      expect(isAllowed('Prometheus', to, { port: jobs.portNumber })).toBe(true);
  });
});

describe('what nobody needs is refused', () => {
  it.each<[string, string, Port]>([
    ['stranger', 'game-job jobmanager', { port: 8081 }],
    ['stranger', 'game-job jobmanager', { port: 6123 }],
    ['Flink operator', 'game-job jobmanager', { port: 6123 }],
    ['Flex elsewhere', 'game-job jobmanager', { port: 8081 }],
    ['game-dashboard', 'game-job jobmanager', { port: 8081 }],
    ['game-2-job taskmanager', 'game-job jobmanager', { port: 6123 }],
    ['ingress controller', 'game-dashboard', { port: 9229 }],
    ['game-injector', 'game-dashboard', { port: 8080 }],
    ['game-injector', 'API server', { port: 443 }],
    ['game-dashboard', 'object store', { port: 443 }],
    ['game-results', 'object store', { port: 80 }],
    ['game-results', 'game-dashboard', { port: 8080 }],
    ['game-dashboard', 'another Kafka', { port: 9092 }],
    ['game-dashboard', 'Kafka’s controllers', { port: 9090 }],
    ['game-dashboard', 'Kafka’s entity operator', { port: 8080 }],
  ])('%s to %s, %o', (from, to, port) => {
    expect(isAllowed(from, to, port)).toBe(false);
  });
});

describe('the injector of records in Avro may also ask the schema registry', () => {
  it.each<[string, { url?: string } | undefined, NetworkPolicyRule]>([
    ['of the default', undefined, { to: [{ podSelector: {} }], ports: [tcp(8080)] }],
    ['of a Service here', { url: 'https://registry/api' }, { to: [{ podSelector: {} }], ports: [tcp(443)] }],
    ['of another namespace', { url: 'http://registry.games:8081' }, { ports: [tcp(8081)] }],
    ['at an address of IPv6', { url: 'http://[fd00::1]/' }, { ports: [tcp(80)] }],
    ['at what is no address', { url: 'http://1.2.3.400' }, { ports: [tcp(80)] }],
  ])('%s', (_, schemaRegistry, rule) => {
    const events = { format: 'avro-confluent', ...(schemaRegistry && { schemaRegistry }) };
    const egress = (events: object) =>
      plan(resource({ injector: {}, events }), ENVIRONMENT).find(
        (object): object is NetworkPolicy =>
          object.kind === 'NetworkPolicy' && object.metadata.name === 'game-injector',
      )?.spec.egress;
    expect(egress(events)).toEqual([...(egress({}) ?? []), rule]);
  });
});

function tcp(port: number) {
  return { protocol: 'TCP' as const, port };
}

/** As Kubernetes reads policies: a pod that none selects is open, any other to what some rule allows. */
function isAllowed(from: string, to: string, port: Port): boolean {
  const [source, target] = [PODS[from]!, PODS[to]!];
  const selecting = (pod: Pod, type: 'Ingress' | 'Egress') =>
    policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.namespace &&
        has(pod.labels, spec.podSelector.matchLabels) &&
        spec.policyTypes.includes(type),
    );
  const out = selecting(source, 'Egress');
  const into = selecting(target, 'Ingress');
  const leaves = out.some(({ spec }) =>
    spec.egress?.some(({ to, ports }) => isPeer(target, to) && isPort(target, port, ports)),
  );
  const enters = into.some(({ spec }) =>
    spec.ingress.some(({ from, ports }) => isPeer(source, from) && isPort(target, port, ports)),
  );
  return (out.length === 0 || leaves) && (into.length === 0 || enters);
}

function isPeer({ namespace, labels }: Pod, peers: NetworkPolicyPeer[] | undefined): boolean {
  return (
    !peers ||
    peers.some(
      ({ namespaceSelector, podSelector }) =>
        (namespaceSelector ? namespace !== '' : namespace === GAMES) && has(labels, podSelector.matchLabels),
    )
  );
}

function isPort(
  target: Pod,
  { protocol = 'TCP', port }: Port,
  ports: { protocol: string; port: number | string }[] | undefined,
): boolean {
  return (
    !ports ||
    ports.some(
      (allowed) =>
        allowed.protocol === protocol &&
        port === (typeof allowed.port === 'string' ? target.ports[allowed.port] : allowed.port),
    )
  );
}

function has(labels: Labels, wanted: Labels = {}): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function pod(labels: Labels, namespace = GAMES, ports: Record<string, number> = {}): Pod {
  return { namespace, labels, ports };
}

function appPods(): Record<string, Pod> {
  const deployments = objects.filter((object): object is Deployment => object.kind === 'Deployment');
  return Object.fromEntries(
    deployments.map(({ metadata, spec: { template } }) => {
      const ports = template.spec.containers[0].ports.map(({ name, containerPort }) => [name, containerPort]);
      return [metadata.name, pod(template.metadata.labels, GAMES, Object.fromEntries(ports))];
    }),
  );
}

/**
 * Flink adds its labels to those of the template, as its InitJobManagerDecorator and InitTaskManagerDecorator
 * have it.
 */
function jobPods(): Record<string, Pod> {
  const jobs = objects.filter((object): object is FlinkDeployment => object.kind === 'FlinkDeployment');
  return Object.fromEntries(
    jobs.flatMap(({ metadata: { name }, spec }) =>
      ['jobmanager', 'taskmanager'].map((component) => {
        const { labels } = spec.podTemplate.metadata;
        const added = { app: name, component, type: 'flink-native-kubernetes' };
        return [`${name} ${component}`, pod({ ...labels, ...added })];
      }),
    ),
  );
}

/** As the chart gameanalytics-platform makes it. */
function flexLabels(): Labels {
  const documents = parseAllDocuments(readFileSync('test/golden/platform/monitors.yaml', 'utf8'));
  const flex = documents
    .map((document) => document.toJS())
    .find(({ kind, metadata }) => kind === 'Deployment' && /flex/.test(metadata.name));
  return flex.spec.template.metadata.labels;
}
