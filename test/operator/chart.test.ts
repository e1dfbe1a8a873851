import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { HELP, parseSettings } from '../../operator/settings.ts';
import {
  CHART,
  chartText,
  installChart,
  listOf,
  podSpec,
  renderChart,
  valueFlags,
} from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { prometheusCrds } from '../../testkit/cluster/prometheus-crds.ts';
import { type TemporaryFolder, temporaryFolder } from '../../testkit/cluster/temporary-folder.ts';

const CRD = 'gameanalytics.gameanalytics.dev';
const FLINK_JOB_ROLE = 'gameanalytics-flink-job';
const RELEASE = 'gameanalytics-operator';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const EVERYTHING = {
  image: {
    repository: 'registry.example:5000/gameanalytics/app',
    digest: DIGEST,
    pullPolicy: 'Always',
  },
  flinkImage: `registry.example:5000/gameanalytics/flink@${DIGEST}`,
  allowedFlinkImages: ['registry.example:5000/gameanalytics/', 'flink:2.3.0'],
  imagePullSecrets: [{ name: 'registry' }],
  replicas: 3,
  flinkOperatorNamespace: 'flink-operator',
  workers: 8,
  upgradeTimeout: '90s',
  logLevel: 'debug',
  serviceAccount: { name: 'pipelines', annotations: { 'example.com/team': 'games' } },
  resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 2, memory: '1Gi' } },
  metrics: { serviceMonitor: { enabled: true, interval: '10s', labels: { release: 'prometheus' } } },
  priorityClassName: 'system-cluster-critical',
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'games', effect: 'NoSchedule' }],
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: 'spot', operator: 'DoesNotExist' }] } },
      ],
    },
  },
};

let plane: ControlPlane;
let folder: TemporaryFolder;
let namespace: string;

beforeAll(async () => {
  // No CRDs: the chart brings its own.
  plane = await startControlPlane();
  folder = await temporaryFolder('gameanalytics-chart-');
});

afterAll(async () => {
  await plane?.stop();
  await folder?.remove();
});

beforeEach(async () => {
  namespace = await plane.newNamespace();
});

/** Only in the namespace: in the cluster, a release finds nothing that it has not made. */
const installHere = () =>
  installChart(plane, { namespace, watchNamespace: namespace, values: { clusterRoles: { create: false } } });

const GOLDENS = [
  { name: 'default', values: {} },
  { name: 'one-namespace', values: { watchNamespace: 'games' } },
  { name: 'everything', values: EVERYTHING },
];

