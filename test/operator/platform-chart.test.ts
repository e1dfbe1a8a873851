import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_REGISTRY_URL } from '../../api/events.ts';
import {
  chartText,
  listOf,
  podSpec,
  type Rendered,
  renderChart,
  valueFlags,
} from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds, realCrd } from '../../testkit/cluster/crds.ts';

const PLATFORM = new URL('../../charts/gameanalytics-platform', import.meta.url).pathname;

const MONITORS = {
  kpow: { enabled: true, licenseSecret: 'kpow-license', schemaRegistry: { url: 'http://registry:8081' } },
  flex: { enabled: true, edition: 'enterprise', licenseSecret: 'flex-license' },
};

let plane: ControlPlane;
let namespace: string;

beforeAll(async () => {
  plane = await startControlPlane();
  namespace = await plane.newNamespace();
});

afterAll(() => plane?.stop());

type Values = Record<string, unknown>;
const text = (values: Values, ...flags: string[]) =>
  plane.helm(
    'template',
    'platform',
    PLATFORM,
    '--namespace=games',
    '--set-json',
    JSON.stringify(values),
    ...flags,
  );
const render = (values: Values) =>
  renderChart(plane, { release: 'platform', namespace, chart: PLATFORM, values });
const kafkaOf = async (kafka: Values) => {
  const object = (await render({ kafka })).find(({ kind }) => kind === 'Kafka')!;
  return (object.spec as { kafka: { config: object } }).kafka;
};
const PRODUCTION = `--values=${PLATFORM}/values-production.yaml`;

const GOLDENS = [
  { name: 'default', values: {}, flags: [] },
  { name: 'production', values: {}, flags: [PRODUCTION] },
  { name: 'monitors', values: MONITORS, flags: [] },
  { name: 'registry', values: { kafka: { enabled: false }, registry: { enabled: true } }, flags: [] },
  { name: 'signed-in', values: { kafka: { authentication: 'tls' }, kpow: MONITORS.kpow }, flags: [] },
];

describe('the platform’s chart', () => {
  it.each(GOLDENS)('has nothing that helm lint would warn of: $name', async ({ values, flags }) => {
    const said = await plane.helm('lint', '--strict', PLATFORM, ...valueFlags(values), ...flags);
    expect(said).toContain('0 chart(s) failed');
  });

  /** To accept a change: npx vitest run --project operator -u */
  it.each(GOLDENS)('renders these objects: $name', async ({ name, values, flags }) => {
    await expect(await text(values, ...flags)).toMatchFileSnapshot(`../golden/platform/${name}.yaml`);
  });

  it('keeps as many copies of a topic as there are nodes, up to three, of which one may be missing', async () => {
    const configOf = async (replicas: number) => (await kafkaOf({ replicas })).config;
    const one = { 'default.replication.factor': 1, 'min.insync.replicas': 1 };
    const three = { 'default.replication.factor': 3, 'min.insync.replicas': 2 };
    expect(await configOf(1)).toMatchObject(one);
    expect(await configOf(3)).toMatchObject(three);
    expect(await configOf(5)).toMatchObject(three);
  });

  it('lets a broker’s setting be another, to the last digit', async () => {
    const config = { 'log.retention.ms': 604800000, 'min.insync.replicas': 1 };
    expect(await kafkaOf({ replicas: 3, config })).toMatchObject({ config });
  });

  it('says what to do with what it made', async () => {
    const values = ['--set-json', JSON.stringify(MONITORS)];
    const notes = await plane.helm(
      'install',
      'platform',
      PLATFORM,
      '--dry-run=client',
      '-n=games',
      ...values,
    );
    expect(notes).toContain('kubectl --namespace games wait --for=condition=Ready --timeout=10m kafka/games');
    expect(notes).toContain('port-forward service/platform-kpow 3000:http');
    expect(notes).toContain('port-forward service/platform-flex 3001:http');
  });
});