describe('the chart', () => {
  it.each(GOLDENS)('has nothing that helm lint would warn of: $name', async ({ values }) => {
    const said = await plane.helm('lint', '--strict', CHART, ...valueFlags(values));
    expect(said).toContain('0 chart(s) failed');
  });

  /**
   * A change of the chart shows in these files, to be looked at in review. To accept it: npx vitest run
   * --project operator -u
   */
  it.each(GOLDENS)('renders these objects: $name', async ({ name, values }) => {
    const text = await chartText(plane, { namespace: 'operators', values });
    await expect(withoutCrdSpec(text)).toMatchFileSnapshot(`../golden/chart/${name}.yaml`);
  });

  it('has the version of the program', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({
      version,
      appVersion: version,
    });
  });

  it('has the CRD that is printed from the schema, packaged or not', async () => {
    await plane.helm('package', CHART, `--destination=${folder.path}`);
    const chart = join(folder.path, 'gameanalytics-operator-0.1.0.tgz');
    const packaged = await renderChart(plane, { namespace, chart });
    const { spec } = parse(await readFile('crds/gameanalytics.yaml', 'utf8'));
    expect(packaged.find(({ metadata }) => metadata.name === CRD)?.spec).toEqual(spec);
    expect(packaged).toEqual(await renderChart(plane, { namespace }));
  });

  it('asks for nothing outside its namespace when it looks after that alone and shares no roles', async () => {
    const values = { watchNamespace: namespace, crds: { install: false }, clusterRoles: { create: false } };
    const objects = await renderChart(plane, { namespace, values });
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set([namespace]));
  });

  it('has a PodDisruptionBudget where a pod can be spared', async () => {
    const budgets = async (values: Record<string, unknown>) => {
      const objects = await renderChart(plane, { namespace, values });
      return objects.filter(({ kind }) => kind === 'PodDisruptionBudget').length;
    };
    expect(await budgets({})).toBe(1);
    expect(await budgets({ replicas: 1 })).toBe(0);
    expect(await budgets({ podDisruptionBudget: { enabled: false } })).toBe(0);
  });

  it('gives the operator settings that it understands', async () => {
    const { environment } = await installHere();
    expect(parseSettings([], environment, 'me')).toEqual({
      settings: {
        watchNamespace: namespace,
        appImage: 'gameanalytics/app:0.1.0',
        flinkImage: 'gameanalytics/flink:0.1.0',
        leaseNamespace: namespace,
        leaseName: RELEASE,
        identity: 'me',
        host: '::',
        port: 8080,
        workers: 4,
        upgradeTimeoutMillis: 300_000,
        logLevel: 'info',
      },
    });
    // In addition to the settings there are glibc's.
    const settings = Object.keys(environment).filter((name) => !name.startsWith('MALLOC_'));
    for (const name of settings) expect(HELP).toContain(`, ${name}\n`);
  });
});

describe('wrong values', () => {
  it.each([
    [{ replica: 3 }, "additional properties 'replica' not allowed"],
    [{ image: { tga: '1' } }, "at '/image': additional properties 'tga' not allowed"],
    [{ image: { digest: '0123' } }, "at '/image/digest': '0123' does not match pattern"],
    [{ replicas: 'two' }, "at '/replicas': got string, want integer"],
    [{ workers: 0 }, "at '/workers': minimum: got 0, want 1"],
    [{ watchNamespace: 'a b' }, "at '/watchNamespace': 'a b' does not match pattern"],
    [{ upgradeTimeout: '5min' }, "at '/upgradeTimeout': '5min' does not match pattern"],
    [{ logLevel: 'loud' }, "at '/logLevel': value must be one of 'trace', 'debug'"],
    [{ resources: { limits: { memory: 'much' } } }, "at '/resources/limits/memory': 'much' does not match"],
    [{ serviceAccount: { name: 'No_Name' } }, "at '/serviceAccount/name': 'No_Name' does not match"],
    [{ allowedFlinkImages: ['a,b'] }, "at '/allowedFlinkImages/0': 'a,b' does not match pattern"],
    [{ imagePullSecrets: ['registry'] }, "at '/imagePullSecrets/0': got string, want object"],
    [{ metrics: { serviceMonitor: { interval: 'often' } } }, "interval': 'often' does not match pattern"],
    [{ affinity: { podAffinities: {} } }, "additional properties 'podAffinities' not allowed"],
  ])('%j are refused with their place and what is wrong', async (values, message) => {
    await expect(chartText(plane, { namespace, values })).rejects.toThrow(message);
  });
});

describe('the API server', () => {
  it.each([
    { name: 'default', values: {} },
    { name: 'everything', values: EVERYTHING },
    // Bare, YAML would read these texts as numbers.
    { name: 'numbers', release: '7', values: { serviceAccount: { name: '8' }, priorityClassName: '9' } },
  ])('takes every object without a warning: $name', async ({ release, values }) => {
    await plane.applyCrdFiles(await prometheusCrds('servicemonitors'));
    const objects = await renderChart(plane, { namespace, values, ...(release && { release }) });
    await plane.kubectlWithInput(
      listOf(objects),
      'apply',
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '--warnings-as-errors',
      '--filename=-',
    );
  });

  it('admits the pod where only restricted ones may run', async () => {
    await installHere();
    const spec = podSpec(await renderChart(plane, { namespace }));
    const run = (pod: object) =>
      plane.kubectlWithInput(
        JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod', namespace }, spec: pod }),
        'create',
        '--dry-run=server',
        '--filename=-',
      );
    await expect(run({ ...spec, securityContext: {} })).rejects.toThrow('violates PodSecurity "restricted');
    await expect(run(spec)).resolves.toContain('created');
  });
});

describe('a release', () => {
  it('is installed, upgraded with its CRD, and uninstalled without anything of a user being lost', async () => {
    const older = await chartWithShortName('old');
    const helm = (command: string, ...args: string[]) =>
      plane.helm(command, RELEASE, ...args, `--namespace=${namespace}`);
    const exists = async (...object: string[]) =>
      (await plane.kubectl('get', ...object, '--ignore-not-found', '--output=name', '-n', namespace)) !== '';

    await helm('install', older);
    expect(await shortNames()).toEqual(['old']);
    expect(await exists('clusterrole', RELEASE)).toBe(true);

    await helm('upgrade', CHART, ...valueFlags({ watchNamespace: namespace, replicas: 3 }));
    expect(await shortNames()).toEqual(['ga']);
    expect(await exists('clusterrole', RELEASE)).toBe(false);
    expect(await exists('role', RELEASE)).toBe(true);
    const deployment = JSON.parse(
      await plane.kubectl('get', 'deployment', RELEASE, '-n', namespace, '--output=json'),
    );
    expect(deployment.spec.replicas).toBe(3);

    await applyPipeline(namespace);
    await helm('uninstall');
    expect(await exists('deployment', RELEASE)).toBe(false);
    expect(await exists('role', RELEASE)).toBe(false);
    expect(await exists('gameanalytics', 'arcade')).toBe(true);
    expect(await exists('clusterrole', FLINK_JOB_ROLE)).toBe(true);

    // What was left is taken over again: by the same release, or by another that says so.
    await helm('install', CHART);
    await helm('uninstall');
    await expect(plane.helm('install', 'other', CHART, `-n=${namespace}`)).rejects.toThrow(
      'cannot be imported',
    );
    await plane.helm('install', 'other', CHART, '--take-ownership', `-n=${namespace}`);
    await plane.helm('uninstall', 'other', `-n=${namespace}`);
  });

  it('says what to do next, with the names it has', async () => {
    const notes = await plane.helm('install', 'games', CHART, '--dry-run=client', `--namespace=${namespace}`);
    expect(notes).toContain(
      `kubectl --namespace ${namespace} rollout status deployment/games-gameanalytics-operator`,
    );
  });

  async function shortNames(): Promise<string[]> {
    const crd = await plane.kubectl('get', 'crd', CRD, '--output=json');
    return JSON.parse(crd).spec.names.shortNames;
  }

  /** The chart, as it might have been once. */
  async function chartWithShortName(name: string): Promise<string> {
    const chart = join(folder.path, 'older');
    await mkdir(chart);
    await cp(CHART, chart, { recursive: true, dereference: true });
    const crd = join(chart, 'files/gameanalytics.yaml');
    await writeFile(crd, (await readFile(crd, 'utf8')).replace('- ga\n', `- ${name}\n`));
    return chart;
  }

  async function applyPipeline(namespace: string): Promise<void> {
    const spec = { kafka: { cluster: 'games' } };
    const pipeline = {
      apiVersion: 'gameanalytics.dev/v1alpha1',
      kind: 'GameAnalytics',
      metadata: { name: 'arcade', namespace },
      spec,
    };
    await plane.kubectlWithInput(JSON.stringify(pipeline), 'apply', '--server-side', '--filename=-');
  }
});

/** The CRD has a file of its own to be reviewed in. */
function withoutCrdSpec(text: string): string {
  return text.replace(/\nspec:\n {2}group: gameanalytics\.dev\n[\s\S]*?\n(?=---\n)/, '\nspec: left out\n');
}