describe('a monitor', () => {
  it('is there only when it is asked for', async () => {
    expect((await render({})).map(({ kind }) => kind)).toEqual(['Kafka', 'KafkaNodePool']);
  });

  it.each(['kpow', 'flex'])('without a license is refused, with what to do: %s', async (part) => {
    await expect(text({ [part]: { enabled: true } })).rejects.toThrow(
      `kubectl --namespace games create secret generic ${part}-license --from-env-file=license.env), and set ${part}.licenseSecret=${part}-license.`,
    );
  });

  it.each([
    { part: 'kpow', edition: 'community', image: 'factorhouse/kpow-ce:96.2' },
    { part: 'kpow', edition: 'enterprise', image: 'factorhouse/kpow:96.2' },
    { part: 'flex', edition: 'community', image: 'factorhouse/flex-ce:96.2' },
    { part: 'flex', edition: 'enterprise', image: 'factorhouse/flex:96.2' },
  ])('has the image of its edition: $image', async ({ part, edition, image }) => {
    const objects = await render({ [part]: { enabled: true, edition, licenseSecret: 'license' } });
    expect(podSpec(objects).containers[0]).toMatchObject({
      image,
      envFrom: [{ secretRef: { name: 'license' } }],
    });
  });

  it.each(['kpow', 'flex'])('has the image of a digest, where there is one: %s', async (part) => {
    const image = { repository: `registry.example/${part}`, digest: `sha256:${'0'.repeat(64)}` };
    const objects = await render({ [part]: { enabled: true, licenseSecret: 'license', image } });
    expect(podSpec(objects).containers[0]?.image).toBe(`${image.repository}@${image.digest}`);
  });

  it('knows where Kafka, its schema registry and Flink are', async () => {
    const objects = await render(MONITORS);
    const told = (part: string) => variables(objects, part);
    expect(told('kpow')).toEqual({
      BOOTSTRAP: 'games-kafka-bootstrap:9092',
      ENVIRONMENT_NAME: 'games',
      REPLICATION_FACTOR: '1',
      SCHEMA_REGISTRY_NAME: 'schema registry',
      SCHEMA_REGISTRY_URL: 'http://registry:8081',
    });
    expect(told('flex')).toMatchObject({ FLINK_REST_URL: 'http://arcade-job-rest:8081' });
  });

  it('signs in to a Kafka that asks for it, with nothing secret among its variables', async () => {
    const objects = await render({ ...MONITORS, kafka: { authentication: 'scram-sha-512' } });
    expect(variables(objects, 'kpow')).toMatchObject({
      BOOTSTRAP: 'games-kafka-bootstrap:9093',
      SECURITY_PROTOCOL: 'SASL_SSL',
      SASL_JAAS_CONFIG: undefined,
    });
    expect(objects.find(({ kind }) => kind === 'KafkaUser')).toMatchObject({
      metadata: { name: 'platform-kpow', labels: { 'strimzi.io/cluster': 'games' } },
      spec: { authentication: { type: 'scram-sha-512' } },
    });
    const listeners = (await kafkaOf({ authentication: 'scram-sha-512' })) as object;
    expect(listeners).toMatchObject({
      listeners: [{ name: 'tls', tls: true, authentication: { type: 'scram-sha-512' } }],
      authorization: { type: 'simple' },
    });
  });

  it('of a Kafka elsewhere must know where', async () => {
    const kpow = { enabled: true, licenseSecret: 'license' };
    await expect(text({ kafka: { enabled: false }, kpow })).rejects.toThrow('kpow.bootstrapServers: with');
    const objects = await render({
      kafka: { enabled: false },
      kpow: { ...kpow, bootstrapServers: 'other:9092' },
    });
    expect(variables(objects, 'kpow')).toMatchObject({ BOOTSTRAP: 'other:9092' });
  });

  it('may run where only restricted pods may, as the registry', async () => {
    const objects = await render({ ...MONITORS, registry: { enabled: true } });
    const deployments = objects.filter(({ kind }) => kind === 'Deployment');
    expect(deployments).toHaveLength(3);
    await plane.kubectl('create', 'serviceaccount', 'default', '-n', namespace).catch(() => undefined);
    for (const deployment of deployments) {
      const { serviceAccountName: _, ...spec } = podSpec([deployment]);
      const metadata = { name: deployment.metadata.name, namespace };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: { ...spec, serviceAccountName: 'default' },
      };
      await plane.kubectlWithInput(JSON.stringify(pod), 'create', '--dry-run=server', '--filename=-');
    }
  });
});

describe('the schema registry', () => {
  const registry = { enabled: true };

  it('is where a GameAnalytics looks for it, and Kpow too', async () => {
    const objects = await render({ registry, kpow: { enabled: true, licenseSecret: 'license' } });
    expect(variables(objects, 'kpow')).toMatchObject({ SCHEMA_REGISTRY_URL: DEFAULT_REGISTRY_URL });
    const service = objects.find(
      ({ kind, metadata }) => kind === 'Service' && /registry/.test(metadata.name),
    )!;
    const { ports } = service.spec as { ports: [{ port: number }] };
    expect(new URL(DEFAULT_REGISTRY_URL).host).toBe(`${service.metadata.name}:${ports[0].port}`);
  });

  it('keeps its schemas with the pod alone, where it is to', async () => {
    const objects = await render({ registry: { ...registry, storage: { type: 'ephemeral' } } });
    expect(objects.map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
    const deployment = objects.filter(({ kind }) => kind === 'Deployment');
    expect(podSpec(deployment)).toMatchObject({ volumes: [{ emptyDir: { sizeLimit: '1Gi' } }, {}] });
  });
});

describe('wrong values', () => {
  it.each([
    [{ kafka: { replicas: 2 } }, "at '/kafka/replicas'"],
    [{ kafka: { storage: { size: 'much' } } }, "at '/kafka/storage/size': 'much' does not match"],
    [{ kafka: { storage: { type: 'tape' } } }, "at '/kafka/storage/type'"],
    [{ kafka: { heap: '1Gi' } }, "at '/kafka/heap': '1Gi' does not match"],
    [{ registry: { storage: { type: 'tape' } } }, "at '/registry/storage/type'"],
    [{ kpow: { edition: 'free' } }, "at '/kpow/edition'"],
    [{ kpow: { env: { LICENSE_CODE: 'secret' } } }, "invalid propertyName 'LICENSE_CODE'"],
    [{ kpow: { image: { digest: '96.2' } } }, "at '/kpow/image/digest': '96.2' does not match"],
    [{ flex: { flinkRestUrl: 'arcade-job' } }, "at '/flex/flinkRestUrl': 'arcade-job' does not match"],
    [{ kpo: {} }, "additional properties 'kpo' not allowed"],
  ])('%j are refused with their place', async (values, message) => {
    await expect(chartText(plane, { namespace, chart: PLATFORM, values: values as Values })).rejects.toThrow(
      message,
    );
  });
});

describe.runIf(availableCrds() === 'real')('the API server, with Strimzi’s own CRDs', () => {
  beforeAll(async () => {
    const names = ['kafkas', 'kafkanodepools', 'kafkausers'].map((plural) => `${plural}.kafka.strimzi.io`);
    await plane.applyCrdFiles(await Promise.all(names.map(realCrd)));
  });

  it.each([
    ...GOLDENS,
    {
      name: 'every value of kafka',
      values: {
        kafka: {
          version: '4.2.0',
          storage: { type: 'persistent-claim', storageClass: 'fast' },
          topologyKey: 'topology.kubernetes.io/zone',
        },
      },
      flags: [],
    },
  ])('takes every object without a warning: $name', async ({ values, flags }) => {
    const rendered = (await text(values, ...flags)).replaceAll(
      'namespace: "games"',
      `namespace: ${namespace}`,
    );
    await plane.kubectlWithInput(
      rendered,
      'apply',
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '--warnings-as-errors',
      '--filename=-',
    );
  });

  it('refuses a field that Strimzi does not know', async () => {
    const objects = await render({});
    const pool = objects.find(({ kind }) => kind === 'KafkaNodePool');
    const wrong = { ...pool, spec: { ...(pool?.spec as object), unheardOf: 1 } };
    await expect(plane.apply(wrong, '--dry-run=server')).rejects.toThrow(/unheardOf/);
    await expect(
      plane.kubectlWithInput(listOf(objects), 'apply', '--dry-run=server', '-f-'),
    ).resolves.toContain('kafka');
  });
});

/** The variables of a monitor's container. */
function variables(objects: Rendered[], part: string): Record<string, string> {
  const deployment = objects.filter((o) => o.kind === 'Deployment' && o.metadata.name === `platform-${part}`);
  const { env } = podSpec(deployment).containers[0];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}
